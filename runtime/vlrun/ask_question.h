/* What was asked, in one of the forms that people use, as a question to one task. */
#ifndef VLG_RUNTIME_VLRUN_ASK_QUESTION_H
#define VLG_RUNTIME_VLRUN_ASK_QUESTION_H

#include "runtime/data/dataset/dataset_question.h"

/* What is given for all questions. */
typedef struct AskDefaults {
    const char *task; /* NULL: the first of the plan that can be asked so */
    const char *const *images;
    uint32_t image_count;
    const json_t *fields; /* an object */
} AskDefaults;

/* A question as it came: an object, or columns of which the last is the text and those
 * before it are what is shown. */
typedef struct Asked {
    json_t *record; /* NULL: none; json_decref */
    const char **columns;
    uint32_t column_count;
    Loc loc;
} Asked;

/* A line: an object in JSON, columns with tabs between, or a text alone. False and an
 * error if it is none. `arena` owns the columns. */
NODISCARD bool asked_line(const char *line, size_t len, Loc loc, Arena *arena, Asked *out,
                          Diags *diags);

/* The question to the task that is named, or else to the first that lacks nothing;
 * `out_others`, from the arena, lists others that lack nothing, "" if there are none.
 * False and an error if there is no such task, or more is given than it takes.
 * out->record is the caller's to release. */
NODISCARD bool asked_question(const Asked *asked, const AskDefaults *defaults,
                              const Module *module, const DataSource *source,
                              Arena *arena, DataQuestion *out, const char **out_others,
                              Diags *diags);

/* Whether every field of the defaults is read by the task that they name, or the only
 * one; else an error. */
NODISCARD bool defaults_check(const AskDefaults *defaults, const Module *module,
                              const DataSource *source, Diags *diags);

/* Whether the task needs no more than the defaults: there is nothing to be read. */
bool asks_by_itself(const AskDefaults *defaults, const Module *module,
                    const DataSource *source);

#endif
