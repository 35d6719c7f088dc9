/* What a model says about examples, for people: as text, or as a page with pictures. */
#ifndef VLG_RUNTIME_VLRUN_GENERATE_SHOW_H
#define VLG_RUNTIME_VLRUN_GENERATE_SHOW_H

#include "runtime/page/page.h"
#include "runtime/vlrun/answer.h"

/* An example, what was read of it, and what it was answered. */
typedef struct ShownExample {
    const char *task, *id;
    const DatasetExample *example;
    const char *prompt;
    const char *reference; /* what is right; NULL: the data do not tell */
    const char *said;      /* the answer, with the confidence */
    bool is_judged;        /* by `worth`, 0..1 */
    double worth;
} ShownExample;

/* Of sequence `sequence` of a batch; texts from the arena. */
ShownExample shown_example(const DataSource *source, const Batch *batch, int64_t sequence,
                           const ModelAnswer *answer, Arena *arena);

/* A block of lines with an empty one behind. */
void shown_print(const ShownExample *shown, FILE *out);

/* A card of the page, with the pictures that the data set itself has, or `directory`. A
 * picture that cannot be read is named, and no more. */
void shown_card(Page *page, const DataSource *source, const ShownExample *shown,
                const char *directory, Arena *arena);

#endif
