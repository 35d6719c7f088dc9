/* Data sets: texts, targets and features of the records that a plan's tasks name, in one
 * of the published layouts or as plain records. docs/data.md shows the files.
 *
 *     dataset.c           the source: which examples when, and what is read of them
 *     dataset_batch.c     examples laid end to end in the fields that graphs ask for
 *     dataset_load.c      files of examples into memory
 *     layouts.c           the published layouts: fields, files and limits
 *     dataset_images.c    what their records say, layout by layout
 *     dataset_videos.c    the same for videos, with subtitles
 *     dataset_plain.c     records whose members are their fields
 *     task_texts.c        what a plan's task says: texts over fields, folder, metric
 *     template.c          a text over fields
 *     dataset_pictures.c  pictures that examples name, and where their features are */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_H

#include "runtime/batch/batch.h"
#include "runtime/data/tokenizer/tokenizer.h"

/* What turns pictures to features, told from others. */
typedef struct DatasetEncoder {
    const char *name;
    uint64_t fingerprint;
    const char *cache; /* directory of features; NULL: they are beside the data */
} DatasetEncoder;

typedef struct DatasetOptions {
    const char *directory;
    const char *tokenizer; /* as tokenizer_open; NULL: DIRECTORY/spiece.model */
    bool skip_bad;         /* leave out, and count, what cannot be read */
    bool has_no_training;  /* nothing will be trained: do not read what that needs */
    bool has_questions;    /* only questions from outside: dataset_question.h */
    bool leaderboard;      /* the test split is the one without answers */
    /* Of the pictures that plain records name: their features are where
     * dataset_pictures.h says. NULL: features are where they are published. */
    const DatasetEncoder *encoder;
    /* Where all mistakes are told, each of which costs its record or task only: nothing
     * is trained then. NULL: the first one ends the reading, or skip_bad counts them. */
    Diags *findings;
} DatasetOptions;

/* NULL and an error if files, options and the module's tasks do not fit together.
 * `module` must outlive the source. */
DataSource *dataset_open(const DatasetOptions *options, const Module *module,
                         Diags *diags);

/* -- for metrics and dumps --------------------------------------------------------- */

typedef struct DatasetAnswer {
    const char *text;
    float score; /* 0..1: how right it is */
} DatasetAnswer;

enum { EXAMPLE_IMAGES_MAX = 2 };

typedef struct DatasetExample {
    const char *id; /* question_id, identifier, img_id, qid or clip_id */
    /* what scores are broken down by: show_name, answer_type, or NULL */
    const char *group;
    const char **fields; /* what the task's prompt reads, in its order */
    /* names of feature files, without extension; or of pictures, where there is an
     * encoder */
    const char *images[EXAMPLE_IMAGES_MAX];
    const char *folder;           /* where they are, under the data's directory */
    const DatasetAnswer *answers; /* what may be said; none if the file does not tell */
    uint32_t answer_count;
    bool is_told; /* the file says what may be said, and be it nothing */
    /* vqa: ten annotators' answers; captions: all of them */
    const char *const *references;
    uint32_t reference_count;
    const char *moment;   /* tvc: ts as it stands in the file; or NULL */
    bool is_topk_optimal; /* vqa */
} DatasetExample;

/* Of a batch made by a source of dataset_open. */
const DatasetExample *dataset_example(const Batch *batch, int64_t sequence);
const char *dataset_directory(const DataSource *source);
const Tokenizer *dataset_tokenizer(const DataSource *source);

#endif
