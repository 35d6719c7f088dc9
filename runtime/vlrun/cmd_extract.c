/* vlrun extract */
#include <inttypes.h>
#include <stdlib.h>

#include "ir/base/command_line.h"
#include "ir/base/files.h"
#include "ir/base/terminal.h"
#include "runtime/encode/encode.h"
#include "runtime/vlrun/commands.h"

/* Seconds from picture to picture; the preset is that of the published features. */
static const double SHORTEST = 1e-3, LONGEST = 86400;

typedef struct ExtractArguments {
    const char *plan, *weights, *processor, *gemm, *dump_kernels;
    const char *images, *video; /* one of them: a directory or a file */
    const char *out;            /* directory */
    double interval;            /* seconds from picture to picture of a video */
    int64_t threads;
    bool overwrite, skip_bad, random_weights, no_cache;
} ExtractArguments;

static bool check(const ExtractArguments *command)
{
    if (!command->images == !command->video || !command->out) {
        fprintf(stderr, "vlrun extract: needs either --images or --video, and --out\n");
        return false;
    }
    if (command->interval >= SHORTEST && command->interval <= LONGEST)
        return true;
    fprintf(stderr, "vlrun extract: --interval takes seconds, from %g to %g, not %g\n",
            SHORTEST, LONGEST, command->interval);
    return false;
}

#define AT(field) offsetof(ExtractArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--images", AT(images), "PATH",
           "an image, or a directory of .jpg, .jpeg and .png files"),
    OPTION(path, "--video", AT(video), "PATH", "a video, or a directory of videos"),
    OPTION(path, "--out", AT(out), "DIR",
           "where files of features go: NAME.h5 of an image, NAME.npz of a video"),
    OPTION(path, "--weights", AT(weights), "PATH",
           "parameters: a model directory, safetensors, PyTorch or index file"),
    OPTION_RANDOM_WEIGHTS(AT(random_weights)),
    OPTION(number, "--interval", AT(interval), "SECONDS",
           "from picture to picture of a video", .preset = "1.5"),
    OPTION(flag, "--overwrite", AT(overwrite), NULL,
           "also what is there already; else it is left out"),
    OPTION(flag, "--skip-bad", AT(skip_bad), NULL,
           "leave out, and count, files that cannot be read"),
    OPTION(count, "--threads", AT(threads), "N", "0: one per processor", .preset = "0"),
    OPTION_PROCESSOR(AT(processor)),
    OPTION_GEMM(AT(gemm)),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
    OPTION(flag, "--no-cache", AT(no_cache), NULL, "compile every kernel anew"),
};
#undef AT

/* The library writes by name, and does not say where it failed. */
static bool write_hdf5(const PictureItem *item, const Features *features, Diags *diags)
{
    NewFile *file = new_file_open(item->result, diags);
    const char *aside = file ? new_file_aside(file, diags) : NULL;
    if (aside && features_write_hdf5(aside, item->stem, features, diags))
        return new_file_finish(file, diags);
    if (aside)
        diag_note(diags, (Loc){.file = item->result}, "that would have become this file");
    new_file_discard(file);
    return false;
}

static bool write_features(void *state, const PictureItem *item, Features *features,
                           Diags *diags)
{
    const ExtractArguments *command = state;
    return command->video
               ? features_replace_npz(item->result, features, FEATURES_single, diags)
               : write_hdf5(item, features, diags);
}

static void conclude(const ExtractArguments *command, const PictureList *list,
                     const EncodeCounts *counts)
{
    printf("%" PRId64 " of %" PRId64 " files written to %s, %.1f pictures/s\n",
           counts->files, list->count, command->out,
           counts->seconds > 0 ? (double)counts->pictures / counts->seconds : 0);
    if (list->done)
        printf("%" PRId64 " were there already; --overwrite makes them anew\n",
               list->done);
    if (list->ignored)
        printf("%" PRId64 " other files were ignored\n", list->ignored);
    if (counts->skipped)
        printf("%" PRId64 " could not be read\n", counts->skipped);
}

static bool extract_files(const ExtractArguments *command, Encoder *encoder,
                          const PictureList *list, const Interrupt *interrupt,
                          Diags *diags)
{
    const EncodeOptions options = {
        .kind = {.is_video = command->video, .interval = command->interval},
        .items = list->items,
        .item_count = list->count,
        .skip_bad = command->skip_bad,
        .interrupt = interrupt,
        .progress = terminal(stderr),
        .take = write_features,
        .state = (void *)(uintptr_t)command};
    EncodeCounts counts;
    bool ok = encode(encoder, &options, &counts, diags);
    conclude(command, list, &counts);
    return ok;
}

static ExitCode extract_run(const void *state, Run *run, const Interrupt *interrupt,
                            Diags *diags)
{
    const ExtractArguments *command = state;
    const PictureListOptions listing = {.path = command->video ? command->video
                                                               : command->images,
                                        .is_video = command->video,
                                        .out = command->out,
                                        .ending = command->video ? ".npz" : ".h5",
                                        .overwrite = command->overwrite};
    Arena *arena = arena_new();
    PictureList list;
    Encoder *encoder = encoder_of_run(run, diags);
    bool ok = encoder && directory_make(command->out, diags) &&
              picture_list(&listing, arena, &list, diags) &&
              extract_files(command, encoder, &list, interrupt, diags);
    encoder_close(encoder);
    arena_free(arena);
    return exit_code(ok, diags);
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
        "with a plan such as that of models/extract_rn101.vg (docs/features.md). Images\n"
        "are squashed to a square, videos cropped, unless the plan says otherwise;\n"
        "videos are shown as FFmpeg's program shows them.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ExtractArguments),
    .run = cmd_extract};
