/* What records of the video tasks say. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data/dataset/dataset_load.h"

static bool take_video(Loader *loader, const json_t *record, DatasetExample *example)
{
    example->folder = loader->file->folder;
    example->images[0] = loader_file_name(loader, record, "vid_name");
    if (!example->images[0])
        return false;
    example->subtitles = subtitles_find(loader->subtitles, example->images[0]);
    return example->subtitles ||
           loader_fault(loader, record, "video '%s' is not in %s", example->images[0],
                        subtitles_path(loader->subtitles));
}

/* -- numbers as Python prints them ------------------------------------------------ */

/* The fewest digits that read back as the same number, always with a point. */
static const char *print_number(Loader *loader, const json_t *value)
{
    enum { DIGITS_MAX = 17 };
    if (json_is_integer(value))
        return arena_format(loader->arena, "%lld", (long long)json_integer_value(value));
    double number = json_real_value(value);
    char text[48];
    for (int digits = 1; digits <= DIGITS_MAX; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, number);
        if (strtod(text, NULL) != number)
            continue;
        int exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
        if (exponent >= -4 && exponent < 16) {
            int decimals = digits - 1 - exponent;
            snprintf(text, sizeof text, "%.*f", decimals > 1 ? decimals : 1, number);
        }
        break;
    }
    return arena_format(loader->arena, "%s", text);
}

/* "ts": a string as it is, or a list of two numbers as Python prints it. */
static const char *take_moment(Loader *loader, const json_t *record)
{
    const json_t *moment = loader_member(loader, record, "ts");
    const json_t *first = json_array_get(moment, 0), *second = json_array_get(moment, 1);
    if (json_array_size(moment) == 2 && json_is_number(first) && json_is_number(second))
        return arena_format(loader->arena, "[%s, %s]", print_number(loader, first),
                            print_number(loader, second));
    if (json_is_string(moment))
        return loader_text(loader, record, "ts");
    if (moment)
        loader_fault(loader, record, "\"ts\" is neither a string nor two numbers");
    return NULL;
}

/* -- multiple choice ----------------------------------------------------------------- */

/* "a2: text. " for each choice, points and blanks around the text removed first. */
static bool take_choices(Loader *loader, const json_t *record, int choices,
                         TextBuffer *out)
{
    for (int i = 0; i < choices; i++) {
        char key[16];
        int len = snprintf(key, sizeof key, "a%d", i);
        const json_t *choice = loader_member(loader, record, key);
        const char *text = json_string_value(choice);
        if (!text)
            return choice && loader_fault(loader, record, "\"%s\" is no string", key);
        text += strspn(text, ". ");
        size_t bytes = strlen(text);
        while (bytes > 0 && strchr(". ", text[bytes - 1]))
            bytes--;
        text_buffer_add(out, key, (size_t)len);
        text_buffer_add(out, ": ", 2);
        text_buffer_add(out, text, bytes);
        text_buffer_add(out, ". ", 2);
    }
    return true;
}

/* "a<answer_idx>", unless the file does not tell. */
static bool take_choice(Loader *loader, const json_t *record, int choices,
                        DatasetExample *example)
{
    static const DatasetAnswer answers[] = {
        {"a0", 1}, {"a1", 1}, {"a2", 1}, {"a3", 1}, {"a4", 1}};
    const json_t *index;
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
    example->answers = &answers[value];
    example->answer_count = 1;
    example->is_told = true;
    return true;
}

static bool read_choice(Loader *loader, const json_t *record, int choices)
{
    DatasetExample example = {0};
    const char *question, *moment;
    if (!(example.id = loader_name(loader, record, "qid")) ||
        !take_video(loader, record, &example) ||
        !(question = loader_text(loader, record, "q")) ||
        !(moment = take_moment(loader, record)) ||
        !take_choice(loader, record, choices, &example) ||
        !loader_group(loader, record, "show_name", &example.group))
        return false;
    TextBuffer list = {0};
    bool ok = take_choices(loader, record, choices, &list);
    if (ok) {
        example.text = arena_format(loader->arena, "[Q] %s [TS] (%s) [Choices] %.*s",
                                    loader_stripped(loader, question), moment,
                                    (int)list.count, list.bytes);
        loader_add(loader, &example);
    }
    text_buffer_free(&list);
    return ok;
}

bool read_tvqa(Loader *loader, const json_t *record)
{
    return read_choice(loader, record, 5);
}

bool read_how2qa(Loader *loader, const json_t *record)
{
    return read_choice(loader, record, 4);
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
    if (count == 0) {
        loader_add(loader, example);
        return true;
    }
    DatasetAnswer *answers = ARENA_ARRAY(loader->arena, DatasetAnswer, count);
    const char **texts = ARENA_ARRAY(loader->arena, const char *, count);
    json_array_foreach(list, i, item)
    {
        texts[i] = loader_text(loader, item, "desc");
        if (!texts[i])
            return false;
        answers[i] = (DatasetAnswer){texts[i], 1};
    }
    example->answer_count = example->reference_count = 1;
    example->is_told = true;
    for (i = 0; i < count; i++) {
        example->answers = &answers[i];
        example->references = &texts[i];
        loader_add(loader, example);
    }
    return true;
}

static bool take_clip(Loader *loader, const json_t *record, DatasetExample *example)
{
    return (example->id = loader_name(loader, record, "clip_id")) &&
           take_video(loader, record, example);
}

bool read_tvc(Loader *loader, const json_t *record)
{
    DatasetExample example = {0};
    if (!take_clip(loader, record, &example) ||
        !(example.moment = take_moment(loader, record)))
        return false;
    example.text = arena_format(loader->arena, "[TS] (%s) ", example.moment);
    return add_descriptions(loader, record, &example);
}

bool read_yc2c(Loader *loader, const json_t *record)
{
    DatasetExample example = {.text = ""};
    return take_clip(loader, record, &example) &&
           add_descriptions(loader, record, &example);
}
