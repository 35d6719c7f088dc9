/* What the parts of the room share. */
#ifndef VLG_RUNTIME_EXCHANGE_EXCHANGE_PARTS_H
#define VLG_RUNTIME_EXCHANGE_EXCHANGE_PARTS_H

#include <jansson.h>

#include "ir/base/arena.h"
#include "runtime/exchange/exchange.h"

/* -- exchange_files.c ---------------------------------------------------------------- */

struct ExchangeFiles {
    Arena *arena;
    const char *path, *config_path;
    ExchangeFormat format;
    json_t *config;
    TensorSet *tensors, *rest; /* `rest` or NULL */
};

/* -- exchange_task.c ----------------------------------------------------------------- */

/* The task whose graph of a format counts: the one that is named; else the first, if the
 * graphs of all tasks are the same. NULL and an error otherwise, or if the plan has none
 * or says why there is none. */
const Task *exchange_choose_task(const Module *module, ExchangeFormat format,
                                 const char *name, Diags *diags);
/* Whether the graphs of all tasks that have one are the same. */
bool exchange_tasks_agree(const Module *module, ExchangeFormat format);

/* -- exchange_values.c --------------------------------------------------------------- */

/* Numbers of the graph's outputs of the role, in order, computed from the store by the
 * interpreter, or in the store where they are parameters in any shape; NULL of outputs of
 * other roles. All of it is the arena's. */
const float **exchange_values(const Graph *graph, Store *store, OutputRole role,
                              Arena *arena);
/* Numbers of one value, [type_static_elements], by the interpreter. */
void exchange_compute(const Graph *graph, const Store *store, const Node *wanted,
                      float *out_numbers);
/* By node up to `wanted`, whether it is made of it. The arena's. */
bool *exchange_needed(const Graph *graph, const Node *wanted, Arena *arena);
/* The parameter that a value is, also in another shape; NULL if it is computed. */
StoreEntry *exchange_entry(Store *store, const Node *value);

/* -- exchange_invert.c --------------------------------------------------------------- */

/* Fills the parameter that makes the value, which is computed, these numbers, and returns
 * it. NULL if there is none: only products of a trained parameter and of what frozen ones
 * make, number by number, go back. NULL and an error at `loc`, too, if no file gives such
 * a frozen parameter, or no number times a 0 is what is wanted. */
StoreEntry *exchange_invert(const Graph *graph, Store *store, const Node *value,
                            const float *wanted, Loc loc, Diags *diags);

/* -- exchange_config.c --------------------------------------------------------------- */

/* The configuration that a task's facts make, with `name` for stars. A new reference. */
json_t *exchange_config(const Task *task, ExchangeFormat format, const char *name);
/* Whether two members, or NULL, are the same: of lists in whatever order. */
bool exchange_config_same(const json_t *found, const json_t *wanted);
/* Writes a configuration as the file of its format in a directory. */
NODISCARD bool exchange_config_write(const json_t *config, ExchangeFormat format,
                                     const char *directory, Diags *diags);
/* Whether a configuration has what the facts say, but for what is of no matter. Errors
 * that name each difference, and false, if not. */
NODISCARD bool exchange_config_check(const Task *task, ExchangeFormat format,
                                     const json_t *config, const char *path,
                                     Diags *diags);

#endif
