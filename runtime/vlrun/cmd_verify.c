/* vlrun verify: a plan against a recorded case, or its kernels against the
 * interpreter. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/cache_dir.h"
#include "ir/base/command_line.h"
#include "ir/base/heap.h"
#include "ir/base/random.h"
#include "ir/plan.h"
#include "runtime/check/random_batch.h"
#include "runtime/check/verify.h"
#include "runtime/check/verify_case.h"
#include "runtime/vlrun/commands.h"

enum { MOST_SPLITS = 4096 };

typedef struct VerifyArguments {
    const char *plan, *recorded, *weights, *split, *task, *processor, *gemm,
        *dump_kernels;
    bool nodes, verbose, no_cache;
    int64_t lanes, sequences, longest, seed;
    double tolerance;
} VerifyArguments;

#define AT(field) offsetof(VerifyArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--case", AT(recorded), "FILE", "a recorded case, .safetensors"),
    OPTION(path, "--weights", AT(weights), "PATH",
           "with --case: parameters from here, not from the case"),
    OPTION(flag, "--nodes", AT(nodes), NULL, "every kernel against the interpreter"),
    OPTION(count, "--lanes", AT(lanes), "N", "threads; 0: one per processor",
           .preset = "0"),
    OPTION_PROCESSOR(AT(processor)),
    OPTION_GEMM(AT(gemm)),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
    OPTION(text, "--split", AT(split), "A,B,..", "sequences of each micro-batch"),
    OPTION(count, "--sequences", AT(sequences), "N", "with --nodes: in a batch",
           .preset = "3", .least = 1),
    OPTION(count, "--longest", AT(longest), "N", "with --nodes: rows of a sequence",
           .preset = "12"),
    OPTION(text, "--task", AT(task), "NAME", "with --nodes: only this task's graphs"),
    OPTION(count, "--seed", AT(seed), "N", "with --nodes: of the random batch",
           .preset = "1"),
    OPTION(number, "--tolerance", AT(tolerance), "X",
           "with --nodes: of an output's largest magnitude", .preset = "1e-4"),
    OPTION(flag, "--no-cache", AT(no_cache), NULL, "compile every kernel anew"),
    OPTION(flag, "--verbose", AT(verbose), NULL, "a line per tensor"),
};
#undef AT

static bool check(const VerifyArguments *command)
{
    bool is_one = command->nodes != (command->recorded != NULL);
    if (is_one && !(command->nodes && command->weights))
        return true;
    fprintf(stderr, is_one ? "vlrun verify: --weights goes with --case\n"
                           : "vlrun verify: give either --case FILE or --nodes\n");
    return false;
}

/* "1,2,3" as numbers; false unless all are 1 or more. */
static bool parse_split(const char *text, int64_t *sizes, uint32_t *out_count)
{
    uint32_t count = 0;
    for (const char *at = text; at; count++) {
        char *end;
        errno = 0;
        long long size = strtoll(at, &end, 10);
        if (end == at || errno || size < 1 || (*end && *end != ',') ||
            count == MOST_SPLITS)
            return false;
        sizes[count] = size;
        at = *end ? end + 1 : NULL;
    }
    *out_count = count;
    return true;
}

/* Numbers of ordinary size: parameters around 0 with a deviation that keeps products of
 * the usual widths near 1; vectors, mostly gains, around 1; states above 0, since some
 * are squares. */
static void fill_store(Store *store, uint64_t seed)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        StoreEntry *entry = store_at(store, i);
        double scale = 1.7 / sqrt((double)type_width(entry->type));
        uint64_t key = random_step_key(seed, i);
        for (int64_t e = 0; e < entry->elements; e++) {
            double unit = random_unit(key, (uint64_t)e);
            double value = entry->type.rank == 1 ? 1 + 0.3 * unit : scale * unit;
            entry->data[e] = (float)(entry->state ? 0.3 + 0.2 * unit : value);
        }
    }
}

static int verify_nodes(const VerifyArguments *command, const Module *module,
                        const SessionOptions *options, Diags *diags)
{
    VerifyReport report = {.tolerance = command->tolerance, .out = stderr};
    if (command->task &&
        !module_named_task(module, command->task, (Loc){.file = command->plan}, diags))
        return EXIT_CODE_input;
    Store *store = store_new(module);
    fill_store(store, (uint64_t)command->seed);
    Session *session = session_new(module, store, options, diags);
    VerifyBatches batches = {.sequences = command->sequences,
                             .longest = command->longest,
                             .seed = (uint64_t)command->seed,
                             .task = command->task};
    bool is_run = session && verify_module(session, &batches, &report, diags);
    if (is_run)
        verify_print(&report, stdout);
    session_free(session);
    store_free(store);
    return !is_run           ? EXIT_CODE_input
           : report.failures ? EXIT_CODE_numbers
                             : EXIT_CODE_done;
}

static int verify_recorded(const VerifyArguments *command, const Module *module,
                           const SessionOptions *session, Diags *diags)
{
    CaseOptions options = {.path = command->recorded,
                           .session = *session,
                           .verbose = command->verbose,
                           .out = stdout};
    TensorSet *weights =
        command->weights ? tensor_set_open(command->weights, diags) : NULL;
    if (command->weights && !weights)
        return EXIT_CODE_input;
    options.weights = weights;
    Verdict verdict = verify_case(module, &options, diags);
    tensor_set_close(weights);
    switch (verdict) {
    case VERDICT_equal:
        return EXIT_CODE_done;
    case VERDICT_different:
        return EXIT_CODE_numbers;
    default:
        return EXIT_CODE_input;
    }
}

static int cmd_verify(const void *arguments)
{
    const VerifyArguments *command = arguments;
    if (!check(command))
        return EXIT_CODE_usage;
    int64_t *sizes = heap_array(MOST_SPLITS, sizeof *sizes);
    SessionOptions options = {.lanes = (uint32_t)command->lanes,
                              .processor = command->processor,
                              .gemm = command->gemm,
                              .dump_kernels = command->dump_kernels};
    if (command->split &&
        !parse_split(command->split, sizes, &options.split.size_count)) {
        fprintf(stderr, "vlrun verify: --split takes numbers like 1,2,1, not '%s'\n",
                command->split);
        free(sizes);
        return EXIT_CODE_usage;
    }
    options.split.sizes = command->split ? sizes : NULL;
    char *cache = command->no_cache ? NULL : cache_dir_path();
    options.cache_dir = cache;
    Diags *diags = diags_new(stderr);
    Module *module = module_read(command->plan, diags);
    int code = EXIT_CODE_input;
    if (module)
        code = command->nodes ? verify_nodes(command, module, &options, diags)
                              : verify_recorded(command, module, &options, diags);
    if (module)
        module_free(module);
    diags_free(diags);
    free(cache);
    free(sizes);
    return code;
}

const Command command_verify = {
    .name = "verify",
    .operands = "plan.bin",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(VerifyArguments, plan),
    .help = "compare a plan's numbers with a recorded case or the reference interpreter",
    .details = "Compares a plan's numbers with a recorded case (--case), or "
               "every kernel with\nthe reference interpreter (--nodes).",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(VerifyArguments),
    .run = cmd_verify};
