/* Command lines to random batches. */
#include "runtime/vlrun/timed_batch.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/check/random_batch.h"

enum { MOST_LENGTHS = 8, MOST_TASKS = 8, SEQUENCES = 16 };

bool take_number(const char **text, int64_t *out)
{
    char *end;
    *out = strtoll(*text, &end, 10);
    bool ok = end != *text && *out >= 1 && *out <= INT32_MAX && (!*end || *end == ',');
    *text = *end == ',' ? end + 1 : end;
    return ok;
}

const char *timed_batch_option(const TimedBatch *wanted)
{
    return wanted->lengths                        ? "--lengths"
           : wanted->sequences != COUNT_NOT_GIVEN ? "--sequences"
                                                  : NULL;
}

const Graph *timed_graph(const Module *module, const char *task, Diags *diags)
{
    const char *names[MOST_TASKS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < module->graph_count; i++) {
        const Graph *graph = module->graphs[i];
        if (graph->kind != GRAPH_train)
            continue;
        if (!task || strcmp(graph->task, task) == 0)
            return graph;
        if (count < MOST_TASKS)
            names[count++] = graph->task;
    }
    const char *near = task ? nearest_name(task, names, count) : NULL;
    diag_error(diags, (Loc){0}, "the plan trains no task%s%s%s%s%s", task ? " '" : "",
               task ? task : "", task ? "'" : "", near ? "; did you mean " : "",
               near ? near : "");
    return NULL;
}

static void report_axis(const Graph *graph, const char *name, Diags *diags)
{
    const char **names = heap_array(graph->axis_count, sizeof *names);
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->axis_count; i++)
        if (graph->axes[i].kind == AXIS_KIND_primary)
            names[count++] = graph->axes[i].name;
    const char *near = nearest_name(name, names, count);
    diag_error(diags, (Loc){0}, "@%s has no primary axis '%s'%s%s%s", graph->name, name,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    free(names);
}

/* "text=20,dec=5"; names are cut out of `text` in place. */
static bool parse_lengths(char *text, const Graph *graph, FixedLength *out,
                          uint32_t *out_count, Diags *diags)
{
    for (*out_count = 0; *text; (*out_count)++) {
        char *equals = strchr(text, '=');
        const char *rest = equals ? equals + 1 : "";
        if (!equals || *out_count == MOST_LENGTHS ||
            !take_number(&rest, &out[*out_count].rows)) {
            diag_error(diags, (Loc){0},
                       "--lengths takes axes and rows like text=20,dec=5");
            return false;
        }
        *equals = '\0';
        out[*out_count].axis = text;
        int32_t axis = graph_find_axis(graph, text);
        if (axis == AXIS_STATIC || graph->axes[axis].kind != AXIS_KIND_primary) {
            report_axis(graph, text, diags);
            return false;
        }
        text = (char *)(uintptr_t)rest;
    }
    return true;
}

Batch *timed_batch(const TimedBatch *wanted, const Graph *graph, Diags *diags)
{
    char *lengths = heap_string(wanted->lengths ? wanted->lengths : "");
    FixedLength fixed[MOST_LENGTHS];
    RandomBatch random = {
        .sequences = wanted->sequences == COUNT_NOT_GIVEN ? SEQUENCES : wanted->sequences,
        .seed = 1,
        .fixed = fixed};
    Batch *batch = parse_lengths(lengths, graph, fixed, &random.fixed_count, diags)
                       ? random_batch(graph, &random)
                       : NULL;
    free(lengths);
    return batch;
}
