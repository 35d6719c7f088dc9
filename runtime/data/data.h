/* Where batches come from. */
#ifndef VLG_RUNTIME_DATA_DATA_H
#define VLG_RUNTIME_DATA_DATA_H

#include "runtime/batch/batch.h"
#include "runtime/data/dataset/dataset_files.h"
#include "ir/base/interrupt.h"

typedef struct DataOptions {
    const char *directory; /* of data sets in their published layout; NULL or "shapes":
                              the built-in ones, kept in the user's cache */
    const char *tokenizer; /* file or directory; NULL: that beside the weights, or else
                              that of the data */
    const char *weights;   /* what the parameters are read from, or NULL */
    bool skip_bad;         /* leave out what cannot be read */
    bool leaderboard;      /* the test split is the one without answers */
    bool has_no_training;  /* only evaluation will follow */
    const DatasetEncoder *encoder; /* of pictures; NULL: there are features */
    Diags *findings;               /* DatasetOptions.findings; NULL allowed */
    FILE *progress;                /* of writing built-in data; NULL: nowhere */
    bool has_questions; /* nothing but questions from outside: lists of examples need not
                           be there, and nothing is left out */
    const Interrupt *interrupt; /* ends the writing of built-in data; NULL allowed */
} DataOptions;

/* The source for the tasks of `module`; NULL and an error if there are no such data, or
 * they do not fit what the module's graphs ask for; NULL alone if it was interrupted.
 * `module` must outlive it. */
DataSource *data_open(const DataOptions *options, const Module *module, Diags *diags);
/* The files that decide what it says (dataset_files). */
NODISCARD bool data_files(const DataOptions *options, const Module *module, Arena *arena,
                          DataFiles *out, Diags *diags);
void data_close(DataSource *source); /* NULL allowed */

#endif
