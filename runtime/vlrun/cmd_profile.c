/* vlrun profile: one lane, call by call, with a clock around each. Lanes share no call,
 * so more of them would show the same shares; how they slow each other, `bench` shows. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/command_line.h"
#include "ir/base/list.h"
#include "ir/cost.h"
#include "ir/liveness.h"
#include "runtime/exec/exec.h"
#include "runtime/run/run.h"
#include "runtime/vlrun/commands.h"

enum { WIDEST_LABEL = 60 };

typedef struct ProfileArguments {
    const char *plan, *data, *weights, *processor, *dump_kernels;
    int64_t steps, rows;
    RunOther other;
} ProfileArguments;

/* All calls of one label. */
typedef struct ProfileLine {
    const char *label;
    CallKind kind;
    int64_t calls;
    double seconds, flops;
} ProfileLine;

/* What is known of a graph before it runs. */
typedef struct GraphCalls {
    uint32_t *line_of; /* by call */
    Liveness liveness;
    int64_t *axis_rows; /* scratch, by axis */
} GraphCalls;

typedef struct Profile {
    Arena *arena;
    const Run *run;
    GraphCalls *graphs; /* by graph of the module */
    ProfileLine *lines;
    uint32_t line_count;
    size_t line_capacity;
} Profile;

/* -- lines ----------------------------------------------------------------------- */

static uint32_t line_for(Profile *profile, const Call *call)
{
    for (uint32_t i = 0; i < profile->line_count; i++)
        if (profile->lines[i].kind == call->kind &&
            strcmp(profile->lines[i].label, call->label) == 0)
            return i;
    LIST_ROOM(profile->lines, profile->line_count + 1, profile->line_capacity);
    profile->lines[profile->line_count] =
        (ProfileLine){.label = call->label, .kind = call->kind};
    return profile->line_count++;
}

static void list_calls(Profile *profile, GraphCalls *calls, const Program *program)
{
    calls->liveness = liveness_of(program->graph, profile->arena);
    calls->axis_rows = ARENA_ARRAY(profile->arena, int64_t, program->graph->axis_count);
    calls->line_of = ARENA_ARRAY(profile->arena, uint32_t, program->call_count);
    for (uint32_t i = 0; i < program->call_count; i++)
        calls->line_of[i] = line_for(profile, &program->calls[i]);
}

/* Operations of all nodes of the call's step. */
static double call_flops(const GraphCalls *calls, const Graph *graph, const Call *call)
{
    double flops = 0;
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (calls->liveness.step_of[i] == (int32_t)call->step)
            flops += node_flops(graph, graph->nodes[i], calls->axis_rows);
    return flops;
}

/* -- running --------------------------------------------------------------------- */

static void time_calls(Profile *profile, uint32_t graph, const Walk *walk)
{
    GraphCalls *calls = &profile->graphs[graph];
    if (!calls->line_of)
        list_calls(profile, calls, walk->program);
    for (uint32_t a = 0; a < walk->program->graph->axis_count; a++)
        calls->axis_rows[a] = walk->views[a].rows;
    for (uint32_t i = 0; i < walk->program->call_count; i++) {
        const Call *call = &walk->program->calls[i];
        ProfileLine *line = &profile->lines[calls->line_of[i]];
        double begun = clock_seconds();
        exec_call(walk->exec, i, walk->context);
        line->seconds += clock_seconds() - begun;
        line->calls++;
        line->flops += call_flops(calls, walk->program->graph, call);
    }
}

/* The graphs of the batch's task that a training step runs, micro-batch by
 * micro-batch. */
static bool time_step(Profile *profile, const Batch *batch, int64_t step, Diags *diags)
{
    const Module *module = profile->run->module;
    session_set_rate(profile->run->session, module->settings.lr);
    for (uint32_t g = 0; g < module->graph_count; g++) {
        const Graph *graph = module->graphs[g];
        if (strcmp(graph->task, batch->task) != 0 ||
            (graph->kind != GRAPH_train && graph->kind != GRAPH_update))
            continue;
        const Batch *fields = graph->kind == GRAPH_train ? batch : NULL;
        Walk walk = {.microbatches = 1};
        for (int64_t i = 0; i < walk.microbatches; i++) {
            if (!session_walk(profile->run->session, g, fields, i, (uint64_t)step, &walk,
                              diags))
                return false;
            time_calls(profile, g, &walk);
        }
    }
    return true;
}

static bool time_steps(Profile *profile, DataSource *source, int64_t steps, Diags *diags)
{
    for (int64_t step = 0; step < steps; step++) {
        Batch *batch = source->train_batch(source->state, step, diags);
        bool ok = batch && time_step(profile, batch, step, diags);
        batch_free(batch);
        if (!ok)
            return false;
    }
    return true;
}

/* -- the table ------------------------------------------------------------------- */

static int by_seconds(const void *a, const void *b)
{
    const ProfileLine *x = a, *y = b;
    return x->seconds > y->seconds ? -1 : x->seconds < y->seconds;
}

static void print_line(const ProfileLine *line, double all)
{
    double rate = line->seconds > 0 ? line->flops / line->seconds / 1e9 : 0;
    printf("%6.2f %%  %10.3f ms  %7.2f  %8lld  %s%.*s\n", 100 * line->seconds / all,
           1e3 * line->seconds, rate, (long long)line->calls,
           line->kind == CALL_gemm ? "gemm " : "", WIDEST_LABEL, line->label);
}

static void print_profile(Profile *profile, const ProfileArguments *command)
{
    ProfileLine sums[] = {
        {.label = "matrix products"}, {.label = "kernels"}, {.label = "everything"}};
    qsort(profile->lines, profile->line_count, sizeof *profile->lines, by_seconds);
    for (uint32_t i = 0; i < profile->line_count; i++) {
        const ProfileLine *line = &profile->lines[i];
        ProfileLine *both[] = {&sums[line->kind == CALL_gemm ? 0 : 1], &sums[2]};
        for (int k = 0; k < 2; k++) {
            both[k]->seconds += line->seconds;
            both[k]->flops += line->flops;
            both[k]->calls += line->calls;
        }
    }
    double all = sums[2].seconds > 0 ? sums[2].seconds : 1e-9;
    printf("%lld steps on one lane of %s\n\n", (long long)command->steps,
           session_processor(profile->run->session)->text);
    printf("%8s  %13s  %7s  %8s  what\n", "share", "time", "GFLOP/s", "calls");
    for (uint32_t i = 0; i < profile->line_count && i < command->rows; i++)
        print_line(&profile->lines[i], all);
    printf("\n");
    for (int i = 0; i < 3; i++)
        print_line(&sums[i], all);
}

/* -- the command ----------------------------------------------------------------- */

#define AT(field) offsetof(ProfileArguments, field)
static const Option option_rows[] = {
    OPTION(count, "--steps", AT(steps), "N", "training steps to time", .preset = "8"),
    OPTION(count, "--rows", AT(rows), "N", "rows of the table", .preset = "40"),
    OPTION(path, "--data", AT(data), "DIR",
           "data sets, if not the run's; shapes: built in, and taken without a run"),
    OPTIONS_OTHER(AT(other)),
    OPTION(path, "--weights", AT(weights), "PATH", "safetensors with parameters"),
    OPTION_PROCESSOR(AT(processor)),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
};
#undef AT

static bool profile_run(const ProfileArguments *command, const Run *run, Diags *diags)
{
    Profile profile = {.arena = arena_new(), .run = run};
    profile.graphs = ARENA_ARRAY(profile.arena, GraphCalls, run->module->graph_count);
    DataOptions data = {.directory = command->data, .weights = run_weights_path(run)};
    DataSource *source = run_open_data(run, &data, NULL, diags);
    bool ok = source && time_steps(&profile, source, command->steps, diags);
    if (ok)
        print_profile(&profile, command);
    data_close(source);
    free(profile.lines);
    arena_free(profile.arena);
    return ok;
}

static int cmd_profile(const void *arguments)
{
    const ProfileArguments *command = arguments;
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command->plan,
                                .weights = command->weights,
                                .processor = command->processor,
                                .dump_kernels = command->dump_kernels,
                                .other = command->other,
                                .random_weights = true, /* as fast as any */
                                .threads = 1};
    Run run;
    int code = EXIT_CODE_input;
    if (run_open(&run, &options, diags)) {
        if (profile_run(command, &run, diags))
            code = EXIT_CODE_done;
        run_close(&run);
    }
    diags_free(diags);
    return code;
}

const Command command_profile = {
    .name = "profile",
    .operands = "plan.bin | RUN",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(ProfileArguments, plan),
    .help = "time a plan's kernels over some training steps",
    .details = "Times every kernel of a plan over some training steps, on one lane.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ProfileArguments),
    .run = cmd_profile};
