/* The closing table of a run. */
#include "runtime/train/summary.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

int64_t peak_resident_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (int64_t)usage.ru_maxrss * 1024 : 0;
}

/* Elements of the parameters that a step of `task` trains: those its update graph
 * assigns. */
static int64_t trained_by(const Module *module, const char *task)
{
    int64_t elements = 0;
    for (uint32_t g = 0; g < module->graph_count; g++) {
        const Graph *graph = module->graphs[g];
        if (graph->kind != GRAPH_update || strcmp(graph->task, task) != 0)
            continue;
        for (uint32_t i = 0; i < graph->output_count; i++) {
            const Output *output = &graph->outputs[i];
            const Param *param = output->role == OUTPUT_assign
                                     ? module_find_param(module, output->name)
                                     : NULL;
            elements += param ? type_static_elements(param->type) : 0;
        }
    }
    return elements;
}

static double percent(int64_t part, int64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_scores(const TaskScore *before, const TaskScore *after, bool has_before,
                         FILE *out)
{
    if (has_before && before)
        fprintf(out, " %7.1f %-1s", before->metric.value, after->metric.unit);
    else if (has_before)
        fprintf(out, " %7s  ", "");
    fprintf(out, " %7.1f %-1s", after->metric.value, after->metric.unit);
}

static void print_task(const Summary *summary, uint32_t t, int64_t all, FILE *out)
{
    const char *task = summary->module->tasks[t].name;
    const TaskScore *after = evaluation_main(summary->after, task);
    if (!after)
        return;
    fprintf(out, "%-12s %-18s %8" PRId64, task, after->metric.name,
            after->metric.examples);
    print_scores(evaluation_main(summary->before, task), after, summary->before->count,
                 out);
    fprintf(out, "  %7.2f %%  %7.1f\n", percent(trained_by(summary->module, task), all),
            summary->task_seconds[t]);
}

/* Of the tasks' scores; blank if no task has any. */
static void print_mean(const Evaluation *evaluation, FILE *out)
{
    double mean;
    if (evaluation_mean(evaluation, &mean))
        fprintf(out, " %7.1f  ", mean);
    else
        fprintf(out, " %7s  ", "");
}

void summary_print(const Summary *summary, FILE *out)
{
    const Module *module = summary->module;
    ParamTotals totals = module_param_totals(module);
    bool has_before = summary->before->count > 0;
    fprintf(out, "%-12s %-18s %8s%s%s  %9s  %7s  %11s\n", "task", "metric", "examples",
            has_before ? "    before" : "", has_before ? "     after" : "     score",
            "trained", "seconds", "peak memory");
    double seconds = 0;
    for (uint32_t t = 0; t < module->task_count; t++) {
        print_task(summary, t, totals.all, out);
        seconds += summary->task_seconds[t];
    }
    fprintf(out, "%-12s %-18s %8s", "all", "mean", "");
    if (has_before)
        print_mean(summary->before, out);
    print_mean(summary->after, out);
    fprintf(out, "  %7.2f %%  %7.1f  %7.0f MiB\n", percent(totals.trained, totals.all),
            seconds, (double)peak_resident_bytes() / (1024 * 1024));
    if (summary->first_step)
        fprintf(out, "seconds are those since step %" PRId64 ", where it was resumed\n",
                summary->first_step);
}
