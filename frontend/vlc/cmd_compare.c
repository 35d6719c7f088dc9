/* vlc compare: what models cost to train, before any is. Every model is compiled, its
 * figures are counted, and it is freed before the next. */
#include "frontend/vlc/compare.h"
#include "frontend/vlc/frozen_bytes.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/names.h"
#include "frontend/vlc/commands.h"
#include "frontend/vlc/load.h"
#include "ir/axis.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/cost.h"
#include "ir/roofline.h"
#include "passes/pass.h"

/* -- the command line ------------------------------------------------------------ */

/* Defaults of rates are those of a core of the machine in docs/performance.md. */
#define AT(field) offsetof(CompareArguments, field)
static const Option compare_options[] = {
    OPTION_SET(AT(sets)),
    OPTION(text, "--task", AT(task), "NAME", "only this task"),
    OPTION_FORMAT(AT(format)),
    OPTION_MEMORY_BUDGET(AT(memory_budget)),
    OPTION_MATMUL_PRECISION(AT(matmul_precision)),
    OPTION_FROZEN(AT(frozen)),
    OPTION(text, "--lengths", AT(lengths), "A=N,..",
           "rows of a sequence on primary axes, such as text=20,dec=5; else the longest"),
    OPTION(count, "--sequences", AT(sequences), "N",
           "sequences of a step; else as the model says", .least = 1, .most = INT32_MAX),
    OPTION(number, "--gflops", AT(gflops), "X",
           "rate of a core, in 1e9 operations a second", .preset = "93"),
    OPTION(number, "--bandwidth", AT(bandwidth), "X",
           "of memory, in 1e9 bytes a second for a core", .preset = "9.3"),
};
#undef AT

/* 1 or more, up to `stop` or the end; NULL if there is none. */
static const char *read_count(const char *text, char stop, int64_t *out)
{
    char *end;
    *out = strtoll(text, &end, 10);
    bool ok = end != text && (!*end || *end == stop) && *out >= 1 && *out <= INT32_MAX;
    return ok ? end : NULL;
}

/* "text=20,dec=5" */
static bool read_lengths(Compare *compare)
{
    const char *text = compare->arguments->lengths, *at = text;
    while (at && compare->length_count < MOST_LENGTHS) {
        Length *length = &compare->lengths[compare->length_count++];
        size_t len = strcspn(at, "=,");
        length->axis = arena_string(compare->arena, at, len);
        at = len && at[len] == '=' ? read_count(at + len + 1, ',', &length->rows) : NULL;
        if (at && !*at)
            return true;
        at = at ? at + 1 : NULL;
    }
    if (text)
        fprintf(stderr,
                "vlc compare: --lengths: found '%s', expected axes and rows of 1 or "
                "more, such "
                "as text=20,dec=5\n",
                text);
    return !text;
}

/* -- rows of a sequence ----------------------------------------------------------------
 */

static void report_axis(const Graph *graph, const char *file, const char *axis,
                        Diags *diags)
{
    const char **names = heap_array(graph->axis_count, sizeof *names);
    char what[96];
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->axis_count; i++)
        if (graph->axes[i].kind == AXIS_KIND_primary)
            names[count++] = graph->axes[i].name;
    snprintf(what, sizeof what, "axis of sequences of task '%.60s':", graph->task);
    unknown_name(diags, (Loc){file, 0, 0}, what, axis, names, count);
    free(names);
}

static void report_grids(const Graph *graph, const char *file, const Axis *axis,
                         Diags *diags)
{
    diag_error(diags, (Loc){file, 0, 0},
               "task '%s': the rows of axis %s must be %lld square grid%s, as axis %s "
               "needs; --task restricts to other tasks",
               graph->task, graph->axes[axis->of[0]].name, (long long)axis->images,
               axis->images == 1 ? "" : "s", axis->name);
}

/* By axis, of one sequence: as long as asked for or as declared. NULL after an error. */
static int64_t *sequence_rows(const Compare *compare, const Graph *graph,
                              const char *file, Diags *diags)
{
    int64_t *rows = axis_rows_of_longest_sequence(graph, compare->arena);
    for (uint32_t i = 0; i < compare->length_count; i++) {
        const Length *length = &compare->lengths[i];
        int32_t axis = graph_find_axis(graph, length->axis);
        if (axis == AXIS_STATIC || graph->axes[axis].kind != AXIS_KIND_primary) {
            report_axis(graph, file, length->axis, diags);
            return NULL;
        }
        if (length->rows > graph->axes[axis].longest) {
            diag_error(diags, (Loc){file, 0, 0},
                       "task '%s': %lld rows on axis %s, which is declared with at most "
                       "%lld",
                       graph->task, (long long)length->rows, length->axis,
                       (long long)graph->axes[axis].longest);
            return NULL;
        }
        rows[axis] = length->rows;
    }
    for (uint32_t i = 0; compare->length_count && i < graph->axis_count; i++) {
        rows[i] = axis_sequence_rows(graph, (int32_t)i, rows);
        if (rows[i] < 0) {
            report_grids(graph, file, &graph->axes[i], diags);
            return NULL;
        }
    }
    return rows;
}

/* Rows that the data bring, pools counted after pooling: encoder and decoder tokens. Rows
 * that a method adds are none, so that a token is the same in every model. */
static int64_t token_count(const Graph *graph, const int64_t *rows)
{
    int64_t tokens = 0;
    for (uint32_t i = 0; i < graph->axis_count; i++) {
        const Axis *axis = &graph->axes[i];
        if (axis->kind == AXIS_KIND_primary || axis->kind == AXIS_KIND_pool)
            tokens += rows[i];
        if (axis->kind == AXIS_KIND_pool)
            tokens -= rows[axis->of[0]];
    }
    return tokens;
}

/* -- figures ---------------------------------------------------------------------------
 */

static FigureBlock *find_block(Compare *compare, const char *task)
{
    for (uint32_t i = 0; i < compare->block_count; i++)
        if (strcmp(compare->blocks[i].task, task) == 0)
            return &compare->blocks[i];
    LIST_ROOM(compare->blocks, compare->block_count + 1, compare->block_capacity);
    FigureBlock *block = &compare->blocks[compare->block_count++];
    block->task = arena_string(compare->arena, task, strlen(task));
    block->has = ARENA_ARRAY(compare->arena, bool, compare->model_count);
    block->values =
        arena_alloc(compare->arena, compare->model_count * sizeof *block->values);
    return block;
}

static double *figures_of(Compare *compare, const char *task, uint32_t model)
{
    FigureBlock *block = find_block(compare, task);
    block->has[model] = true;
    return block->values[model];
}

static int64_t static_bytes(Type type)
{
    return type_static_rows(type) * type_row_bytes(type);
}

static void count_model(const Module *module, double *out)
{
    int64_t all = 0, trained = 0, gradients = 0, states = 0;
    for (uint32_t i = 0; i < module->param_count; i++) {
        const Param *param = &module->params[i];
        int64_t elements = param->buffer ? 0 : type_static_elements(param->type);
        all += elements;
        trained += param->trained ? elements : 0;
        gradients += param->trained ? static_bytes(param->type) : 0;
    }
    for (uint32_t i = 0; i < module->state_count; i++)
        states += static_bytes(module->states[i].type);
    out[FIGURE_parameters] = (double)all;
    out[FIGURE_trained] = (double)trained;
    out[FIGURE_trained_percent] = percent(trained, all);
    out[FIGURE_frozen_bytes] = frozen_bytes(module);
    out[FIGURE_gradient_bytes] = (double)gradients;
    out[FIGURE_state_bytes] = (double)states;
}

static double reduced_flops(const Graph *graph, const int64_t *rows)
{
    ProductCount counts[PRECISION_COUNT] = {0};
    double flops = 0;
    graph_count_products(graph, rows, counts);
    for (Precision i = PRECISION_highest + 1; i < PRECISION_COUNT; i++)
        flops += counts[i].flops;
    return flops;
}

static void count_sequence(const Graph *graph, const int64_t *rows, Rates rates,
                           double *out)
{
    Estimate one = graph_estimate(graph, rows, 1, rates);
    int64_t tokens = token_count(graph, rows);
    double share = tokens > 0 ? 1.0 / (double)tokens : 0;
    out[FIGURE_tokens] = (double)tokens;
    out[FIGURE_forward_flops] = one.flops[STAGE_forward];
    out[FIGURE_backward_flops] = one.flops[STAGE_backward];
    out[FIGURE_forward_flops_per_token] = one.flops[STAGE_forward] * share;
    out[FIGURE_backward_flops_per_token] = one.flops[STAGE_backward] * share;
    out[FIGURE_reduced_flops] = reduced_flops(graph, rows);
    out[FIGURE_saved_bytes] = one.saved_bytes;
    out[FIGURE_slab_bytes] = (double)graph->slab_bytes;
    out[FIGURE_microbatch_rows] = (double)axes_widest_capacity(graph);
    out[FIGURE_kernels] = one.steps;
}

/* Of sequences of which `fit` fill a micro-batch. */
static int64_t count_microbatches(const Compare *compare, const Module *module,
                                  const Graph *graph, const int64_t *rows,
                                  int64_t sequences, int64_t fit)
{
    Roofline roofline = graph_roofline(graph, compare->arena);
    double work = 0, most = (double)sequences;
    for (uint32_t i = 0; i < graph->axis_count; i++)
        work += roofline.row[i] * (double)rows[i] * (double)sequences;
    if (work < most * roofline.once)
        most = work / roofline.once;
    return microbatches_wanted((sequences + fit - 1) / fit, module->settings.lanes,
                               (int64_t)most);
}

static void count_step(const Compare *compare, const Module *module, const Graph *graph,
                       const int64_t *rows, double *out)
{
    Rates rates = {1e9 * compare->arguments->gflops, 1e9 * compare->arguments->bandwidth};
    int64_t fit = sequences_that_fit(graph, rows);
    int64_t sequences = compare->arguments->sequences;
    if (sequences == COUNT_NOT_GIVEN)
        sequences = module_find_task(module, graph->task)->sequences;
    int64_t microbatches =
        count_microbatches(compare, module, graph, rows, sequences, fit);
    int64_t *all_rows = ARENA_ARRAY(compare->arena, int64_t, graph->axis_count);
    for (uint32_t i = 0; i < graph->axis_count; i++)
        all_rows[i] = rows[i] * sequences;
    out[FIGURE_sequences] = (double)sequences;
    out[FIGURE_microbatches] = (double)microbatches;
    out[FIGURE_step_seconds] =
        graph_estimate(graph, all_rows, microbatches, rates).seconds;
    count_sequence(graph, rows, rates, out);
    for (uint32_t i = 0; i < module->graph_count; i++) {
        const Graph *update = module->graphs[i];
        if (update->kind != GRAPH_update || strcmp(update->task, graph->task) != 0)
            continue;
        Estimate estimate = graph_estimate(
            update, axis_rows_of_longest_sequence(update, compare->arena), 1, rates);
        out[FIGURE_update_kernels] = estimate.steps;
        out[FIGURE_step_seconds] += estimate.seconds;
    }
}

/* -- models ----------------------------------------------------------------------------
 */

static bool count_tasks(Compare *compare, const Module *module, uint32_t model,
                        Diags *diags)
{
    const char *file = compare->files[model];
    const char *task = compare->arguments->task;
    const char **names = heap_array(module->graph_count + 1, sizeof *names);
    uint32_t name_count = 0, found = 0;
    bool ok = true;
    for (uint32_t i = 0; i < module->graph_count && ok; i++) {
        const Graph *graph = module->graphs[i];
        if (graph->kind != GRAPH_train)
            continue;
        names[name_count++] = graph->task;
        if (task && strcmp(task, graph->task) != 0)
            continue;
        found++;
        const int64_t *rows = sequence_rows(compare, graph, file, diags);
        ok = rows != NULL;
        if (rows)
            count_step(compare, module, graph, rows,
                       figures_of(compare, graph->task, model));
    }
    if (ok && !found && task)
        unknown_name(diags, (Loc){file, 0, 0}, "task", task, names, name_count);
    else if (ok && !found)
        diag_error(diags, (Loc){file, 0, 0}, "it trains no task");
    free(names);
    return ok && found;
}

static bool is_planned(const Module *module)
{
    for (uint32_t i = 0; i < module->graph_count; i++) {
        const Graph *graph = module->graphs[i];
        bool runs = graph->kind == GRAPH_train || graph->kind == GRAPH_update;
        if (runs && !(graph->planned && module_find_task(module, graph->task)))
            return false;
    }
    return true;
}

static bool count_file(Compare *compare, uint32_t model, Diags *diags)
{
    const char *file = compare->files[model];
    const char *precision = compare->arguments->matmul_precision,
               *frozen = compare->arguments->frozen;
    PassOptions options = {.memory_budget = compare->arguments->memory_budget,
                           .matmul_precision = precision,
                           .frozen = frozen};
    bool lowered;
    Module *module = load_module(file, &compare->arguments->sets, diags, &lowered);
    bool ok =
        module &&
        precision_can_be_set(file, "--matmul-precision", precision, lowered, diags) &&
        precision_can_be_set(file, "--frozen", frozen, lowered, diags) &&
        (!lowered || passes_run(module, &options, diags));
    if (ok && !is_planned(module)) {
        diag_error(diags, (Loc){file, 0, 0},
                   "expected a .vg file or a plan; this is text that no 'vlc compile' "
                   "has planned");
        ok = false;
    }
    if (ok) {
        compare->models[model] =
            arena_string(compare->arena, module->name, strlen(module->name));
        count_model(module, figures_of(compare, "", model));
        ok = count_tasks(compare, module, model, diags);
    }
    module_free(module);
    return ok;
}

/* Models of one name are told apart by their files. */
static void name_columns(Compare *compare)
{
    const char **names = ARENA_ARRAY(compare->arena, const char *, compare->model_count);
    for (uint32_t i = 0; i < compare->model_count; i++) {
        uint32_t same = 0;
        for (uint32_t j = 0; j < compare->model_count; j++)
            same += strcmp(compare->models[i], compare->models[j]) == 0;
        names[i] = same > 1 ? compare->files[i] : compare->models[i];
    }
    compare->models = names;
}

static int compare_models(const CompareArguments *arguments, Diags *diags)
{
    Arena *arena = arena_new();
    Compare compare = {.arena = arena,
                       .arguments = arguments,
                       .model_count = arguments->files.count,
                       .files = arguments->files.items};
    int status = EXIT_CODE_usage;
    if (read_lengths(&compare)) {
        status = EXIT_CODE_done;
        compare.models = ARENA_ARRAY(arena, const char *, compare.model_count);
        find_block(&compare, "");
        for (uint32_t i = 0; i < compare.model_count; i++)
            if (!count_file(&compare, i, diags))
                status = EXIT_CODE_input;
    }
    if (status == EXIT_CODE_done) {
        name_columns(&compare);
        compare_print(&compare, arguments->format);
    }
    free(compare.blocks);
    arena_free(arena);
    return status;
}

static int cmd_compare(const void *arguments)
{
    Diags *diags = diags_new(stderr);
    int status = compare_models(arguments, diags);
    diags_free(diags);
    return status;
}

const Command command_compare = {.name = "compare",
                                 .operands = "FILE...",
                                 .least_operands = 1,
                                 .most_operands = ANY_NUMBER,
                                 .operand_field = offsetof(CompareArguments, files),
                                 .help = "what models cost to train, side by side",
                                 .details = "Compiles models, and prints what it takes "
                                            "to train them: parameters, FLOPs, memory\n"
                                            "and an estimate of time.",
                                 COMMAND_OPTIONS(compare_options),
                                 COMMAND_ARGUMENTS(CompareArguments),
                                 .run = cmd_compare};
