/* Plain records: an object per line, whose members are the fields that a task's texts
 * name. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "ir/base/list.h"
#include "runtime/data/dataset/dataset_load.h"

/* -- what a record is of ------------------------------------------------------------- */

/* An empty line may be what is left of a record. */
static bool check_line(Loader *loader)
{
    Loc loc = json_stream_loc(loader->stream);
    int64_t blank = (int64_t)loc.line - json_stream_number(loader->stream);
    if (blank == loader->blank)
        return true;
    loader->blank = blank;
    loc.line--;
    diag_error(skips_diags(loader->skips, loader->diags), loc,
               "the line is empty, expected a record");
    if (skips_allowed(loader->skips))
        skips_count(loader->skips);
    return skips_allowed(loader->skips);
}

/* As the task says; or else "id", or the number of the line. No two have the same. */
static const char *take_id(Loader *loader, const json_t *record)
{
    const Template *text = &loader->texts->id;
    const json_t *given = json_object_get(record, "id");
    Loc loc = json_stream_loc(loader->stream);
    const char *id = text->source ? loader_filled(loader, record, text)
                     : given      ? loader_scalar(loader, record, "id", given)
                                  : arena_format(loader->arena, "%u", loc.line);
    if (!id)
        return NULL;
    uint32_t known = strings_count(loader->ids);
    uint32_t number = strings_add(loader->ids, id, strlen(id));
    if (number < known) {
        loader_fault(loader, record, "is called '%s', as that of line %u", id,
                     loader->id_lines[number]);
        return NULL;
    }
    ARENA_LIST_ROOM(loader->arena, loader->id_lines, (size_t)known + 1,
                    loader->id_capacity);
    loader->id_lines[number] = loc.line;
    return id;
}

/* Whether a path leads to a file below where it begins. */
static bool is_path_below(const char *path)
{
    for (const char *at = path;;) {
        size_t len = strcspn(at, "/");
        if (len == 0 || (len == 1 && at[0] == '.') || (len == 2 && !strncmp(at, "..", 2)))
            return false;
        at += len;
        if (!*at++)
            return true;
    }
}

/* Of the picture itself, where there is an encoder; else of its features. */
static const char *picture_name(Loader *loader, const json_t *record,
                                const Template *text, const char *name)
{
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    if (!is_path_below(name)) {
        loader_fault(loader, record,
                     "\"%s\" cannot be the name of a file below '%s': '%s'", text->source,
                     loader->texts->folder, name);
        return NULL;
    }
    return intern(loader->interns,
                  loader->names_pictures ? name : loader_without_ending(loader, name));
}

static bool take_images(Loader *loader, const json_t *record, DatasetExample *example)
{
    const TaskTexts *texts = loader->texts;
    for (uint32_t i = 0; i < texts->image_count && !loader->has_no_features; i++) {
        const char *name = loader_filled(loader, record, &texts->images[i]);
        if (!name)
            return false;
        example->images[i] = picture_name(loader, record, &texts->images[i], name);
        if (!example->images[i])
            return loader_name_place(loader, &texts->images[i]);
    }
    return true;
}

/* -- what is right ------------------------------------------------------------------- */

/* Several answers to one record: a list, or an object {answer: score}. */
typedef struct Answers {
    DatasetAnswer *items;
    const char **texts; /* the same, for references */
    uint32_t count;
    bool have_scores;
} Answers;

/* Of a statement the word that is compared. */
static const char *as_word(Loader *loader, const json_t *record, const char *name,
                           const char *text)
{
    if (!text || loader->texts->metric != ANSWER_statement)
        return text;
    if (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0)
        return "true";
    if (strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0)
        return "false";
    loader_fault(loader, record, "\"%s\" is neither true nor false but '%.40s'", name,
                 text);
    return NULL;
}

/* Where the task says what may be answered: one of it, or by a whole number the one in
 * that place, counted from 0. `value` is NULL of what is a key. */
static const char *as_choice(Loader *loader, const json_t *record, const char *name,
                             const json_t *value, const char *text)
{
    const Template *choices = &loader->texts->choices;
    const json_t *list =
        text && choices->source ? record_value(record, choices->fields[0]) : NULL;
    json_int_t at = json_is_integer(value) ? json_integer_value(value) : -1;
    size_t count = json_array_size(list);
    if (!list)
        return text;
    for (size_t i = 0; i < count; i++) {
        const char *choice =
            loader_scalar(loader, record, choices->fields[0], json_array_get(list, i));
        if (!choice || strcmp(choice, text) == 0)
            return choice;
    }
    if (at >= 0 && (size_t)at < count)
        return loader_scalar(loader, record, choices->fields[0],
                             json_array_get(list, (size_t)at));
    loader_fault(loader, record, "\"%s\" is none of \"%s\", but '%.40s'", name,
                 choices->fields[0], text);
    return NULL;
}

static const char *as_answer(Loader *loader, const json_t *record, const char *name,
                             const json_t *value)
{
    const char *text = loader_scalar(loader, record, name, value);
    return as_word(loader, record, name, as_choice(loader, record, name, value, text));
}

/* One answer more: the text with `value` in the place of a field. */
static bool add_answer(Loader *loader, Answers *out, const char **values, uint32_t field,
                       const char *value, double score)
{
    if (!value)
        return false;
    values[field] = value;
    Arena *arena = arena_new();
    const char *said =
        intern(loader->interns, template_fill(&loader->texts->answer, values, arena));
    arena_free(arena);
    out->texts[out->count] = said;
    out->items[out->count++] = (DatasetAnswer){said, (float)score};
    return true;
}

static bool add_scored(Loader *loader, const json_t *record, Answers *out,
                       const char **values, uint32_t field, json_t *label)
{
    const char *name = loader->texts->answer.fields[field], *text;
    json_t *score;
    out->have_scores = true;
    json_object_foreach(label, text, score)
    {
        double value = json_number_value(score);
        if (!json_is_number(score) || !(value >= 0 && value <= 1))
            return loader_fault(loader, record,
                                "the score of answer '%.80s' is not in "
                                "0..1",
                                text);
        if (!text[strspn(text, " \t\n\v\f\r")])
            return loader_fault(loader, record, "an answer is empty");
        const char *word =
            as_word(loader, record, name,
                    as_choice(loader, record, name, NULL, intern(loader->interns, text)));
        if (!add_answer(loader, out, values, field, word, value))
            return false;
    }
    return true;
}

/* The answers that a field with several values makes. */
static bool add_answers(Loader *loader, const json_t *record, Answers *out,
                        const char **values, uint32_t field, const json_t *value)
{
    const char *name = loader->texts->answer.fields[field];
    size_t room = 1 + json_object_size(value) + json_array_size(value), i;
    out->items = ARENA_ARRAY(loader->arena, DatasetAnswer, room);
    out->texts = ARENA_ARRAY(loader->arena, const char *, room);
    if (json_is_object(value))
        return add_scored(loader, record, out, values, field, (json_t *)(uintptr_t)value);
    if (!json_is_array(value))
        return add_answer(loader, out, values, field,
                          as_answer(loader, record, name, value), 1);
    const json_t *item;
    json_array_foreach(value, i, item)
    {
        if (!add_answer(loader, out, values, field, as_answer(loader, record, name, item),
                        1))
            return false;
    }
    return true;
}

/* None if a field is not there where nothing is trained on. */
static bool take_answers(Loader *loader, const json_t *record, Answers *out)
{
    const Template *text = &loader->texts->answer;
    const char **values = ARENA_ARRAY(loader->arena, const char *, text->field_count);
    const json_t *several = NULL;
    uint32_t field = 0;
    for (uint32_t i = 0; i < text->field_count; i++) {
        const json_t *value = record_value(record, text->fields[i]);
        if (!value || json_is_null(value))
            return loader->file->split != SPLIT_train ||
                   loader_missing(loader, record, text, text->fields[i]);
        bool is_several = json_is_object(value) || json_is_array(value);
        if (is_several && several)
            return loader_fault(loader, record,
                                "\"%s\" and \"%s\" are two lists in an "
                                "answer",
                                text->fields[field], text->fields[i]);
        if (i == 0 || is_several)
            field = i;
        if (is_several)
            several = value;
        else if (!(values[i] = as_answer(loader, record, text->fields[i], value)))
            return loader_name_place(loader, text);
    }
    if (!several)
        several = record_value(record, text->fields[field]);
    if (!add_answers(loader, record, out, values, field, several))
        return loader_name_place(loader, text);
    if (out->count == 0 && loader->file->split == SPLIT_train)
        return loader_fault(loader, record, "\"%s\" has no answer", text->fields[field]);
    return true;
}

/* Annotators' answers: a list of texts, or of objects with "answer". */
static bool take_references(Loader *loader, const json_t *record, DatasetExample *example)
{
    const Template *text = &loader->texts->references;
    const json_t *list = record_value(record, text->fields[0]), *item;
    size_t i, count = json_array_size(list);
    if (!list || json_is_null(list))
        return loader->file->split != SPLIT_train
                   ? true
                   : loader_missing(loader, record, text, text->fields[0]);
    if (!json_is_array(list))
        return loader_fault(loader, record, "\"%s\" is no list", text->fields[0]) ||
               loader_name_place(loader, text);
    const char **texts = ARENA_ARRAY(loader->arena, const char *, count);
    json_array_foreach(list, i, item)
    {
        const json_t *answer =
            json_is_object(item) ? json_object_get(item, "answer") : item;
        texts[i] = loader_scalar(loader, record, text->fields[0], answer);
        if (!texts[i])
            return loader_name_place(loader, text);
    }
    example->references = texts;
    example->reference_count = (uint32_t)count;
    return true;
}

/* Fewer than four annotators could never agree wholly with an answer. */
static bool check_references(Loader *loader, const json_t *record,
                             const DatasetExample *example, const Answers *answers)
{
    enum { FEWEST = 4 };
    if (loader->file->split == SPLIT_train || answers->count == 0 ||
        example->reference_count >= FEWEST)
        return true;
    return loader_fault(loader, record,
                        "metric 'vqa_accuracy' compares with what annotators said, %d at "
                        "least; the record has %u",
                        FEWEST, example->reference_count);
}

static bool take_right(Loader *loader, const json_t *record, DatasetExample *example,
                       const Answers *answers)
{
    const TaskTexts *texts = loader->texts;
    bool has_references = texts->references.source;
    example->answers = answers->items;
    example->answer_count = answers->count;
    example->is_told = answers->count > 0;
    if (has_references && !take_references(loader, record, example))
        return false;
    if (!has_references && !answers->have_scores) {
        example->references = answers->texts;
        example->reference_count = answers->count;
    }
    return texts->metric != ANSWER_annotated ||
           check_references(loader, record, example, answers);
}

/* -- the record ---------------------------------------------------------------------- */

bool read_plain(Loader *loader, const json_t *record)
{
    const TaskTexts *texts = loader->texts;
    DatasetExample example = loader_example(loader);
    Answers answers = {0};
    example.is_topk_optimal = true;
    if (!check_line(loader) || !(example.id = take_id(loader, record)) ||
        !loader_fields(loader, record, &texts->prompt, example.fields) ||
        !take_images(loader, record, &example) ||
        (texts->group.source &&
         !(example.group = loader_filled(loader, record, &texts->group))) ||
        !take_answers(loader, record, &answers) ||
        !take_right(loader, record, &example, &answers))
        return false;
    if (texts->metric == ANSWER_caption)
        return loader_add_captions(loader, record, &example, answers.items, answers.texts,
                                   answers.count);
    return loader_add(loader, record, &example);
}
