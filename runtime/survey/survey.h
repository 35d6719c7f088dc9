/* A survey of data sets before anything is trained: what there is of every task and
 * split, and all that is wrong with it.
 *
 *     findings.c        mistakes, each kind counted
 *     survey.c          task by task, split by split
 *     survey_texts.c    lengths against limits, and words that the tokenizer lacks
 *     survey_answers.c  how answers are distributed, and what the most frequent scores
 *     survey_repeats.c  examples that are there twice, or in two splits
 *     survey_shown.c    pictures: which are there, and whether they can be read
 *     survey_print.c, survey_json.c, survey_page.c   the same for people and programs
 *
 * Examples are read as a training reads them, by the same code. Memory grows with the
 * examples as that of a training does, and by some bytes for each. */
#ifndef VLG_RUNTIME_SURVEY_SURVEY_H
#define VLG_RUNTIME_SURVEY_SURVEY_H

#include "ir/base/interrupt.h"
#include "runtime/data/dataset/dataset_task.h"
#include "runtime/encode/encode_data.h"
#include "runtime/page/page.h"
#include "runtime/survey/findings.h"

/* How many files of pictures are read; all are looked for. */
typedef enum SurveyReading { SURVEY_sample, SURVEY_all, SURVEY_none } SurveyReading;
extern const char *const survey_readings[]; /* NULL at the end */
/* So many of a split lie evenly over it in a sample. */
enum { SURVEY_SAMPLE = 256 };

typedef struct SurveyOptions {
    const char *task;         /* NULL: all */
    bool splits[SPLIT_COUNT]; /* which */
    SurveyReading reading;
    const Encoder *encoder;     /* that makes the features, or NULL */
    const char *encoder_plan;   /* its file */
    const Interrupt *interrupt; /* ends the survey early; NULL allowed */
    FILE *progress;             /* a terminal, or NULL */
} SurveyOptions;

/* How many texts have how many tokens. */
typedef struct LengthCounts {
    int64_t *counts; /* [longest + 1] */
    size_t capacity;
    int64_t longest, total;
} LengthCounts;

/* A text, and how often it is there. */
typedef struct TextCount {
    const char *text;
    int64_t count;
} TextCount;

typedef struct TextCounts {
    TextCount *items; /* the most frequent first */
    uint32_t count;
} TextCounts;

enum { SURVEY_ANSWERS = 8, SURVEY_WORDS = 8, SURVEY_SAMPLES = 3 };

/* An example as a model sees it. */
typedef struct SurveySample {
    const DatasetExample *example;
    const char *text; /* what is read, whole */
    int64_t tokens;   /* of it */
} SurveySample;

typedef struct SurveySplit {
    Split split;
    bool is_there; /* else there is no file of it */
#define ROW(field, kind, label, meaning) ROW_##kind field;
#define ROW_count int64_t
#define ROW_share double
#define ROW_number double
#include "runtime/survey/survey_rows.def"
#undef ROW_count
#undef ROW_share
#undef ROW_number
    LengthCounts texts, targets;
    TextCounts said;    /* best answers */
    TextCounts unknown; /* words that have unknown tokens */
    SurveySample samples[SURVEY_SAMPLES];
    uint32_t sample_count;
} SurveySplit;

typedef struct SurveyTask {
    const char *name, *records, *metric;
    bool is_open; /* else the model and the data do not fit together */
    SurveySplit splits[SPLIT_COUNT];
    uint32_t split_count;
} SurveyTask;

typedef struct Survey {
    Arena *arena; /* of all but what examples point at, which is the source's */
    const Module *module;
    DataSource *source;
    Findings *findings;
    SurveyTask *tasks;
    uint32_t task_count;
    bool is_stopped; /* by an interrupt: numbers are of what was seen until then */
} Survey;

/* `source` was opened for findings_diags(findings) and, like these and the module, must
 * outlive the survey. */
void survey_take(Survey *out, const SurveyOptions *options, const Module *module,
                 DataSource *source, Findings *findings);
void survey_free(Survey *survey); /* zeroed is allowed */

/* The least length that `share` of all texts (0..1) do not exceed; 0 of no texts. */
int64_t lengths_quantile(const LengthCounts *lengths, double share);

void survey_print(const Survey *survey, FILE *out);
void survey_print_json(const Survey *survey, FILE *out);
/* `pictures` is where pictures are, if not beside the data's features; or NULL. */
void survey_add_to_page(const Survey *survey, const char *pictures, Page *page);

#endif
