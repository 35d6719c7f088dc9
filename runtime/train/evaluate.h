/* Scores of tasks on a split of the data. */
#ifndef VLG_RUNTIME_TRAIN_EVALUATE_H
#define VLG_RUNTIME_TRAIN_EVALUATE_H

#include "ir/base/interrupt.h"
#include "runtime/exec/session.h"

typedef struct EvaluateOptions {
    Split split;
    const char *task;           /* NULL: all */
    int64_t limit;              /* first examples of each task only; 0: all */
    const Interrupt *interrupt; /* ends it early, with what was scored so far; or NULL */
    FILE *progress;             /* a terminal that is told how far it is, or NULL */
} EvaluateOptions;

typedef struct TaskScore {
    const char *task;
    Metric metric;
    bool is_main;   /* the one that stands for the task */
    double seconds; /* that answering and scoring the task's examples took */
} TaskScore;

/* Of every task its main metric, and then the others. */
typedef struct Evaluation {
    TaskScore *scores;
    uint32_t count;
    Arena *arena; /* of the scores and names */
} Evaluation;

/* False after an error; `out` is to be freed either way. */
NODISCARD bool evaluate(Session *session, DataSource *source,
                        const EvaluateOptions *options, Evaluation *out, Diags *diags);
void evaluation_add(Evaluation *evaluation, const TaskScore *score);
void evaluation_free(Evaluation *evaluation);
/* The main metric of a task, or NULL. */
const TaskScore *evaluation_main(const Evaluation *evaluation, const char *task);
/* Of the tasks' main metrics, and of how many; 0 if no task has any. */
uint32_t evaluation_mean(const Evaluation *evaluation, double *out_mean);

/* How scores are printed; names, NULL at the end. */
typedef enum ScoreFormat { SCORE_FORMAT_table, SCORE_FORMAT_json } ScoreFormat;
extern const char *const score_formats[3];

/* A table of all metrics. */
void evaluate_print(const Evaluation *evaluation, FILE *out);
/* A table of main metrics. */
void evaluate_print_main(const Evaluation *evaluation, FILE *out);
void evaluate_print_json(const Evaluation *evaluation, Split split, FILE *out);

#endif
