/* How the steps of a run are shown to people. */
#ifndef VLG_RUNTIME_TRAIN_DISPLAY_H
#define VLG_RUNTIME_TRAIN_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* PROGRESS_MODE(name, meaning) */
#define PROGRESS_MODES                                                                   \
    PROGRESS_MODE(auto, "bar on a terminal, else plain")                                 \
    PROGRESS_MODE(bar, "one line that is written over")                                  \
    PROGRESS_MODE(plain, "lines, ever more rarely")                                      \
    PROGRESS_MODE(json, "these as lines of metrics.jsonl; all else on stderr")           \
    PROGRESS_MODE(quiet, "results only")

typedef enum ProgressMode {
#define PROGRESS_MODE(name, meaning) PROGRESS_##name,
    PROGRESS_MODES
#undef PROGRESS_MODE
        PROGRESS_MODE_COUNT
} ProgressMode;

extern const char *const progress_modes[PROGRESS_MODE_COUNT + 1]; /* NULL at the end */

typedef struct TaskLoss {
    const char *task;
    double loss;
} TaskLoss;

/* What is known after a step. */
typedef struct StepFacts {
    int64_t done, total;    /* steps */
    const TaskLoss *losses; /* of the tasks that had a step */
    uint32_t loss_count;
    double rate, gradient_norm, tokens_per_second, seconds_left;
} StepFacts;

/* All of it in a line; malloc'ed. In fewer `columns` than that takes, what
 * matters less is said shorter or left out, until it fits; in more, a bar follows. */
char *step_text(const StepFacts *facts, int columns);
enum { ANY_COLUMNS = -1 }; /* as wide as it is, without a bar */

/* Where the words of a run go. */
typedef struct Display {
    FILE *talk;    /* what happens on the way; to be closed if `is_own` */
    FILE *results; /* what came out */
    FILE *lines;   /* lines of metrics.jsonl, or NULL */
    FILE *bar;     /* steps on a line that is written over, or NULL */
    bool is_own, is_bar_open;
    double begun, last_shown; /* seconds */
} Display;

/* On standard output, or as the mode says. */
Display display_new(ProgressMode mode);
void display_free(Display *display); /* ends the line */

/* Whether it is time to show a step: ten times a second where the line is written over;
 * elsewhere after 5 seconds, and ever more rarely as time goes by, up to 10 minutes. */
bool display_is_due(Display *display);
/* `line` is the step's in metrics.jsonl. */
void display_step(Display *display, const StepFacts *facts, const char *line);
/* Other text begins on a line of its own. */
void display_end_line(Display *display);

#endif
