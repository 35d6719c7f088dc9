/* What metrics.jsonl tells of a run (docs/runs.md), of any version of vlrun: a member
 * that a line does not have is a number that is not known, NAN. */
#ifndef VLG_RUNTIME_REPORT_HISTORY_H
#define VLG_RUNTIME_REPORT_HISTORY_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"
#include "ir/base/strings.h"

/* Numbers over steps; steps are counted from 1, as done. */
typedef struct Curve {
    double *x, *y; /* [count] */
    size_t count, capacity_x, capacity_y;
} Curve;

typedef struct HistoryScore {
    uint32_t task;
    const char *split, *metric, *unit;
    bool is_main; /* the one that stands for the task */
    double step;  /* steps done */
    double score, examples, seconds;
} HistoryScore;

typedef struct History {
    Arena *arena;
    Strings *tasks;         /* in the order in which they first come */
    Curve *losses;          /* of each task */
    Curve loss, rate, norm; /* of all steps */
    HistoryScore *scores;   /* in the order of the file */
    size_t score_count, score_capacity, loss_capacity;
    double last_step; /* done */
    double seconds, sequences,
        tokens;        /* of all steps; tokens only if all lines have it */
    double peak_bytes; /* NAN if no line has it */
    bool is_ended;     /* the last line is of the run's end */
    bool is_cut;       /* the last line is not whole */
} History;

/* False and an error if the file cannot be read. Lines that are not what a run writes are
 * told as errors, too, and left out; but for the last, which a run may be writing. */
NODISCARD bool history_read(History *out, const char *path, Diags *diags);
void history_free(History *history);

uint32_t history_task_count(const History *history);
const char *history_task(const History *history, uint32_t task);

/* The score that stands for a task: the last of a split, or the greatest; NULL if there
 * is none. `least_step`: only those after so many steps. */
const HistoryScore *history_last(const History *history, const char *task,
                                 const char *split, double least_step);
const HistoryScore *history_best(const History *history, const char *task,
                                 const char *split);

#endif
