/* What the parts of the room share. */
#ifndef VLG_RUNTIME_EXCHANGE_EXCHANGE_PARTS_H
#define VLG_RUNTIME_EXCHANGE_EXCHANGE_PARTS_H

#include <jansson.h>

#include "ir/base/arena.h"
#include "runtime/exchange/exchange.h"

/* The file of ours, and in its metadata the task whose parameters the adapter has, and a
 * hash of the adapter's numbers, which the file of tensors has as well. */
#define EXCHANGE_REST "vlgraph.safetensors"
#define EXCHANGE_TASK "vlgraph_task"
#define EXCHANGE_HASH "vlgraph_adapter"

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
/* The parameter that a value is, also in another shape; NULL if it is computed. */
StoreEntry *exchange_entry(Store *store, const Node *value);

/* -- exchange_config.c --------------------------------------------------------------- */

/* The configuration that a task's facts make, with `name` for stars. A new reference. */
json_t *exchange_config(const Task *task, ExchangeFormat format, const char *name);
/* Whether a configuration has what the facts say, but for what is of no matter. Errors
 * that name each difference, and false, if not. */
NODISCARD bool exchange_config_check(const Task *task, ExchangeFormat format,
                                     const json_t *config, const char *path,
                                     Diags *diags);

#endif
