/* Files of examples into memory. */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_LOAD_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_LOAD_H

#include "ir/base/intern.h"
#include "ir/base/strings.h"
#include "runtime/data/dataset/task_texts.h"
#include "runtime/data/text/json_stream.h"
#include "runtime/data/text/lists.h"
#include "runtime/batch/skips.h"
#include "runtime/data/dataset/subtitles.h"

/* The examples of a split of a task, in the order of its files. */
typedef struct ExampleList {
    DatasetExample *items;
    int64_t count;
    size_t capacity;
    bool is_loaded;
} ExampleList;

/* What is being read: the data set's for good, the file's and record's for now. */
struct Loader {
    const char *directory;
    Arena *arena;     /* of all that examples point at */
    Interns *interns; /* of what many examples have in common */
    Skips *skips;
    Diags *diags;
    const TaskTexts *texts;
    const LayoutFile *file;
    ExampleList *out;
    JsonStream *stream;   /* NULL: the record is in no file */
    Loc asked;            /* where it is from then */
    Subtitles *subtitles; /* of the file's videos */
    bool needs_scores;    /* what no answer has a score for would be learned as silence */
    bool has_no_features; /* the model takes none */
    bool names_pictures;  /* and not features: for an encoder */
    bool reads_all;       /* also the files after one that cannot be read */
    int64_t untold;       /* examples of the file without an answer */
    int64_t empty;        /* answers of the file that say nothing, and are not learned */
    int64_t blank;        /* empty lines of the file so far */
    Strings *ids;         /* of plain records of the split */
    uint32_t *id_lines;   /* of each of them, the line of its record */
    size_t id_capacity;
};

/* Loads the split into `out` unless it is there. False after an error; nothing to train
 * on is one, nothing to evaluate a warning. */
NODISCARD bool loader_load(Loader *loader, Split split, bool leaderboard,
                           ExampleList *out);

/* -- for the readers of records ------------------------------------------------------ */

/* Says what is wrong with the record at hand. Returns false. */
bool loader_fault(Loader *loader, const json_t *record, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The member by which `key` may have been meant: no known one, but near; or NULL. */
const char *record_misspelt(const json_t *record, const char *key);
/* A member that must be there; NULL and a fault if it is not, which names what it may
 * have been misspelt as. */
const json_t *loader_member(Loader *loader, const json_t *record, const char *key);
/* One that may be missing: then *out is NULL. False and a fault if it is there
 * misspelt. */
NODISCARD bool loader_optional(Loader *loader, const json_t *record, const char *key,
                               const json_t **out);
/* What is to be learned: must be there in a training split, may be missing elsewhere. */
NODISCARD bool loader_answer(Loader *loader, const json_t *record, const char *key,
                             const json_t **out);
/* A member that is text; NULL and a fault if it is missing, none, or blank. */
const char *loader_text(Loader *loader, const json_t *record, const char *key);
/* What an example is called: text, or a whole number, which is printed. */
const char *loader_name(Loader *loader, const json_t *record, const char *key);
/* What an example is counted with: text, shared by all equal ones, or NULL. */
NODISCARD bool loader_group(Loader *loader, const json_t *record, const char *key,
                            const char **out);
/* As loader_text, shared by all equal ones, and fit for the name of a file and an HDF5
 * group. */
const char *loader_file_name(Loader *loader, const json_t *record, const char *key);
/* Without the blanks around it. */
const char *loader_stripped(Loader *loader, const char *text);
/* Whether there is something to be learned. */
bool loader_has_score(const DatasetExample *example);
/* An example without anything yet but where its features are. */
DatasetExample loader_example(Loader *loader);
/* What a field of it says, if the task's prompt reads it. */
void loader_field(const Loader *loader, DatasetExample *example, const char *field,
                  const char *value);
/* What is said where a record answers `text`: as the task's answer has it. */
const char *loader_said(Loader *loader, const char *text);
/* The example's only answer. */
void loader_answer_is(Loader *loader, DatasetExample *example, const char *text);
/* False and a fault if the prompt reads what the record does not have. */
NODISCARD bool loader_add(Loader *loader, const json_t *record,
                          const DatasetExample *example);
/* An example of the record for each of its captions in a training split, else one with
 * all. */
NODISCARD bool loader_add_captions(Loader *loader, const json_t *record,
                                   DatasetExample *example, const DatasetAnswer *answers,
                                   const char **texts, uint32_t count);
/* Without the ending of a picture or film: features are called as what they are of. */
const char *loader_without_ending(Loader *loader, const char *name);
/* Of a choice: without points and blanks around it. */
const char *loader_choice(Loader *loader, const char *text);
/* A time: a string as it is, or a list of two numbers as Python prints it; NULL and a
 * fault. `key` is what it is called. */
const char *loader_moment(Loader *loader, const json_t *record, const char *key,
                          const json_t *value);
/* A number as Python prints it: the fewest digits that read back as the same. */
const char *loader_number(Loader *loader, const json_t *value);
/* The name, shared by all equal ones, if it can be that of a file. */
const char *loader_checked_name(Loader *loader, const json_t *record, const char *what,
                                const char *name);

/* -- members as the fields of texts: dataset_members.c ------------------------------- */

/* A member by that name, or else by the part of it before a point and the rest of it. */
const json_t *record_value(const json_t *holder, const char *name);
/* Text, a number or true or false, as text; NULL and a fault if it is none. */
const char *loader_scalar(Loader *loader, const json_t *record, const char *name,
                          const json_t *value);
/* The same, and of a list all of it, with commas between. */
const char *loader_as_text(Loader *loader, const json_t *record, const char *name,
                           const json_t *value);
/* The values of a text's fields; false and a fault if one is not there. */
NODISCARD bool loader_fields(Loader *loader, const json_t *record, const Template *text,
                             const char **out);
/* The text over a record; NULL and a fault. */
const char *loader_filled(Loader *loader, const json_t *record, const Template *text);
/* A fault: what the text reads is not there. Returns false. */
bool loader_missing(Loader *loader, const json_t *record, const Template *text,
                    const char *name);
/* Where the text that asks for what is wrong here was written. Returns false. */
bool loader_name_place(Loader *loader, const Template *text);

/* The path of a file under the data's directory, from the arena. */
const char *loader_path(const Loader *loader, const char *path);

/* Where the subtitles of a file's videos are, under the data's directory; NULL if the
 * task reads none. */
const char *subtitles_name(const TaskTexts *texts, const LayoutFile *file, Arena *arena);

enum { ANNOTATION_FILES = 2 };
extern const char *const annotation_files[ANNOTATION_FILES]; /* of vqa */

/* The annotators' answers to the questions of a loaded split of vqa. */
NODISCARD bool loader_add_annotations(Loader *loader, ExampleList *list);

#endif
