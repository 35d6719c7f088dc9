/* The formats' table, and graphs and facts by their names. */
#include "ir/exchange.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST_NAME = 2000 };

static const ExchangeInfo infos[EXCHANGE_fold] = {
#define EXCHANGE(name, config, tensors, older, whole, meaning)                           \
    {#name, config, tensors, older, whole, meaning},
#include "ir/exchanges.def"
};

static const char *const names[] = {
#define EXCHANGE(name, ...) #name,
#include "ir/exchanges.def"
};

const ExchangeInfo *exchange_info(ExchangeFormat format)
{
    return &infos[format];
}

const char *const *exchange_names(size_t *out_count)
{
    *out_count = EXCHANGE_fold;
    return names;
}

const char *exchange_name(ExchangeFormat format)
{
    return format == EXCHANGE_fold ? "fold" : names[format];
}

ExchangeFormat exchange_find(const char *name)
{
    for (ExchangeFormat format = 0; format < EXCHANGE_fold; format++)
        if (strcmp(names[format], name) == 0)
            return format;
    return EXCHANGE_COUNT;
}

const Graph *exchange_graph(const Module *module, ExchangeFormat format, const char *task)
{
    char name[LONGEST_NAME];
    snprintf(name, sizeof name, "%s.%s%s", task,
             format == EXCHANGE_fold ? "" : "exchange.", exchange_name(format));
    const Graph *graph = module_find_graph(module, name);
    return graph && graph->kind == GRAPH_exchange ? graph : NULL;
}

const char *exchange_fact(const Task *task, const char *kind, ExchangeFormat format)
{
    char key[64];
    snprintf(key, sizeof key, "%s.%s", kind, exchange_name(format));
    return task_fact(task, key);
}
