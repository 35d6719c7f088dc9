/* vlrun extract */
#include <stdlib.h>

#include "ir/base/command_line.h"
#include "runtime/vlrun/commands.h"
#include "runtime/vlrun/extract.h"

/* Seconds from picture to picture; the preset is that of the published features. */
static const double SHORTEST = 1e-3, LONGEST = 86400;

typedef struct ExtractArguments {
    const char *plan, *weights, *processor, *gemm, *dump_kernels;
    ExtractOptions options;
    int64_t threads;
    bool random_weights, no_cache;
} ExtractArguments;

static bool check(const ExtractArguments *command)
{
    const ExtractOptions *options = &command->options;
    if (!options->images == !options->video || !options->out) {
        fprintf(stderr, "vlrun extract: needs either --images or --video, and --out\n");
        return false;
    }
    if (options->interval >= SHORTEST && options->interval <= LONGEST)
        return true;
    fprintf(stderr, "vlrun extract: --interval takes seconds, from %g to %g, not %g\n",
            SHORTEST, LONGEST, options->interval);
    return false;
}

#define AT(field) offsetof(ExtractArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--images", AT(options.images), "PATH",
           "an image, or a directory of .jpg, .jpeg and .png files"),
    OPTION(path, "--video", AT(options.video), "PATH",
           "a video, or a directory of videos"),
    OPTION(path, "--out", AT(options.out), "DIR",
           "where files of features go: NAME.h5 of an image, NAME.npz of a video"),
    OPTION(path, "--weights", AT(weights), "PATH",
           "parameters: a model directory, safetensors or index file"),
    OPTION_RANDOM_WEIGHTS(AT(random_weights)),
    OPTION(number, "--interval", AT(options.interval), "SECONDS",
           "from picture to picture of a video", .preset = "1.5"),
    OPTION(flag, "--overwrite", AT(options.overwrite), NULL,
           "also what is there already; else it is left out"),
    OPTION(flag, "--skip-bad", AT(options.skip_bad), NULL,
           "leave out, and count, files that cannot be read"),
    OPTION(count, "--threads", AT(threads), "N", "0: one per processor", .preset = "0"),
    OPTION_PROCESSOR(AT(processor)),
    OPTION_GEMM(AT(gemm)),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
    OPTION(flag, "--no-cache", AT(no_cache), NULL, "compile every kernel anew"),
};
#undef AT

static ExitCode extract_run(const void *state, Run *run, const Interrupt *interrupt,
                            Diags *diags)
{
    const ExtractArguments *command = state;
    return extract(&command->options, run, interrupt, diags);
}

static int cmd_extract(const void *arguments)
{
    const ExtractArguments *command = arguments;
    if (!check(command))
        return EXIT_CODE_usage;
    const RunOptions options = {.plan = command->plan,
                                .weights = command->weights,
                                .random_weights = command->random_weights,
                                .processor = command->processor,
                                .gemm = command->gemm,
                                .dump_kernels = command->dump_kernels,
                                .threads = command->threads,
                                .no_cache = command->no_cache};
    return run_do(&options, extract_run, command);
}

const Command command_extract = {
    .name = "extract",
    .operands = "plan.bin",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(ExtractArguments, plan),
    .help = "turn images or videos into files of features",
    .details =
        "Turns images or videos into the files of features that training reads,\n"
        "with a plan such as that of models/extract_rn101.vg (docs/data.md). Images\n"
        "are squashed to a square, videos cropped, unless the plan says otherwise;\n"
        "videos are shown as FFmpeg's program shows them.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ExtractArguments),
    .run = cmd_extract};
