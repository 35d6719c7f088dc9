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

typedef struct VerifyCommand {
    const char *plan, *recorded, *weights, *split, *tolerance, *task, *processor,
        *dump_kernels;
    bool nodes, verbose, no_cache;
    int64_t lanes, sequences, longest, seed;
} VerifyCommand;

static bool parse(VerifyCommand *command, int argc, char **argv, int *out_code)
{
    *command =
        (VerifyCommand){.sequences = 3, .longest = 12, .seed = 1, .tolerance = "1e-4"};
    const Option options[] = {
        {"--case", OPTION_text, &command->recorded, "FILE",
         "a recorded case, .safetensors"},
        {"--weights", OPTION_text, &command->weights, "PATH",
         "with --case: parameters from here, not from the case"},
        {"--nodes", OPTION_flag, &command->nodes, NULL,
         "every kernel against the interpreter"},
        {"--lanes", OPTION_count, &command->lanes, "N", "threads; 0: one per processor"},
        OPTION_PROCESSOR(command->processor),
        OPTION_DUMP_KERNELS(command->dump_kernels),
        {"--split", OPTION_text, &command->split, "A,B,..",
         "sequences of each micro-batch"},
        {"--sequences", OPTION_count, &command->sequences, "N",
         "with --nodes: in a batch; 3"},
        {"--longest", OPTION_count, &command->longest, "N",
         "with --nodes: rows of a sequence; 12"},
        {"--task", OPTION_text, &command->task, "NAME",
         "with --nodes: only this task's graphs"},
        {"--seed", OPTION_count, &command->seed, "N",
         "with --nodes: of the random batch; 1"},
        {"--tolerance", OPTION_text, &command->tolerance, "X",
         "with --nodes: of an output's largest magnitude; 1e-4"},
        {"--no-cache", OPTION_flag, &command->no_cache, NULL,
         "compile every kernel anew"},
        {"--verbose", OPTION_flag, &command->verbose, NULL, "a line per tensor"},
    };
    const Usage usage = {
        .command = "verify",
        .operands = "plan.bin",
        .help = "Compares a plan's numbers with a recorded case (--case), or "
                "every kernel with\nthe reference interpreter (--nodes).",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .operand_count = 1};
    if (!options_parse(&usage, argc, argv, &command->plan, out_code))
        return false;
    bool is_one = command->nodes != (command->recorded != NULL);
    if (is_one && !(command->nodes && command->weights) && command->sequences > 0)
        return true;
    fprintf(stderr, is_one && command->weights
                        ? "vlrun verify: --weights goes with --case\n"
                        : "vlrun verify: give either --case FILE or --nodes\n");
    *out_code = EXIT_CODE_usage;
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

static bool is_task(const Module *module, const char *name)
{
    for (uint32_t i = 0; i < module->task_count; i++)
        if (strcmp(module->tasks[i].name, name) == 0)
            return true;
    return false;
}

static int verify_nodes(const VerifyCommand *command, const Module *module,
                        const SessionOptions *options, Diags *diags)
{
    char *end;
    VerifyReport report = {.tolerance = strtod(command->tolerance, &end), .out = stderr};
    if (*end || !(report.tolerance > 0)) {
        fprintf(stderr, "vlrun verify: --tolerance takes a number above 0, not '%s'\n",
                command->tolerance);
        return EXIT_CODE_usage;
    }
    if (command->task && !is_task(module, command->task)) {
        diag_error(diags, (Loc){.file = command->plan}, "the plan has no task '%s'",
                   command->task);
        return EXIT_CODE_input;
    }
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

static int verify_recorded(const VerifyCommand *command, const Module *module,
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

int cmd_verify(int argc, char **argv)
{
    VerifyCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    int64_t *sizes = heap_array(MOST_SPLITS, sizeof *sizes);
    SessionOptions options = {.lanes = (uint32_t)command.lanes,
                              .processor = command.processor,
                              .dump_kernels = command.dump_kernels};
    if (command.split && !parse_split(command.split, sizes, &options.split.size_count)) {
        fprintf(stderr, "vlrun verify: --split takes numbers like 1,2,1, not '%s'\n",
                command.split);
        free(sizes);
        return EXIT_CODE_usage;
    }
    options.split.sizes = command.split ? sizes : NULL;
    char *cache = command.no_cache ? NULL : cache_dir_path();
    options.cache_dir = cache;
    Diags *diags = diags_new(stderr);
    Module *module = module_read(command.plan, diags);
    code = EXIT_CODE_input;
    if (module)
        code = command.nodes ? verify_nodes(&command, module, &options, diags)
                             : verify_recorded(&command, module, &options, diags);
    if (module)
        module_free(module);
    diags_free(diags);
    free(cache);
    free(sizes);
    return code;
}
