/* Goes through the files of a split, record by record; each task's reader makes examples
 * of them. */
#include "runtime/data/dataset/dataset_load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/strings.h"

/* -- files ------------------------------------------------------------------------- */

const char *loader_path(const Loader *loader, const char *path)
{
    return arena_format(loader->arena, "%s/%s", loader->directory, path);
}

static const char *file_path(const Loader *loader, const char *path)
{
    return loader_path(loader, task_texts_path(loader->texts, path, loader->arena));
}

static bool read_records(Loader *loader, bool (*read)(Loader *, const json_t *))
{
    json_t *record;
    JsonStep step;
    for (;;) {
        step = json_stream_next(loader->stream, &record,
                                skips_diags(loader->skips, loader->diags));
        if (step > JSON_STEP_bad)
            return step == JSON_STEP_end;
        bool ok = record && read(loader, record);
        json_decref(record);
        if (ok)
            continue;
        skips_count(loader->skips);
        if (!skips_allowed(loader->skips))
            return false;
    }
}

static bool read_file(Loader *loader, const char *path, const char *member,
                      bool (*read)(Loader *, const json_t *))
{
    loader->stream = json_stream_open(path, member, loader->diags);
    bool ok = loader->stream && read_records(loader, read);
    json_stream_close(loader->stream);
    loader->stream = NULL;
    return ok;
}

/* The subtitles of all videos of a folder are in one file, named after the folder. */
const char *subtitles_name(const TaskTexts *texts, const LayoutFile *file, Arena *arena)
{
    const char *slash = strrchr(file->folder, '/');
    if (!texts->layout->is_video ||
        template_field(&texts->prompt, "subtitles") == UINT32_MAX)
        return NULL;
    return task_texts_path(texts,
                           arena_format(arena, "video/ann/%s_subtitles.jsonl",
                                        slash ? slash + 1 : file->folder),
                           arena);
}

static bool open_subtitles(Loader *loader)
{
    const char *name = subtitles_name(loader->texts, loader->file, loader->arena);
    if (!name)
        return true;
    const char *path = loader_path(loader, name);
    if (loader->subtitles && strcmp(subtitles_path(loader->subtitles), path) == 0)
        return true;
    subtitles_free(loader->subtitles);
    loader->subtitles = subtitles_read(path, loader->arena, loader->skips, loader->diags);
    return loader->subtitles;
}

/* Without answers there is nothing to score; with some of them, less than it seems. */
static void warn_untold(const Loader *loader, const char *path, int64_t before)
{
    int64_t count = loader->out->count - before;
    if (loader->untold > 0 && loader->untold < count)
        diag_warning(loader->diags, (Loc){.file = path},
                     "%" PRId64 " of %" PRId64
                     " examples of task '%s' have no answer and are not scored",
                     loader->untold, count, loader->texts->task->name);
    if (loader->empty > 0)
        diag_warning(loader->diags, (Loc){.file = path},
                     "%" PRId64 " empty answers of task '%s' are left out", loader->empty,
                     loader->texts->task->name);
}

static bool load_file(Loader *loader)
{
    const char *path = file_path(loader, loader->file->path);
    int64_t before = loader->out->count;
    loader->untold = loader->empty = loader->blank = 0;
    if (!open_subtitles(loader) ||
        !read_file(loader, path, loader->file->member, loader->texts->layout->read))
        return false;
    warn_untold(loader, path, before);
    return true;
}

/* Files of the task's split into loader->out; how many, and the last one's path. False
 * after an error. */
static bool load_files(Loader *loader, Split split, bool is_hidden, int *out_count,
                       const char **out_path)
{
    bool ok = true;
    *out_count = 0;
    for (const LayoutFile *file = loader->texts->layout->files; file->path; file++) {
        if (file->split != split || file->is_hidden != is_hidden)
            continue;
        loader->file = file;
        *out_path = file_path(loader, file->path);
        (*out_count)++;
        ok = load_file(loader) && ok;
        if (!ok && !loader->reads_all)
            break;
    }
    return ok;
}

/* Nothing to learn from ends a run, nothing to score leaves out a task. */
static bool check_count(const Loader *loader, Split split, const char *path)
{
    const Loc loc = {.file = path};
    if (loader->out->count > 0)
        return true;
    if (split == SPLIT_train)
        diag_error(loader->diags, loc, "has no example for task '%s'",
                   loader->texts->task->name);
    else
        diag_warning(loader->diags, loc, "has no example for task '%s'",
                     loader->texts->task->name);
    return split != SPLIT_train;
}

/* Questions of vqa that no answer has a score for weigh nothing. Of the published ones
 * these are some per cent; if there are many, something is wrong with the file. */
static bool check_scores(const Loader *loader, const char *path)
{
    enum { USUAL_PERCENT = 20 };
    const ExampleList *list = loader->out;
    int64_t without = 0;
    for (int64_t i = 0; i < list->count; i++)
        without += !loader_has_score(&list->items[i]);
    if (without == list->count)
        diag_error(loader->diags, (Loc){.file = path},
                   "none of %" PRId64 " examples of task '%s' has an answer with a score",
                   list->count, loader->texts->task->name);
    else if (without * 100 > list->count * USUAL_PERCENT)
        diag_warning(loader->diags, (Loc){.file = path},
                     "%" PRId64 " of %" PRId64
                     " examples of task '%s' have no answer with a score: nothing is "
                     "learned from them",
                     without, list->count, loader->texts->task->name);
    return without < list->count;
}

bool loader_load(Loader *loader, Split split, bool leaderboard, ExampleList *out)
{
    bool is_hidden = leaderboard && split == SPLIT_test;
    const char *path = NULL;
    int files;
    if (out->is_loaded)
        return true;
    loader->out = out;
    loader->ids = strings_new();
    bool ok = load_files(loader, split, is_hidden, &files, &path);
    strings_free(loader->ids);
    if (!ok)
        return false;
    if (files == 0 && leaderboard)
        return loader_load(loader, split, false, out);
    if (!check_count(loader, split, path) ||
        (split == SPLIT_train && !check_scores(loader, path)))
        return false;
    out->is_loaded = true;
    return split == SPLIT_train || !task_texts_annotated(loader->texts) ||
           loader_add_annotations(loader, out);
}

const char *const annotation_files[ANNOTATION_FILES] = {
    "vqa/v2_mscoco_train2014_annotations.json", "vqa/v2_mscoco_val2014_annotations.json"};

/* -- annotators' answers ------------------------------------------------------------- */

typedef struct Annotations {
    Loader loader;
    Strings *questions; /* numbered as the examples are */
    ExampleList *list;
} Annotations;

static bool read_annotation(Loader *loader, const json_t *record)
{
    Annotations *annotations = (Annotations *)(void *)loader; /* its first member */
    const json_t *id = loader_member(loader, record, "question_id"), *answer;
    const json_t *answers = id ? loader_member(loader, record, "answers") : NULL;
    char name[32];
    if (!answers)
        return false;
    if (!json_is_integer(id) || !json_is_array(answers))
        return loader_fault(loader, record,
                            "\"question_id\" is no whole number, or \"answers\" is no "
                            "array");
    snprintf(name, sizeof name, "%lld", (long long)json_integer_value(id));
    uint32_t number = strings_find(annotations->questions, name, strlen(name));
    if (number == STRING_ABSENT)
        return true; /* of another split */
    size_t i;
    const char **texts =
        ARENA_ARRAY(loader->arena, const char *, json_array_size(answers));
    json_array_foreach(answers, i, answer)
    {
        const char *text = json_string_value(json_object_get(answer, "answer"));
        if (!text)
            return loader_fault(loader, record, "has an answer without \"answer\"");
        texts[i] = loader_said(loader, intern(loader->interns, text));
    }
    DatasetExample *example = &annotations->list->items[number];
    example->references = texts;
    example->reference_count = (uint32_t)json_array_size(answers);
    return true;
}

/* A question without answers would be scored as if all answers were wrong. */
static bool check_annotations(const Loader *loader, ExampleList *list)
{
    int64_t kept = 0;
    Diags *diags = skips_diags(loader->skips, loader->diags);
    for (int64_t i = 0; i < list->count; i++) {
        if (list->items[i].reference_count > 0) {
            list->items[kept++] = list->items[i];
            continue;
        }
        if (skips_allowed(loader->skips) || i == kept)
            diag_error(diags, (Loc){.file = file_path(loader, loader->file->path)},
                       "question %s has no annotators' answers in "
                       "vqa/v2_mscoco_*2014_annotations.json",
                       list->items[i].id);
        skips_count(loader->skips);
    }
    bool ok = kept == list->count || skips_allowed(loader->skips);
    list->count = kept;
    return ok;
}

bool loader_add_annotations(Loader *loader, ExampleList *list)
{
    Annotations annotations = {*loader, strings_new(), list};
    bool ok = true;
    for (int64_t i = 0; ok && i < list->count; i++) {
        const char *id = list->items[i].id;
        uint32_t number = strings_add(annotations.questions, id, strlen(id));
        ok = number == (uint32_t)i;
        if (!ok)
            diag_error(loader->diags, (Loc){0}, "two questions have the question_id %s",
                       id);
    }
    for (int f = 0; ok && f < ANNOTATION_FILES; f++)
        ok = read_file(&annotations.loader, file_path(loader, annotation_files[f]),
                       "annotations", read_annotation);
    strings_free(annotations.questions);
    return ok && check_annotations(loader, list);
}
