/* Formats of other libraries that a plan can be exchanged in, and what a plan says of
 * them.
 *
 * Of each task and format there is a graph @T.exchange.F, whose results are the tensors
 * under their names there, made of parameters alone, and facts of the task:
 *
 *     exchange.F.MEMBER   a member of the configuration, as JSON; a.b is b in object a
 *     note.F.MEMBER       the same, of no matter when a file is read
 *     refuse.F            why the task cannot be exchanged so
 *
 * and a graph @T.fold, which assigns parameters of the backbone and has as results, under
 * their names, those that are then of no use, with `refuse.fold`. In
 * names of tensors and in members that are texts a star stands for the adapter's name. */
#ifndef VLG_IR_EXCHANGE_H
#define VLG_IR_EXCHANGE_H

#include "ir/graph.h"

typedef enum ExchangeFormat {
#define EXCHANGE(name, ...) EXCHANGE_##name,
#include "ir/exchanges.def"
    EXCHANGE_fold, /* no format: weights without what was attached to them */
    EXCHANGE_COUNT
} ExchangeFormat;

typedef struct ExchangeInfo {
    const char *name, *config, *tensors, *older;
    bool whole;
    const char *meaning;
} ExchangeInfo;

const ExchangeInfo *exchange_info(ExchangeFormat format); /* of a format */
/* EXCHANGE_COUNT if there is none of that name. */
ExchangeFormat exchange_find(const char *name);
/* The formats' names. */
const char *const *exchange_names(size_t *out_count);

/* NULL if the task has none. */
const Graph *exchange_graph(const Module *module, ExchangeFormat format,
                            const char *task);
/* The fact KIND.F of a task; NULL if there is none. */
const char *exchange_fact(const Task *task, const char *kind, ExchangeFormat format);
/* "fold", or the name of the format. */
const char *exchange_name(ExchangeFormat format);

#endif
