/* Files of examples into memory. */
#ifndef VLG_RUNTIME_DATA_DATASET_LOAD_H
#define VLG_RUNTIME_DATA_DATASET_LOAD_H

#include "ir/base/intern.h"
#include "runtime/data/dataset_tasks.h"
#include "runtime/data/json_stream.h"
#include "runtime/data/lists.h"
#include "runtime/data/skips.h"
#include "runtime/data/subtitles.h"

/* The examples of a split of a task, in the order of its files. */
typedef struct ExampleList {
    DatasetExample *items;
    int64_t count, room;
    bool is_loaded;
} ExampleList;

/* What is being read: the data set's for good, the file's and record's for now. */
struct Loader {
    const char *directory;
    Arena *arena;     /* of all that examples point at */
    Interns *interns; /* of what many examples have in common */
    Skips *skips;
    Diags *diags;
    const TaskKind *kind;
    const TaskFile *file;
    ExampleList *out;
    JsonStream *stream;
    Subtitles *subtitles; /* of the file's videos */
};

/* Loads the split into `out` unless it is there. False after an error; an empty split is
 * one. */
NODISCARD bool loader_load(Loader *loader, Split split, bool leaderboard,
                           ExampleList *out);

/* -- for the readers of records ------------------------------------------------------ */

/* Says what is wrong with the record at hand. Returns false. */
bool loader_fault(Loader *loader, const json_t *record, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A member as text, numbers printed; NULL and a fault if it is missing or neither. */
const char *loader_text(Loader *loader, const json_t *record, const char *key);
/* The same, shared by all equal ones, and fit for the name of a file and an HDF5
 * group. */
const char *loader_file_name(Loader *loader, const json_t *record, const char *key);
/* Without the blanks around it. */
const char *loader_stripped(Loader *loader, const char *text);
void loader_add(Loader *loader, const DatasetExample *example);
/* The path of a file under the data's directory, from the arena. */
const char *loader_path(const Loader *loader, const char *path);

/* The annotators' answers to the questions of a loaded split of vqa. */
NODISCARD bool loader_add_annotations(Loader *loader, ExampleList *list);

#endif
