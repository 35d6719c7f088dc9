/* What is known of each published layout: prompt, limits, files, and how records are read. */
#ifndef VLG_RUNTIME_DATA_DATASET_LAYOUTS_H
#define VLG_RUNTIME_DATA_DATASET_LAYOUTS_H

#include <jansson.h>

#include "runtime/data/dataset/dataset.h"

typedef struct Loader Loader; /* runtime/data/dataset/dataset_load.h */

/* How answers are scored, and written for a leaderboard. */
typedef enum AnswerKind {
    ANSWER_annotated, /* ten annotators' answers */
    ANSWER_label,     /* answers with scores */
    ANSWER_statement, /* true or false */
    ANSWER_choice,    /* one of a0, a1, ... */
    ANSWER_caption,
} AnswerKind;

typedef struct Layout {
    const char *name, *prompt;
    AnswerKind answers;
    const char *dump;    /* file of answers that its leaderboard takes; NULL: none */
    uint32_t images;     /* a sequence shows so many */
    bool is_video;       /* then the prompt stands at the end */
    int64_t input_limit; /* most tokens; 0: any number */
    int64_t target_limit;
    /* One record's examples into the loader; false after loader_fault. */
    bool (*read)(Loader *loader, const json_t *record);
} Layout;

typedef struct LayoutFile {
    const char *layout;
    Split split;
    const char *path;   /* under the data's directory */
    const char *folder; /* of the features */
    bool is_hidden; /* no answers: for leaderboards, instead of the split's other files */
} LayoutFile;

extern const Layout layouts[];
extern const uint32_t layout_count;
extern const LayoutFile layout_files[];
extern const uint32_t layout_file_count;

/* NULL and an error with the nearest there is. */
const Layout *layout_find(const char *task, Loc loc, Diags *diags);

/* Under `folder`, unless a task says otherwise. */
extern const char image_features[], video_features[];

bool read_vqa(Loader *loader, const json_t *record);
bool read_gqa(Loader *loader, const json_t *record);
bool read_nlvr(Loader *loader, const json_t *record);
bool read_caption(Loader *loader, const json_t *record);
bool read_tvqa(Loader *loader, const json_t *record);
bool read_how2qa(Loader *loader, const json_t *record);
bool read_tvc(Loader *loader, const json_t *record);
bool read_yc2c(Loader *loader, const json_t *record);

#endif
