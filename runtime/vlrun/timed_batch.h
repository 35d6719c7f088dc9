/* The batches of commands that time training steps: random, as large as their command
 * lines ask for. */
#ifndef VLG_RUNTIME_VLRUN_TIMED_BATCH_H
#define VLG_RUNTIME_VLRUN_TIMED_BATCH_H

#include "ir/base/command_line.h"
#include "ir/graph.h"
#include "runtime/batch/batch.h"

typedef struct TimedBatch {
    const char *task;    /* NULL: the first that the plan trains */
    const char *lengths; /* "text=20,dec=5"; NULL: all are random */
    int64_t sequences;   /* or COUNT_NOT_GIVEN */
} TimedBatch;

/* The rows of a command's options for them; `at` is the offset of a TimedBatch. */
#define OPTIONS_TIMED_BATCH(at)                                                          \
    OPTION(text, "--task", (at) + offsetof(TimedBatch, task), "NAME",                    \
           "whose graphs; default: the first"),                                          \
        OPTION(count, "--sequences", (at) + offsetof(TimedBatch, sequences), "N",        \
               "in a random batch; 16 if not given", .least = 1),                        \
        OPTION(text, "--lengths", (at) + offsetof(TimedBatch, lengths), "A=N,..",        \
               "rows of every sequence on primary axes; else random")

/* The name of an option that asks for something of random batches, or NULL: for commands
 * that have been given data as well. */
const char *timed_batch_option(const TimedBatch *wanted);

/* The train graph of the task; NULL and an error if the plan has none. */
const Graph *timed_graph(const Module *module, const char *task, Diags *diags);
/* A batch for that graph, which the caller frees; the same for the same arguments. NULL
 * and an error if lengths are no lengths, or of no primary axis of the graph. */
Batch *timed_batch(const TimedBatch *wanted, const Graph *graph, Diags *diags);

/* A number of 1 or more at `text`, up to a comma or the end; moves `text` past it. */
bool take_number(const char **text, int64_t *out);

#endif
