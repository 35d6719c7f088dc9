/* From the fields of a question to an example, and from that to a batch. */
#include "runtime/data/dataset/dataset_question.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/heap.h"
#include "runtime/data/dataset/dataset_load.h"
#include "runtime/data/dataset/dataset_task.h"

/* -- fields -------------------------------------------------------------------------- */

/* The value of a field, under its name or that of the layout's files; NULL if it is not
 * given. */
static const json_t *given(const TaskTexts *texts, const json_t *record,
                           const char *field)
{
    const json_t *value = record_value(record, field);
    size_t len;
    const char *member = layout_member(texts->layout, field, &len);
    if (!value && member != field) {
        char *name = heap_format("%.*s", (int)len, member);
        value = json_object_get(record, name);
        free(name);
    }
    return json_is_null(value) ? NULL : value;
}

/* The image that the field is the name of, or UINT32_MAX. */
static uint32_t image_of(const TaskTexts *texts, const char *field)
{
    for (uint32_t i = 0; i < texts->image_count; i++)
        if (template_is_field(&texts->images[i]) &&
            template_field(&texts->images[i], field) != UINT32_MAX)
            return i;
    return UINT32_MAX;
}

static bool names_image(const TaskTexts *texts, const char *field)
{
    for (uint32_t i = 0; i < texts->image_count; i++)
        if (template_field(&texts->images[i], field) != UINT32_MAX)
            return true;
    return false;
}

const char *question_field(const TaskTexts *texts, const json_t *record)
{
    static const char *const usual[] = {"question", "statement"};
    const Template *prompt = &texts->prompt;
    const char *only = NULL;
    uint32_t open = 0;
    for (uint32_t i = 0; i < prompt->field_count; i++) {
        const char *field = prompt->fields[i];
        if (names_image(texts, field) || given(texts, record, field))
            continue;
        only = field;
        open++;
        for (size_t k = 0; k < sizeof usual / sizeof *usual; k++)
            if (strcmp(field, usual[k]) == 0)
                return field;
    }
    return open == 1 ? only : NULL;
}

/* Fields of all texts, some of them twice. */
static uint32_t list_fields(const TaskTexts *texts, const char **out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < texts->choices.field_count; i++)
        out[count++] = texts->choices.fields[i];
    for (uint32_t i = 0; i < texts->prompt.field_count; i++)
        out[count++] = texts->prompt.fields[i];
    for (uint32_t k = 0; k < texts->image_count; k++)
        for (uint32_t i = 0; i < texts->images[k].field_count; i++)
            out[count++] = texts->images[k].fields[i];
    return count;
}

static uint32_t most_fields(const TaskTexts *texts)
{
    uint32_t count = texts->prompt.field_count + texts->choices.field_count;
    for (uint32_t k = 0; k < texts->image_count; k++)
        count += texts->images[k].field_count;
    return count;
}

bool question_knows(const TaskTexts *texts, const char *field, Loc loc, Diags *diags)
{
    Arena *arena = arena_new();
    const char **fields = ARENA_ARRAY(arena, const char *, most_fields(texts));
    const char *list = "nothing";
    uint32_t count = list_fields(texts, fields), at = 0;
    while (at < count && strcmp(fields[at], field) != 0)
        at++;
    if (at == count) {
        const char *near = nearest_name(field, fields, count);
        for (uint32_t i = 0; i < count; i++)
            list = arena_format(arena, "%s%s%s", i ? list : "", i ? ", " : "", fields[i]);
        diag_error(diags, loc, "task '%s' reads no field '%s'%s%s%s%s", texts->task->name,
                   field, near ? "; did you mean '" : "; it reads ", near ? near : list,
                   near ? "'?" : "", "");
    }
    arena_free(arena);
    return at < count;
}

bool question_shows(const TaskTexts *texts, const json_t *record)
{
    for (uint32_t k = 0; k < texts->image_count; k++)
        for (uint32_t i = 0; i < texts->images[k].field_count; i++)
            if (!given(texts, record, texts->images[k].fields[i]))
                return false;
    return true;
}

uint32_t question_lacks(const TaskTexts *texts, const json_t *record, uint32_t images)
{
    uint32_t lacks = 0;
    for (uint32_t i = 0; i < texts->choices.field_count; i++)
        lacks += !given(texts, record, texts->choices.fields[i]);
    for (uint32_t i = 0; i < texts->prompt.field_count; i++) {
        const char *field = texts->prompt.fields[i];
        lacks += !given(texts, record, field) && !names_image(texts, field);
    }
    return lacks +
           (images > 0 ? images != texts->image_count : !question_shows(texts, record));
}

/* -- what is read -------------------------------------------------------------------- */

static bool lacking(Loader *loader, const DataQuestion *question, const char *field,
                    const char *what)
{
    size_t count = json_object_size(question->record), at = 0;
    const char **keys = heap_array(count + 1, sizeof *keys), *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)question->record, key, value) keys[at++] =
        key;
    const char *near = nearest_name(field, keys, count);
    loader_fault(loader, question->record,
                 "task '%s' %s \"%s\", which is not given%s%s%s", question->task, what,
                 field, near ? "; did you mean that by \"" : "", near ? near : "",
                 near ? "\"?" : "");
    free(keys);
    return false;
}

static bool is_choice(const Layout *layout, const char *field)
{
    return layout->choices > 0 && field[0] == 'a' && field[1] >= '0' && field[1] <= '9' &&
           !field[2];
}

/* As the layout's own records are read. */
static const char *published_text(Loader *loader, const DataQuestion *question,
                                  const char *field, const json_t *value)
{
    const Layout *layout = loader->texts->layout;
    if (strcmp(field, "timestamp") == 0)
        return loader_moment(loader, question->record, field, value);
    if (strcmp(field, "subtitles") == 0 && json_is_string(value))
        return loader_stripped(loader, json_string_value(value)); /* may be silence */
    const char *text = loader_scalar(loader, question->record, field, value);
    if (text && is_choice(layout, field))
        return loader_choice(loader, text);
    return text && layout->is_video ? loader_stripped(loader, text) : text;
}

/* What a picture is called, without its place; published ones without their ending. */
static const char *picture_name(Loader *loader, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return loader->texts->layout->fields ? loader_without_ending(loader, name) : name;
}

static bool take_prompt(Loader *loader, const DataQuestion *question,
                        DatasetExample *example)
{
    const Template *prompt = &loader->texts->prompt;
    for (uint32_t i = 0; i < prompt->field_count; i++) {
        const char *field = prompt->fields[i];
        const json_t *value = given(loader->texts, question->record, field);
        uint32_t image = image_of(loader->texts, field);
        if (image < question->image_count)
            example->fields[i] = picture_name(loader, question->images[image]);
        else if (!value)
            return lacking(loader, question, field, "reads");
        else if (loader->texts->layout->fields)
            example->fields[i] = published_text(loader, question, field, value);
        else
            example->fields[i] = loader_as_text(loader, question->record, field, value);
        if (!example->fields[i])
            return false;
    }
    return true;
}

/* -- what is shown ------------------------------------------------------------------- */

static const char *image_of_record(Loader *loader, const DataQuestion *question,
                                   const Template *text)
{
    const char **values = ARENA_ARRAY(loader->arena, const char *, text->field_count);
    for (uint32_t i = 0; i < text->field_count; i++) {
        const json_t *value = given(loader->texts, question->record, text->fields[i]);
        if (!value)
            lacking(loader, question, text->fields[i], "shows");
        else
            values[i] = loader_scalar(loader, question->record, text->fields[i], value);
        if (!values[i])
            return NULL;
    }
    return template_fill(text, values, loader->arena);
}

static bool take_images(Loader *loader, const DataQuestion *question,
                        DatasetExample *example)
{
    const TaskTexts *texts = loader->texts;
    uint32_t count = question->image_count;
    if (count > 0 && count != texts->image_count)
        return loader_fault(loader, question->record,
                            "task '%s' shows %u %s; %u %s given", question->task,
                            texts->image_count,
                            texts->is_video           ? "video"
                            : texts->image_count == 1 ? "image"
                                                      : "images",
                            count, count == 1 ? "is" : "are");
    for (uint32_t i = 0; i < texts->image_count; i++) {
        example->images[i] = count > 0
                                 ? question->images[i]
                                 : image_of_record(loader, question, &texts->images[i]);
        if (!example->images[i])
            return false;
    }
    return true;
}

/* -- what may be said ---------------------------------------------------------------- */

static bool take_own_choices(Loader *loader, const DataQuestion *question,
                             AskedQuestion *out)
{
    const char *field = loader->texts->choices.fields[0];
    const json_t *list = given(loader->texts, question->record, field), *item;
    size_t count = json_array_size(list), i;
    if (!list)
        return lacking(loader, question, field, "chooses from");
    if (count < 2)
        return loader_fault(loader, question->record, "\"%s\" is no list of choices",
                            field);
    out->choices = ARENA_ARRAY(loader->arena, const char *, count);
    json_array_foreach(list, i, item)
    {
        const char *text = loader_scalar(loader, question->record, field, item);
        if (!text)
            return false;
        out->choices[out->choice_count++] = loader_said(loader, text);
    }
    return true;
}

/* As the task says, or as its published layout has them. */
static bool take_choices(Loader *loader, const DataQuestion *question, AskedQuestion *out)
{
    const TaskTexts *texts = loader->texts;
    if (texts->choices.source)
        return take_own_choices(loader, question, out);
    if (texts->metric != ANSWER_choice || texts->layout->choices == 0)
        return true;
    out->choice_count = texts->layout->choices;
    out->choices = ARENA_ARRAY(loader->arena, const char *, out->choice_count);
    for (uint32_t i = 0; i < out->choice_count; i++)
        out->choices[i] = loader_said(loader, arena_format(loader->arena, "a%u", i));
    return true;
}

/* -- the batch ----------------------------------------------------------------------- */

bool dataset_ask(DataSource *source, const DataQuestion *question,
                 const FeatureReader *features, Arena *arena, AskedQuestion *out,
                 Diags *diags)
{
    DatasetTask task = dataset_task(source, question->task);
    Loader *loader = &task.loader;
    DatasetExample *example = arena_alloc(arena, sizeof *example);
    const json_t *id = json_object_get(question->record, "id");
    loader->arena = arena;
    loader->diags = diags;
    loader->asked = question->asked;
    *out = (AskedQuestion){.example = example};
    *example = (DatasetExample){
        .id = id ? loader_scalar(loader, question->record, "id", id)
                 : arena_format(arena, "%u", question->asked.line),
        .fields = ARENA_ARRAY(arena, const char *, loader->texts->prompt.field_count)};
    if (!example->id || !take_prompt(loader, question, example) ||
        !take_images(loader, question, example) || !take_choices(loader, question, out))
        return false;
    out->prompt = task_texts_read(loader->texts, example, arena);
    task.maker.reader = features;
    out->batch = batch_make(&task.maker, &(Chosen){example, "", 0}, 1, diags);
    if (!out->batch)
        diag_note(diags, question->asked, "task '%s' was asked about it here",
                  question->task);
    return out->batch;
}

const TaskTexts *dataset_texts(const DataSource *source, const char *task)
{
    return dataset_task(source, task).loader.texts;
}

const char *dataset_features_path(DataSource *source, const char *task, const char *name,
                                  Arena *arena)
{
    DatasetTask data = dataset_task(source, task);
    const TaskTexts *texts = data.loader.texts;
    for (const LayoutFile *file = texts->layout->files; file->path; file++) {
        const char *path = batch_features_path(
            &data.maker, texts->folder ? texts->folder : file->folder, name, arena);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

/* The file itself, or with an ending. */
static const char *find_picture(const char *folder, const char *name, Arena *arena)
{
    static const char *const endings[] = {"", ".jpg", ".jpeg", ".png", ".JPG", ".PNG"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        struct stat status;
        const char *path = arena_format(arena, "%s/%s%s", folder, name, endings[i]);
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
            return path;
    }
    return NULL;
}

const char *dataset_picture_path(const DataSource *source, const DatasetExample *example,
                                 uint32_t image, const char *directory, Arena *arena)
{
    const char *name = image < EXAMPLE_IMAGES_MAX ? example->images[image] : NULL;
    const char *found = name && directory ? find_picture(directory, name, arena) : NULL;
    if (!name || found || !example->folder)
        return found;
    return find_picture(
        arena_format(arena, "%s/%s", dataset_directory(source), example->folder), name,
        arena);
}
