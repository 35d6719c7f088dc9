/* vlrun bench: training steps on random batches of given lengths, side by side for
 * several numbers of lanes: rounds take the sessions in turn, so that a machine whose
 * speed drifts slows all of them alike. Or steps on batches as they are read, beside the
 * same batches held in memory: runtime/vlrun/bench_data.c. Or steps on one batch, when
 * another program asks for them: runtime/vlrun/bench_serve.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "ir/base/cache_dir.h"
#include "ir/base/clock.h"
#include "ir/base/command_line.h"
#include "ir/base/heap.h"
#include "ir/cost.h"
#include "runtime/check/random_batch.h"
#include "runtime/run/run.h"
#include "runtime/vlrun/bench_data.h"
#include "runtime/vlrun/bench_serve.h"
#include "runtime/vlrun/commands.h"
#include "runtime/vlrun/precisions.h"

enum { MOST = 8 };

typedef struct BenchArguments {
    const char *plan, *weights, *task, *lengths, *lanes, *data, *tokenizer, *serve,
        *processor, *dump_kernels;
    int64_t sequences, rounds;
} BenchArguments;

typedef struct Bench {
    const Graph *graph; /* the train graph of the task */
    Batch *batch;
    Session *sessions[MOST];
    double *seconds[MOST]; /* [rounds] */
    int64_t lanes[MOST];
    uint32_t count;
    double flops; /* of one step, without the update */
} Bench;

/* -- the command line ------------------------------------------------------------ */

/* A number of 1 or more at `text`, up to a comma or the end; moves `text` past it. */
static bool take_number(const char **text, int64_t *out)
{
    char *end;
    *out = strtoll(*text, &end, 10);
    bool ok = end != *text && *out >= 1 && *out <= INT32_MAX && (!*end || *end == ',');
    *text = *end == ',' ? end + 1 : end;
    return ok;
}

static bool parse_lanes(const char *text, Bench *bench)
{
    for (bench->count = 0; *text; bench->count++)
        if (bench->count == MOST || !take_number(&text, &bench->lanes[bench->count]))
            return false;
    return bench->count > 0;
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
        if (!equals || *out_count == MOST || !take_number(&rest, &out[*out_count].rows)) {
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

#define AT(field) offsetof(BenchArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--weights", AT(weights), "PATH",
           "a model directory, safetensors or index file; else random"),
    OPTION(text, "--task", AT(task), "NAME", "whose graphs; default: the first"),
    OPTION(count, "--sequences", AT(sequences), "N", "in a batch", .preset = "16",
           .least = 1),
    OPTION(text, "--lengths", AT(lengths), "A=N,..",
           "rows of every sequence on primary axes; else random"),
    OPTION(text, "--lanes", AT(lanes), "N,..",
           "threads, side by side; default 1,2; with --data or --serve one number"),
    OPTION(count, "--rounds", AT(rounds), "N", "steps of each, after a first",
           .preset = "5", .least = 1),
    OPTION(path, "--data", AT(data), "DIR",
           "steps on these data (or shapes) instead: read, beside held in memory"),
    OPTION(path, "--tokenizer", AT(tokenizer), "PATH", "as for train"),
    OPTION(path, "--serve", AT(serve), "FILE",
           "a step of this recorded case for each line 'step' that is read"),
    OPTION_PROCESSOR(AT(processor)),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
};
#undef AT

/* -- measuring ------------------------------------------------------------------- */

static const Graph *find_graph(const Module *module, const char *task, Diags *diags)
{
    const char *names[MOST];
    uint32_t count = 0;
    for (uint32_t i = 0; i < module->graph_count; i++) {
        const Graph *graph = module->graphs[i];
        if (graph->kind != GRAPH_train)
            continue;
        if (!task || strcmp(graph->task, task) == 0)
            return graph;
        if (count < MOST)
            names[count++] = graph->task;
    }
    const char *near = task ? nearest_name(task, names, count) : NULL;
    diag_error(diags, (Loc){0}, "the plan trains no task%s%s%s%s%s", task ? " '" : "",
               task ? task : "", task ? "'" : "", near ? "; did you mean " : "",
               near ? near : "");
    return NULL;
}

static double step_flops(const Bench *bench)
{
    const Graph *graph = bench->graph;
    Arena *arena = arena_new();
    int64_t *rows = ARENA_ARRAY(arena, int64_t, graph->axis_count);
    for (uint32_t a = 0; a < graph->axis_count; a++)
        rows[a] = random_batch_rows(graph, bench->batch, (int32_t)a);
    double flops = 0;
    for (uint32_t i = 0; i < graph->node_count; i++)
        flops += node_flops(graph, graph->nodes[i], rows);
    arena_free(arena);
    return flops;
}

/* One round takes every session once; the first is not counted. */
static bool run_rounds(Bench *bench, int64_t rounds, double rate, Diags *diags)
{
    for (int64_t round = -1; round < rounds; round++)
        for (uint32_t i = 0; i < bench->count; i++) {
            StepResult result;
            double begun = clock_seconds();
            if (!session_train_step(bench->sessions[i], bench->batch,
                                    (uint64_t)(round + 1), rate, &result, diags))
                return false;
            if (round >= 0)
                bench->seconds[i][round] = clock_seconds() - begun;
        }
    return true;
}

static void print_bench(Bench *bench, const BenchArguments *command, const Module *module)
{
    printf("task %s, %lld sequences, %.1f GFLOP in a step\non %s\n", bench->graph->task,
           (long long)command->sequences, bench->flops / 1e9,
           session_processor(bench->sessions[0])->text);
    print_precisions(module, bench->graph);
    printf("\n%5s  %9s  %9s  %11s  %9s  %s\n", "lanes", "fastest", "median",
           "sequences/s", "GFLOP/s", "median against the first");
    double first = 0;
    for (uint32_t i = 0; i < bench->count; i++) {
        double median = bench_median(bench->seconds[i], command->rounds);
        first = i == 0 ? median : first;
        printf("%5lld  %7.3f s  %7.3f s  %11.2f  %9.1f  %.2f\n",
               (long long)bench->lanes[i], bench->seconds[i][0], median,
               (double)command->sequences / median, bench->flops / median / 1e9,
               median / first);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("\nmost resident memory, all of them together: %.1f MiB\n",
           (double)usage.ru_maxrss / 1024);
}

static bool measure(Bench *bench, const BenchArguments *command, Run *run, Diags *diags)
{
    bench->graph = find_graph(run->module, command->task, diags);
    char *lengths = heap_string(command->lengths ? command->lengths : "");
    FixedLength fixed[MOST];
    RandomBatch wanted = {.sequences = command->sequences, .seed = 1, .fixed = fixed};
    bool ok = bench->graph &&
              parse_lengths(lengths, bench->graph, fixed, &wanted.fixed_count, diags);
    if (ok) {
        bench->batch = random_batch(bench->graph, &wanted);
        bench->flops = step_flops(bench);
    }
    char *cache = cache_dir_path();
    for (uint32_t i = 0; ok && i < bench->count; i++) {
        const SessionOptions options = {.lanes = (uint32_t)bench->lanes[i],
                                        .cache_dir = cache,
                                        .processor = command->processor,
                                        .dump_kernels =
                                            i == 0 ? command->dump_kernels : NULL};
        bench->seconds[i] = heap_array((size_t)command->rounds, sizeof(double));
        bench->sessions[i] = session_new(run->module, run->store, &options, diags);
        ok = bench->sessions[i] != NULL;
    }
    ok = ok && run_rounds(bench, command->rounds, run->module->settings.lr, diags);
    if (ok)
        print_bench(bench, command, run->module);
    for (uint32_t i = 0; i < bench->count; i++) {
        session_free(bench->sessions[i]);
        free(bench->seconds[i]);
    }
    batch_free(bench->batch);
    free(lengths);
    free(cache);
    return ok;
}

static int cmd_bench(const void *arguments)
{
    const BenchArguments *command = arguments;
    Bench bench = {0};
    const char *lanes = command->lanes ? command->lanes : "1,2";
    if (!parse_lanes(lanes, &bench)) {
        fprintf(stderr,
                "vlrun bench: --lanes takes up to %d numbers like 1,2, not '%s'\n", MOST,
                lanes);
        return EXIT_CODE_usage;
    }
    const char *other = command->data ? "--data" : command->serve ? "--serve" : NULL;
    if (command->data && command->serve) {
        fprintf(stderr, "vlrun bench: either --data DIR or --serve FILE, not both\n");
        return EXIT_CODE_usage;
    }
    if (other && command->lanes && bench.count > 1) {
        fprintf(stderr, "vlrun bench: with %s, --lanes takes one number, not '%s'\n",
                other, lanes);
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command->plan,
                                .weights = command->weights,
                                .random_weights = true,
                                .no_session = true,
                                .dump_kernels = command->dump_kernels};
    const BenchData data = {
        .data = {.directory = command->data, .tokenizer = command->tokenizer},
        .lanes = command->lanes ? bench.lanes[0] : 0,
        .processor = command->processor,
        .dump_kernels = command->dump_kernels,
        .rounds = command->rounds};
    const BenchServe serve = {.batch = command->serve,
                              .lanes = data.lanes,
                              .processor = command->processor,
                              .dump_kernels = command->dump_kernels};
    Run run;
    int code = EXIT_CODE_input;
    if (run_open(&run, &options, diags)) {
        if (command->data    ? bench_data(&data, &run, diags)
            : command->serve ? bench_serve(&serve, &run, diags)
                             : measure(&bench, command, &run, diags))
            code = EXIT_CODE_done;
        run_close(&run);
    }
    diags_free(diags);
    return code;
}

const Command command_bench = {
    .name = "bench",
    .operands = "plan.bin",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(BenchArguments, plan),
    .help = "time training steps on random batches, for several numbers of lanes",
    .details = "Times training steps, update included.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(BenchArguments),
    .run = cmd_bench};
