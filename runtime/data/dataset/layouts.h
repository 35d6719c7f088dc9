/* What is known of each published layout: fields, limits, files, and how records are
 * read. */
#ifndef VLG_RUNTIME_DATA_DATASET_LAYOUTS_H
#define VLG_RUNTIME_DATA_DATASET_LAYOUTS_H

#include <jansson.h>

#include "runtime/data/dataset/dataset.h"

typedef struct Loader Loader; /* runtime/data/dataset/dataset_load.h */

/* How answers are scored: what a task's `metric` names. */
typedef enum AnswerKind {
    ANSWER_annotated, /* annotators' answers */
    ANSWER_label,     /* answers with scores */
    ANSWER_statement, /* true or false */
    ANSWER_choice,    /* one of a0, a1, ... */
    ANSWER_caption,
} AnswerKind;

enum { ANSWER_KIND_COUNT = ANSWER_caption + 1 };

extern const char *const metric_names[ANSWER_KIND_COUNT];

typedef struct LayoutFile {
    Split split;
    const char *path;   /* under the data's directory */
    const char *folder; /* of the features */
    const char *member; /* the records are this member of the whole; NULL: they are it */
    bool is_hidden; /* no answers: for leaderboards, instead of the split's other files */
} LayoutFile;

typedef struct Layout {
    const char *name;
    const char *fields; /* as in records.def; NULL: every member of a record is one */
    /* What is read unless a task says otherwise. {prompt} is what names the task: its
     * fact `prompt` or `prompt` below, or nothing if it names its records. NULL: a task
     * has to say. */
    const char *text, *prompt;
    AnswerKind answers; /* also the form of its leaderboard's file */
    const char *dump;   /* file of answers that its leaderboard takes; NULL: none */
    const char *images; /* what a sequence shows, as a task's `images` or `video` */
    uint32_t choices;   /* that a question has */
    bool is_video;
    int64_t input_limit; /* most tokens; 0: any number */
    int64_t target_limit;
    const LayoutFile *files; /* the last has no path */
    /* One record's examples into the loader; false after loader_fault. */
    bool (*read)(Loader *loader, const json_t *record);
} Layout;

extern const Layout layouts[];
extern const uint32_t layout_count;

/* The published one by which a task is called; NULL and an error with the nearest there
 * is. */
const Layout *layout_find(const char *task, Loc loc, Diags *diags);
/* The one that a task names as its records. */
const Layout *layout_of_records(const char *records, Loc loc, Diags *diags);

/* What a field is called in the layout's files, as a span of *out_len bytes. */
const char *layout_member(const Layout *layout, const char *field, size_t *out_len);

/* Under `folder`, unless a task says otherwise. */
extern const char image_features[], video_features[];

bool read_vqa(Loader *loader, const json_t *record);
bool read_gqa(Loader *loader, const json_t *record);
bool read_nlvr(Loader *loader, const json_t *record);
bool read_caption(Loader *loader, const json_t *record);
bool read_video_choice(Loader *loader, const json_t *record);
bool read_tvc(Loader *loader, const json_t *record);
bool read_yc2c(Loader *loader, const json_t *record);
bool read_plain(Loader *loader, const json_t *record);

#endif
