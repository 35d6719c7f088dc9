/* vlrun bench: training steps on random batches of given lengths, side by side for
 * several numbers of lanes: rounds take the sessions in turn, so that a machine whose
 * speed drifts slows all of them alike. Or steps on batches as they are read, beside the
 * same batches held in memory: runtime/vlrun/bench_data.c. Or steps on one batch, when
 * another program asks for them: runtime/vlrun/bench_serve.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "ir/base/clock.h"
#include "ir/base/command_line.h"
#include "ir/base/heap.h"
#include "ir/cost.h"
#include "runtime/check/random_batch.h"
#include "runtime/run/run.h"
#include "runtime/vlrun/bench_data.h"
#include "runtime/vlrun/bench_serve.h"
#include "runtime/vlrun/commands.h"
#include "runtime/vlrun/cuts.h"
#include "runtime/vlrun/precisions.h"
#include "runtime/vlrun/timed_batch.h"

enum { MOST = 8 };

typedef struct BenchArguments {
    const char *plan, *weights, *lanes, *data, *tokenizer, *serve, *processor, *gemm,
        *dump_kernels;
    TimedBatch batch;
    int64_t rounds;
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

static bool parse_lanes(const char *text, Bench *bench)
{
    for (bench->count = 0; *text; bench->count++)
        if (bench->count == MOST || !take_number(&text, &bench->lanes[bench->count]))
            return false;
    return bench->count > 0;
}

#define AT(field) offsetof(BenchArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--weights", AT(weights), "PATH",
           "a model directory, safetensors, PyTorch or index file; else random"),
    OPTIONS_TIMED_BATCH(AT(batch)),
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
    OPTION_GEMM(AT(gemm)),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
};
#undef AT

/* -- measuring ------------------------------------------------------------------- */

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
           (long long)bench->batch->sequences, bench->flops / 1e9,
           session_processor(bench->sessions[0])->text);
    print_cuts(module, bench->graph, stdout);
    print_precisions(module, bench->graph, stdout);
    printf("\n%5s  %9s  %9s  %11s  %9s  %s\n", "lanes", "fastest", "median",
           "sequences/s", "GFLOP/s", "median against the first");
    double first = 0;
    for (uint32_t i = 0; i < bench->count; i++) {
        double median = bench_median(bench->seconds[i], command->rounds);
        first = i == 0 ? median : first;
        printf("%5lld  %7.3f s  %7.3f s  %11.2f  %9.1f  %.2f\n",
               (long long)bench->lanes[i], bench->seconds[i][0], median,
               (double)bench->batch->sequences / median, bench->flops / median / 1e9,
               median / first);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("\nmost resident memory, all of them together: %.1f MiB\n",
           (double)usage.ru_maxrss / 1024);
}

static BenchSession session_of(const BenchArguments *command, int64_t lanes,
                               const char *dump_kernels)
{
    return (BenchSession){.processor = command->processor,
                          .gemm = command->gemm,
                          .dump_kernels = dump_kernels,
                          .lanes = lanes};
}

static bool measure(Bench *bench, const BenchArguments *command, Run *run, Diags *diags)
{
    bench->graph = timed_graph(run->module, command->batch.task, diags);
    bench->batch =
        bench->graph ? timed_batch(&command->batch, bench->graph, diags) : NULL;
    bool ok = bench->batch;
    if (ok)
        bench->flops = step_flops(bench);
    for (uint32_t i = 0; ok && i < bench->count; i++) {
        const char *dump = i == 0 ? command->dump_kernels : NULL;
        bench->seconds[i] = heap_array((size_t)command->rounds, sizeof(double));
        const BenchSession session = session_of(command, bench->lanes[i], dump);
        bench->sessions[i] = bench_session(&session, run, diags);
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
    const char *random = timed_batch_option(&command->batch);
    if (other && random) {
        fprintf(stderr, "vlrun bench: %s is of random batches; %s has its own\n", random,
                other);
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command->plan,
                                .weights = command->weights,
                                .random_weights = true,
                                .no_session = true,
                                .dump_kernels = command->dump_kernels};
    const BenchSession session =
        session_of(command, command->lanes ? bench.lanes[0] : 0, command->dump_kernels);
    const BenchData data = {.session = session,
                            .data = {.directory = command->data,
                                     .tokenizer = command->tokenizer,
                                     .progress = stderr},
                            .rounds = command->rounds};
    const BenchServe serve = {.session = session, .batch = command->serve};
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
