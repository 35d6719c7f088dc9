/* Files of right answers, record by record. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/data/dataset/dataset_load.h"
#include "runtime/data/score_references_parts.h"

static bool fault(const References *references, const char *format, ...)
    PRINTF_LIKE(2, 3);

static bool fault(const References *references, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char text[256];
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    diag_error(references->diags, json_stream_loc(references->stream),
               "record %" PRId64 " %s", json_stream_number(references->stream), text);
    return false;
}

/* -- members of records -------------------------------------------------------------- */

/* Text, or a whole number, which is printed; NULL and a fault if it is neither. */
static const char *take_name(References *references, const json_t *record,
                             const char *key)
{
    const json_t *name = json_object_get(record, key);
    if (json_is_integer(name))
        return arena_format(references->arena, "%lld",
                            (long long)json_integer_value(name));
    if (!json_is_string(name) || !json_string_length(name))
        fault(references, "should have \"%s\", text or a number", key);
    return json_is_string(name) && json_string_length(name) ? json_string_value(name)
                                                            : NULL;
}

static bool take_label(References *references, json_t *label, DatasetExample *example)
{
    const char *text;
    json_t *score;
    DatasetAnswer *answers =
        ARENA_ARRAY(references->arena, DatasetAnswer, json_object_size(label) + 1);
    json_object_foreach(label, text, score)
    {
        double value = json_number_value(score);
        if (!json_is_number(score) || !(value >= 0 && value <= 1))
            return fault(references, "the score of answer '%.80s' is not in 0..1", text);
        answers[example->answer_count++] = (DatasetAnswer){
            arena_string(references->arena, text, strlen(text)), (float)value};
    }
    example->answers = answers;
    example->is_told = true;
    return true;
}

static bool take_answers(References *references, const json_t *answers, Reference *entry)
{
    size_t i;
    json_t *answer;
    json_array_foreach((json_t *)(uintptr_t)answers, i, answer)
    {
        const char *text = json_string_value(json_object_get(answer, "answer"));
        if (!text)
            return fault(references, "has an answer without \"answer\"");
        reference_add_answer(references, entry, text);
    }
    return true;
}

/* A question with "label", scores of answers, or "answers", the annotators'. */
static bool read_question(References *references, const json_t *record)
{
    const char *name = take_name(references, record, "question_id");
    json_t *label = json_object_get(record, "label");
    const json_t *answers = json_object_get(record, "answers");
    if (!name)
        return false;
    if (references->only_known && references_find(references, name) == UINT32_MAX)
        return true;
    if (!json_is_object(label) && !json_is_array(answers))
        return fault(references, "should have \"label\" or \"answers\"");
    Reference *entry = references_only(references, references_take(references, name));
    if ((label && entry->example.is_told) ||
        (answers && entry->example.reference_count > 0))
        return fault(references, "has question_id %s, as an earlier one", name);
    if (json_is_false(json_object_get(record, "is_topk_optimal")))
        entry->example.is_topk_optimal = false;
    return (!label || take_label(references, label, &entry->example)) &&
           (!answers || take_answers(references, answers, entry));
}

/* A subject that no record before had, or UINT32_MAX and a fault. */
static uint32_t new_subject(References *references, const char *name)
{
    if (!name || references_find(references, name) == UINT32_MAX)
        return name ? references_take(references, name) : UINT32_MAX;
    fault(references, "is of '%.80s', as an earlier one", name);
    return UINT32_MAX;
}

static bool read_statement(References *references, const json_t *record)
{
    static const DatasetAnswer answers[] = {{"false", 1}, {"true", 1}};
    const json_t *label = json_object_get(record, "label");
    json_int_t value = json_integer_value(label);
    uint32_t subject =
        new_subject(references, take_name(references, record, "identifier"));
    if (subject == UINT32_MAX)
        return false;
    if (!json_is_integer(label) || value < 0 || value > 1)
        return fault(references, "should have \"label\", 0 or 1");
    references_add(references, subject,
                   &(DatasetExample){
                       .answers = &answers[value], .answer_count = 1, .is_told = true});
    return true;
}

static bool read_choice(References *references, const json_t *record)
{
    static const DatasetAnswer answers[] = {
        {"a0", 1}, {"a1", 1}, {"a2", 1}, {"a3", 1}, {"a4", 1}};
    const json_t *index = json_object_get(record, "answer_idx");
    const char *show = json_string_value(json_object_get(record, "show_name"));
    const char *text = json_string_value(index);
    json_int_t value = json_is_integer(index)        ? json_integer_value(index)
                       : text && text[0] && !text[1] ? text[0] - '0'
                                                     : -1;
    uint32_t subject = new_subject(references, take_name(references, record, "qid"));
    if (subject == UINT32_MAX)
        return false;
    if (value < 0 || value > 4)
        return fault(references, "should have \"answer_idx\", 0 to 4");
    if (show)
        show = arena_string(references->arena, show, strlen(show));
    references_add(references, subject,
                   &(DatasetExample){.answers = &answers[value],
                                     .answer_count = 1,
                                     .group = show,
                                     .is_told = true});
    return true;
}

/* A clip is an example for each of its descriptions, as when it is evaluated. */
static bool read_clip(References *references, const json_t *record)
{
    const json_t *list = json_object_get(record, "descs");
    uint32_t subject = new_subject(references, take_name(references, record, "clip_id"));
    if (subject == UINT32_MAX)
        return false;
    if (!json_is_array(list) || !json_array_size(list))
        return fault(references, "should have \"descs\", a list of descriptions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *desc = json_object_get(json_array_get(list, i), "desc");
        if (!json_is_string(desc))
            return fault(references, "has a description without \"desc\"");
        Reference *entry =
            references_add(references, subject, &(DatasetExample){.is_told = true});
        reference_add_answer(references, entry, json_string_value(desc));
    }
    return true;
}

static bool is_of_split(const References *references, const char *name)
{
    static const char *const names[SPLIT_COUNT] = {"train", "val", "test"};
    return strcmp(name, names[references->split]) == 0 ||
           (references->split == SPLIT_train && strcmp(name, "restval") == 0);
}

/* An image of the Karpathy splits: called what its file is, with or without extension, or
 * COCO's number. */
static bool read_image(References *references, const json_t *record)
{
    const char *split = json_string_value(json_object_get(record, "split"));
    const char *file = take_name(references, record, "filename");
    const json_t *list = json_object_get(record, "sentences");
    if (!file)
        return false;
    if (!split || !json_is_array(list))
        return fault(references, "should have \"split\" and \"sentences\"");
    if (!is_of_split(references, split))
        return true;
    const char *dot = strrchr(file, '.');
    size_t len = dot && dot > file ? (size_t)(dot - file) : strlen(file);
    uint32_t subject =
        new_subject(references, arena_string(references->arena, file, len));
    if (subject == UINT32_MAX)
        return false;
    references_name_also(references, file, subject);
    const json_t *number = json_object_get(record, "cocoid");
    if (json_is_integer(number))
        references_name_also(references,
                             arena_format(references->arena, "%lld",
                                          (long long)json_integer_value(number)),
                             subject);
    Reference *entry = references_only(references, subject);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *raw = json_object_get(json_array_get(list, i), "raw");
        if (!json_is_string(raw))
            return fault(references, "has a sentence without \"raw\"");
        reference_add_answer(references, entry, json_string_value(raw));
    }
    return true;
}

/* A caption of COCO's own annotations. */
static bool read_caption_annotation(References *references, const json_t *record)
{
    const char *name = take_name(references, record, "image_id");
    const json_t *caption = json_object_get(record, "caption");
    if (!name)
        return false;
    if (!json_is_string(caption))
        return fault(references, "should have \"caption\"");
    reference_add_answer(references,
                         references_only(references, references_take(references, name)),
                         json_string_value(caption));
    return true;
}

/* -- files --------------------------------------------------------------------------- */

typedef bool ReadRecord(References *references, const json_t *record);

static bool read_file(References *references, const char *path, const char *member,
                      ReadRecord *read)
{
    path = arena_string(references->arena, path, strlen(path)); /* places name it */
    references->stream = json_stream_open(path, member, references->diags);
    JsonStep step = JSON_STEP_broken;
    json_t *record;
    bool ok = references->stream;
    while (ok) {
        step = json_stream_next(references->stream, &record, references->diags);
        if (step != JSON_STEP_record)
            break;
        ok = read(references, record);
        json_decref(record);
    }
    json_stream_close(references->stream);
    references->stream = NULL;
    return ok && step == JSON_STEP_end;
}

/* Whether the file has "annotations" in it, as VQA's and COCO's own files do. */
static bool has_annotations(const char *path, Diags *diags, bool *out)
{
    static const char key[] = "\"annotations\"";
    char block[1 << 16];
    size_t kept = 0, got;
    FILE *file = file_open_stream(path, diags);
    *out = false;
    if (!file)
        return false;
    while (!*out && (got = fread(block + kept, 1, sizeof block - kept, file)) > 0) {
        size_t count = kept + got;
        *out = memmem(block, count, key, sizeof key - 1) != NULL;
        kept = count < sizeof key ? count : sizeof key;
        memmove(block, block + count - kept, kept);
    }
    bool failed = ferror(file);
    (void)fclose(file);
    if (failed)
        diag_error(diags, (Loc){.file = path}, "cannot be read");
    return !failed;
}

static bool read_one(References *references, const char *path)
{
    bool has = false;
    switch (references->layout->answers) {
    case ANSWER_annotated:
        return has_annotations(path, references->diags, &has) &&
               read_file(references, path, has ? "annotations" : NULL, read_question);
    case ANSWER_label:
        return read_file(references, path, NULL, read_question);
    case ANSWER_statement:
        return read_file(references, path, NULL, read_statement);
    case ANSWER_choice:
        return read_file(references, path, NULL, read_choice);
    case ANSWER_caption:
        if (references->layout->is_video)
            return read_file(references, path, NULL, read_clip);
        if (!has_annotations(path, references->diags, &has))
            return false;
        return has ? read_file(references, path, "annotations", read_caption_annotation)
                   : read_file(references, path, "images", read_image);
    }
    return false;
}

/* The split's files of the published layout. */
static bool read_directory(References *references, const char *directory)
{
    const Layout *layout = references->layout;
    bool ok = true;
    for (const LayoutFile *file = layout->files; ok && file->path; file++) {
        if (file->split != references->split || file->is_hidden)
            continue;
        ok = read_one(references,
                      arena_format(references->arena, "%s/%s", directory, file->path));
    }
    references->only_known = true;
    bool is_annotated = layout->answers == ANSWER_annotated;
    for (int i = 0; ok && is_annotated && i < ANNOTATION_FILES; i++)
        ok = read_file(
            references,
            arena_format(references->arena, "%s/%s", directory, annotation_files[i]),
            "annotations", read_question);
    return ok;
}

/* A question without answers would be scored as if all answers were wrong. */
static bool check_annotated(const References *references, const char *path)
{
    for (uint32_t i = 0; i < references->entry_count; i++) {
        const Reference *entry = &references->entries[i];
        if (!references->only_known || references->layout->answers != ANSWER_annotated ||
            entry->example.reference_count > 0)
            continue;
        diag_error(references->diags, (Loc){.file = path},
                   "question %s has no annotators' answers in "
                   "vqa/v2_mscoco_*2014_annotations.json",
                   entry->example.id);
        return false;
    }
    return true;
}

References *references_read(const Layout *layout, const char *path, Split split,
                            Diags *diags)
{
    struct stat facts;
    References *references = heap_alloc(sizeof *references);
    *references = (References){.arena = arena_new(),
                               .layout = layout,
                               .split = split,
                               .names = strings_new(),
                               .diags = diags};
    bool is_directory = stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
    bool ok =
        is_directory ? read_directory(references, path) : read_one(references, path);
    ok = ok && check_annotated(references, path);
    if (ok && !references->subject_count) {
        diag_error(diags, (Loc){.file = path}, "has no answers to task '%s'",
                   layout->name);
        ok = false;
    }
    if (ok)
        return references;
    references_free(references);
    return NULL;
}
