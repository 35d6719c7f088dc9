/* What records of the video tasks say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data/dataset/dataset_load.h"

static bool take_video(Loader *loader, const json_t *record, DatasetExample *example)
{
    const char *video = loader_file_name(loader, record, "vid_name"), *subtitles;
    if (!video)
        return false;
    example->images[0] = video;
    loader_field(loader, example, "video", video);
    if (template_field(&loader->texts->prompt, "subtitles") == UINT32_MAX)
        return true;
    subtitles = subtitles_find(loader->subtitles, video);
    loader_field(loader, example, "subtitles", subtitles);
    return subtitles || loader_fault(loader, record, "video '%s' is not in %s", video,
                                     subtitles_path(loader->subtitles));
}

const char *loader_moment(Loader *loader, const json_t *record, const char *key,
                          const json_t *value)
{
    const json_t *first = json_array_get(value, 0), *second = json_array_get(value, 1);
    if (json_array_size(value) == 2 && json_is_number(first) && json_is_number(second))
        return arena_format(loader->arena, "[%s, %s]", loader_number(loader, first),
                            loader_number(loader, second));
    if (json_is_string(value))
        return loader_scalar(loader, record, key, value);
    loader_fault(loader, record, "\"%s\" is neither a string nor two numbers", key);
    return NULL;
}

static const char *take_moment(Loader *loader, const json_t *record)
{
    const json_t *moment = loader_member(loader, record, "ts");
    return moment ? loader_moment(loader, record, "ts", moment) : NULL;
}

/* -- multiple choice ----------------------------------------------------------------- */

const char *loader_choice(Loader *loader, const char *text)
{
    text += strspn(text, ". ");
    size_t bytes = strlen(text);
    while (bytes > 0 && strchr(". ", text[bytes - 1]))
        bytes--;
    return arena_string(loader->arena, text, bytes);
}

/* Fields a0, a1, ... */
static bool take_choices(Loader *loader, const json_t *record, DatasetExample *example)
{
    for (uint32_t i = 0; i < loader->texts->layout->choices; i++) {
        char key[16];
        snprintf(key, sizeof key, "a%u", i);
        const json_t *choice = loader_member(loader, record, key);
        const char *text = json_string_value(choice);
        if (!text)
            return choice && loader_fault(loader, record, "\"%s\" is no string", key);
        loader_field(loader, example, key, loader_choice(loader, text));
    }
    return true;
}

/* "a<answer_idx>", unless the file does not tell. */
static bool take_choice(Loader *loader, const json_t *record, DatasetExample *example)
{
    const json_t *index;
    int choices = (int)loader->texts->layout->choices;
    if (!loader_answer(loader, record, "answer_idx", &index))
        return false;
    if (!index)
        return true;
    json_int_t value = json_integer_value(index);
    const char *text = json_string_value(index);
    if (text && strlen(text) == 1)
        value = *text - '0';
    if ((!json_is_integer(index) && !text) || (text && strlen(text) != 1) || value < 0 ||
        value >= choices)
        return loader_fault(loader, record, "\"answer_idx\" is not in 0..%d",
                            choices - 1);
    char name[16];
    snprintf(name, sizeof name, "a%d", (int)value);
    loader_answer_is(loader, example, intern(loader->interns, name));
    return true;
}

bool read_video_choice(Loader *loader, const json_t *record)
{
    DatasetExample example = loader_example(loader);
    const char *question, *moment;
    if (!(example.id = loader_name(loader, record, "qid")) ||
        !take_video(loader, record, &example) ||
        !(question = loader_text(loader, record, "q")) ||
        !(moment = take_moment(loader, record)) ||
        !take_choice(loader, record, &example) ||
        !loader_group(loader, record, "show_name", &example.group) ||
        !take_choices(loader, record, &example))
        return false;
    loader_field(loader, &example, "question", loader_stripped(loader, question));
    loader_field(loader, &example, "timestamp", moment);
    loader_field(loader, &example, "question_id", example.id);
    loader_field(loader, &example, "show_name", example.group);
    return loader_add(loader, record, &example);
}

/* -- descriptions ----------------------------------------------------------------- */

/* An example per description, or one if there is no description. */
static bool add_descriptions(Loader *loader, const json_t *record,
                             DatasetExample *example)
{
    const json_t *list, *item;
    if (!loader_answer(loader, record, "descs", &list))
        return false;
    if (list && !json_is_array(list))
        return loader_fault(loader, record, "\"descs\" is no array");
    size_t i, count = json_array_size(list);
    if (count == 0 && loader->file->split == SPLIT_train)
        return loader_fault(loader, record, "\"descs\" has no description");
    if (count == 0)
        return loader_add(loader, record, example);
    DatasetAnswer *answers = ARENA_ARRAY(loader->arena, DatasetAnswer, count);
    const char **texts = ARENA_ARRAY(loader->arena, const char *, count);
    json_array_foreach(list, i, item)
    {
        const char *text = loader_text(loader, item, "desc");
        if (!text)
            return false;
        texts[i] = loader_said(loader, text);
        answers[i] = (DatasetAnswer){texts[i], 1};
    }
    example->answer_count = example->reference_count = 1;
    example->is_told = true;
    for (i = 0; i < count; i++) {
        example->answers = &answers[i];
        example->references = &texts[i];
        if (!loader_add(loader, record, example))
            return false;
    }
    return true;
}

static bool take_clip(Loader *loader, const json_t *record, DatasetExample *example)
{
    *example = loader_example(loader);
    example->id = loader_name(loader, record, "clip_id");
    loader_field(loader, example, "clip_id", example->id);
    return example->id && take_video(loader, record, example);
}

bool read_tvc(Loader *loader, const json_t *record)
{
    DatasetExample example;
    if (!take_clip(loader, record, &example) ||
        !(example.moment = take_moment(loader, record)))
        return false;
    loader_field(loader, &example, "timestamp", example.moment);
    return add_descriptions(loader, record, &example);
}

bool read_yc2c(Loader *loader, const json_t *record)
{
    DatasetExample example;
    return take_clip(loader, record, &example) &&
           add_descriptions(loader, record, &example);
}
