/* Recording and reporting of errors, and helpers of comparisons. */
#include "runtime/check/trial.h"

#include <math.h>
#include <stdio.h>

static const struct {
    const char *name;
    double limit;
} kinds[KIND_COUNT] = {
    [KIND_loss] = {"loss", 1e-5},     [KIND_norm] = {"norm", 1e-4},
    [KIND_result] = {"result", 1e-5}, [KIND_greedy] = {"greedy", 0},
    [KIND_beams] = {"beams", 0},      [KIND_gradient] = {"gradient", 1e-4},
    [KIND_update] = {"update", 1e-2}, [KIND_unchanged] = {"unchanged", 0},
};

void trial_note(Trial *trial, CaseKind kind, const char *name, double error)
{
    CaseTally *tally = &trial->tallies[kind];
    bool is_wrong = !(error <= kinds[kind].limit); /* NaN is wrong */
    tally->count++;
    tally->failures += is_wrong;
    if (tally->count == 1 || !(error <= tally->worst)) {
        tally->worst = error;
        snprintf(tally->worst_name, sizeof tally->worst_name, "%s", name);
    }
    if (trial->options->verbose || is_wrong)
        fprintf(trial->options->out, "  %s %-9s %.3e  %s\n", is_wrong ? "WRONG" : "     ",
                kinds[kind].name, error, name);
}

double trial_worse(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

double trial_relative(double got, double wanted)
{
    return fabs(got - wanted) / fmax(fabs(wanted), 1e-30);
}

double trial_largest(const float *values, int64_t count)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)values[i]));
    return largest;
}

const float *trial_numbers(Trial *trial, const Tensor *tensor)
{
    float *values = ARENA_ARRAY(trial->arena, float, tensor->elements + 1);
    tensor_read_f32(tensor, 0, tensor->elements, values);
    return values;
}

const Tensor *trial_find(const Trial *trial, const char *prefix, const StoreEntry *entry)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", prefix, entry->name);
    const Tensor *tensor = tensor_file_find(trial->recorded->file, name);
    for (uint32_t i = 0; !tensor && i < entry->param->alias_count; i++) {
        snprintf(name, sizeof name, "%s%s", prefix, entry->param->aliases[i]);
        tensor = tensor_file_find(trial->recorded->file, name);
    }
    return tensor;
}

const Graph *trial_graph(const Trial *trial, GraphKind kind, const char *task)
{
    const Graph *graph = module_task_graph(trial->module, kind, task);
    if (!graph)
        diag_error(trial->diags, (Loc){0}, "the plan has no %s graph for task '%s'",
                   graph_kind_names[kind], task);
    return graph;
}

bool trial_print(const Trial *trial)
{
    FILE *out = trial->options->out;
    bool is_equal = true;
    for (CaseKind kind = 0; kind < KIND_COUNT; kind++) {
        const CaseTally *tally = &trial->tallies[kind];
        if (tally->skipped)
            fprintf(out, "%-9s skipped %u: the plan cannot generate\n", kinds[kind].name,
                    tally->skipped);
        if (tally->count == 0)
            continue;
        fprintf(out, "%-9s %s  %4u compared, worst %.2e of %.0e allowed: %s",
                kinds[kind].name, tally->failures ? "WRONG" : "ok   ", tally->count,
                tally->worst, kinds[kind].limit, tally->worst_name);
        if (tally->exempt)
            fprintf(out, " (%u exempt)", tally->exempt);
        fputc('\n', out);
        is_equal = is_equal && tally->failures == 0;
    }
    return is_equal;
}
