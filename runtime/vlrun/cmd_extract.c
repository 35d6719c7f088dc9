/* vlrun extract */
#include <stdlib.h>

#include "ir/base/command_line.h"
#include "runtime/vlrun/commands.h"
#include "runtime/vlrun/extract.h"

/* A picture of a video in so many seconds, as the published features have it. */
static const double INTERVAL = 1.5, SHORTEST = 1e-3, LONGEST = 86400;

typedef struct ExtractCommand {
    const char *plan, *weights, *interval, *processor, *dump_kernels;
    ExtractOptions options;
    int64_t threads;
    bool random_weights, no_cache;
} ExtractCommand;

static bool check(ExtractCommand *command)
{
    const ExtractOptions *options = &command->options;
    if (!options->images == !options->video || !options->out) {
        fprintf(stderr, "vlrun extract: needs either --images or --video, and --out\n");
        return false;
    }
    char *end = NULL;
    if (command->interval)
        command->options.interval = strtod(command->interval, &end);
    if (!command->interval ||
        (end != command->interval && !*end && options->interval >= SHORTEST &&
         options->interval <= LONGEST))
        return true;
    fprintf(stderr, "vlrun extract: --interval takes seconds, from %g to %g, not '%s'\n",
            SHORTEST, LONGEST, command->interval);
    return false;
}

static bool parse(ExtractCommand *command, int argc, char **argv, int *out_code)
{
    *command = (ExtractCommand){.options = {.interval = INTERVAL}};
    const Option options[] = {
        {"--images", OPTION_text, &command->options.images, "PATH",
         "an image, or a directory of .jpg, .jpeg and .png files"},
        {"--video", OPTION_text, &command->options.video, "PATH",
         "a video, or a directory of videos"},
        {"--out", OPTION_text, &command->options.out, "DIR",
         "where files of features go: NAME.h5 of an image, NAME.npz of a video"},
        {"--weights", OPTION_text, &command->weights, "PATH",
         "parameters: a model directory, safetensors or index file"},
        OPTION_RANDOM_WEIGHTS(command->random_weights),
        {"--interval", OPTION_text, &command->interval, "SECONDS",
         "from picture to picture of a video; 1.5"},
        {"--overwrite", OPTION_flag, &command->options.overwrite, NULL,
         "also what is there already; else it is left out"},
        {"--skip-bad", OPTION_flag, &command->options.skip_bad, NULL,
         "leave out, and count, files that cannot be read"},
        {"--threads", OPTION_count, &command->threads, "N", "0: one per processor"},
        OPTION_PROCESSOR(command->processor),
        OPTION_DUMP_KERNELS(command->dump_kernels),
        {"--no-cache", OPTION_flag, &command->no_cache, NULL,
         "compile every kernel anew"},
    };
    const Usage usage = {
        .command = "extract",
        .operands = "plan.bin",
        .help =
            "Turns images or videos into the files of features that training reads,\n"
            "with a plan such as that of models/extract_rn101.vg (docs/data.md). Images\n"
            "are squashed to a square, videos cropped, unless the plan says otherwise;\n"
            "videos are shown as FFmpeg's program shows them.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .operand_count = 1};
    if (!options_parse(&usage, argc, argv, &command->plan, out_code))
        return false;
    *out_code = EXIT_CODE_usage;
    return check(command);
}

static ExitCode extract_run(const void *state, Run *run, const Interrupt *interrupt,
                            Diags *diags)
{
    const ExtractCommand *command = state;
    return extract(&command->options, run, interrupt, diags);
}

int cmd_extract(int argc, char **argv)
{
    ExtractCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    const RunOptions options = {.plan = command.plan,
                                .weights = command.weights,
                                .random_weights = command.random_weights,
                                .processor = command.processor,
                                .dump_kernels = command.dump_kernels,
                                .threads = command.threads,
                                .no_cache = command.no_cache};
    return run_do(&options, extract_run, &command);
}
