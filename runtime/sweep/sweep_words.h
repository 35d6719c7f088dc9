/* Members of a row's objects as words of a command line. */
#ifndef VLG_RUNTIME_SWEEP_SWEEP_WORDS_H
#define VLG_RUNTIME_SWEEP_SWEEP_WORDS_H

#include "runtime/sweep/place.h"
#include "runtime/sweep/sweep_file.h"

/* What reads a file, and where it is. */
typedef struct SweepReader {
    SweepFile *sweep;
    const char *path, *text;
    const char *folder; /* with its slash; "" for that of the process */
    const SweepOptions *options;
    /* Of these options, what is put over the settings of every row. */
    json_t *set, *compile, *train;
    size_t row_capacity;
    Diags *diags;
} SweepReader;

/* An error at the value to which the path leads; false. */
bool sweep_fault(const SweepReader *reader, const JsonPath *path, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* "./x" and "../x" are beside the file; anything else is as it stands. */
const char *sweep_path(const SweepReader *reader, const char *text);

/* A number, text, true or false as a constant or an option is given it; NULL for any
 * other value. */
const char *sweep_text(const SweepReader *reader, const json_t *value);

/* Whether `vlrun train` has such an option and a sweep leaves it to its rows, with such a
 * value; an error otherwise. */
bool sweep_check_train(const SweepReader *reader, const char *name, const json_t *value,
                       const JsonPath *path);

/* Fills in reader->set, compile and train by its options; the caller decrefs them. */
bool sweep_take_options(SweepReader *reader);

/* Both turn the members of an object, which may be NULL, into words. */
TextList sweep_compile_words(const SweepReader *reader, json_t *object);
/* Fills in train, weights and has_threads of the row. */
void sweep_train_words(const SweepReader *reader, json_t *object, SweepRow *row);

#endif
