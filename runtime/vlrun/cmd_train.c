/* vlrun train */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/command_line.h"
#include "ir/base/heap.h"
#include "ir/base/terminal.h"
#include "ir/plan.h"
#include "runtime/encode/encode_data.h"
#include "runtime/run/run_settings.h"
#include "runtime/train/rehearse.h"
#include "runtime/train/train.h"
#include "runtime/vlrun/commands.h"
#include "runtime/vlrun/cuts.h"
#include "runtime/vlrun/precisions.h"

enum { CHECKPOINT_EVERY = 100, MOST_KEPT = 10000 };

typedef struct TrainArguments {
    const char *plan, *data, *tokenizer, *weights, *out, *processor, *gemm, *dump_kernels,
        *keep_best, *init_from;
    TextList sets, skip;
    const char *encoder, *encoder_weights;
    int64_t threads, steps, eval_every, checkpoint_every, patience, keep;
    RunOther other;
    ProgressMode progress;
    bool resume, overwrite, score_first, skip_bad, random_weights, no_cache, settings,
        tensorboard, ignore_mismatched;
} TrainArguments;

#define AT(field) offsetof(TrainArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--data", AT(data), "DIR",
           "data sets in their published layout; shapes (if not given): built in",
           .group = "Data and weights"),
    OPTION(path, "--tokenizer", AT(tokenizer), "PATH",
           "file or directory; that of weights or data if not given"),
    OPTIONS_ENCODER(AT(encoder), AT(encoder_weights)),
    OPTION(flag, "--skip-bad", AT(skip_bad), NULL,
           "leave out, and count, examples that cannot be read"),
    OPTION(path, "--weights", AT(weights), "PATH",
           "initial parameters: a model directory, safetensors, PyTorch or index file"),
    OPTION(path, "--init-from", AT(init_from), "RUN",
           "begin with what a run, an export or any file of weights has trained"),
    OPTION(flag, "--ignore-mismatched", AT(ignore_mismatched), NULL,
           "trained parameters of another shape in files keep their initial values"),
    OPTION(list, "--skip-weights", AT(skip), "PATTERN",
           "trained parameters that files do not set: encoder.*"),
    OPTION_RANDOM_WEIGHTS(AT(random_weights)),
    OPTION(path, "--out", AT(out), "DIR", "run directory; runs/<model> if not given",
           .group = "The run"),
    OPTION(flag, "--resume", AT(resume), NULL,
           "go on with a run: of the directory RUN, or of --out"),
    OPTION(flag, "--overwrite", AT(overwrite), NULL,
           "start anew over an earlier run, kept until there is a checkpoint"),
    OPTIONS_OTHER(AT(other)),
    OPTION(list, "--set", AT(sets), "NAME=VALUE",
           "a setting that is not the plan's: lr, epochs, sequences, seed, ...",
           .group = "Settings"),
    OPTION(flag, "--settings", AT(settings), NULL, "list what --set takes, and end"),
    OPTION(count, "--steps", AT(steps), "N", "optimiser steps instead of the plan's"),
    OPTION(flag, "--score-first", AT(score_first), NULL,
           "score the test split before training, too", .group = "Scores"),
    OPTION(count, "--eval-every", AT(eval_every), "N",
           "validate every N steps, not after each epoch; 0: never"),
    OPTION(count, "--patience", AT(patience), "N",
           "end after N validations without a better score of --keep-best"),
    OPTION(count, "--checkpoint-every", AT(checkpoint_every), "N",
           "save every N steps and at the end; default 100", .group = "Checkpoints"),
    OPTION(text, "--keep-best", AT(keep_best), "SCORE",
           "keep the best one, by validation: TASK, TASK.METRIC or mean"),
    OPTION(count, "--keep", AT(keep), "N", "keep the last N, too, named by their steps",
           .most = MOST_KEPT),
    OPTION(choice, "--progress", AT(progress), "HOW", "how steps are shown",
           .preset = "auto", .choices = progress_modes, .group = "What is shown"),
    OPTION(flag, "--tensorboard", AT(tensorboard), NULL,
           "write events for TensorBoard into the run directory, too"),
    OPTION(count, "--threads", AT(threads), "N", "0: one per processor",
           .group = "The machine"),
    OPTION_PROCESSOR(AT(processor)),
    OPTION_GEMM(AT(gemm)),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
    OPTION(flag, "--no-cache", AT(no_cache), NULL, "compile every kernel anew"),
};
#undef AT

/* The weights must outlive what they are to replace. What a run begins with is read
 * once: it may be what is replaced. */
static bool check_weights_place(const Run *run, Diags *diags)
{
    char *checkpoint = run_checkpoint_path(run->directory);
    char *old = realpath(checkpoint, NULL);
    char *weights = run->weights ? realpath(tensor_set_path(run->weights), NULL) : NULL;
    bool ok = !old || !weights || strcmp(old, weights) != 0;
    if (!ok)
        diag_error(diags, (Loc){.file = checkpoint},
                   "the weights are the checkpoint that this run is to overwrite: choose "
                   "another --out");
    free(weights);
    free(old);
    free(checkpoint);
    return ok;
}

/* -- what run.json will say ------------------------------------------------------ */

/* Of "FILE#NAME" that of the file, and the name. */
static const char *absolute(const char *path, Arena *arena)
{
    char *real = path ? realpath(path, NULL) : NULL;
    const char *mark = path && !real ? strrchr(path, '#') : NULL;
    if (mark)
        real = realpath(arena_string(arena, path, (size_t)(mark - path)), NULL);
    const char *kept = real ? arena_format(arena, "%s%s", real, mark ? mark : "") : path;
    free(real);
    return kept;
}

static const char *join_list(const TextList *list, Arena *arena)
{
    const char *joined = list->count ? list->items[0] : NULL;
    for (uint32_t i = 1; i < list->count; i++)
        joined = arena_format(arena, "%s %s", joined, list->items[i]);
    return joined;
}

static int64_t choose(int64_t given, int64_t recorded)
{
    return given != COUNT_NOT_GIVEN ? given : recorded;
}

/* What the run was given when it was started stays; what it goes on with may differ where
 * that was said. */
static RunRecord record_of(const TrainArguments *command, const Run *run,
                           const DataOptions *data, const DataFiles *files,
                           const EncoderRecord *encoder, int64_t epoch_steps,
                           int64_t steps)
{
    RunRecord record = run->record;
    const ProcessorInfo *processor = session_processor(run->session);
    Arena *arena = run->arena;
    record.model = run->module->name;
    if (!run->has_record) {
        run_record_stamp(&record, arena);
        record.score_first = command->score_first;
        record.set = command->sets;
        record.keep_best = command->keep_best;
        record.init_from = absolute(command->init_from, arena);
        record.ignore_mismatched = command->ignore_mismatched;
        record.skip_weights = join_list(&command->skip, arena);
        record.eval_every = epoch_steps;
        record.checkpoint_every = CHECKPOINT_EVERY;
    }
    if (!run_is_directory(command->plan))
        record.plan = absolute(command->plan, arena);
    record.plan_fingerprint = run->plan;
    bool is_built_in = strcmp(data->directory, "shapes") == 0;
    record.data = is_built_in ? data->directory : absolute(data->directory, arena);
    record.tokenizer = absolute(data->tokenizer, arena);
    record.weights = absolute(run_weights_path(run), arena);
    record.weights_fingerprint = run->weights_fingerprint;
    record.encoder = absolute(encoder->plan, arena);
    record.encoder_weights = absolute(encoder->weights, arena);
    record.encoder_fingerprint = encoder->fingerprint;
    record.random_weights |= command->random_weights;
    record.skip_bad = data->skip_bad;
    record.files = *files;
    record.settings = &run->module->settings;
    record.processor = command->processor ? command->processor : record.processor;
    record.gemm = command->gemm ? command->gemm : record.gemm;
    record.processor_name = processor->name;
    record.computed_on = processor->text;
    record.steps = steps;
    record.eval_every = choose(command->eval_every, record.eval_every);
    record.checkpoint_every = choose(command->checkpoint_every, record.checkpoint_every);
    record.patience = choose(command->patience, record.patience);
    record.tensorboard |= command->tensorboard;
    record.keep = choose(command->keep, record.keep);
    record.threads = choose(command->threads, record.threads);
    record.run = run->checkpoint ? checkpoint_info(run->checkpoint)->run
                                 : run_record_identity(&record);
    return record;
}

/* The plans first: whoever finds run.json finds them, too. */
static bool write_record(const Run *run, const RunRecord *record, const Module *encoder,
                         Diags *diags)
{
    char *plan = run_plan_path(run->directory), *path = run_record_path(run->directory),
         *copy = run_encoder_path(run->directory);
    bool is_written = plan_write(run->module, plan, diags) &&
                      (!encoder || plan_write(encoder, copy, diags)) &&
                      run_record_write(record, path, diags);
    free(copy);
    free(plan);
    free(path);
    return is_written;
}

/* -- the run --------------------------------------------------------------------- */

static bool choose_steps(const TrainArguments *command, const Run *run,
                         DataSource *source, int64_t *out_steps, Diags *diags)
{
    const Settings *settings = &run->module->settings;
    int64_t steps = settings->steps;
    if (steps == 0 && __builtin_mul_overflow(settings->epochs,
                                             source->epoch_steps(source->state), &steps))
        steps = -1;
    if (command->steps != COUNT_NOT_GIVEN)
        steps = command->steps;
    if (run->checkpoint) {
        int64_t begun = checkpoint_info(run->checkpoint)->total_steps;
        if (command->steps != COUNT_NOT_GIVEN && command->steps != begun) {
            diag_error(diags, (Loc){0},
                       "the run was started for %" PRId64 " steps, not %" PRId64
                       ": its learning rates follow from that",
                       begun, command->steps);
            return false;
        }
        steps = begun;
    }
    if (steps < 0)
        diag_error(diags, (Loc){0}, "the plan asks for an impossible number of steps");
    *out_steps = steps;
    return steps >= 0;
}

static void introduce(const Run *run, const RunRecord *record, FILE *out)
{
    ParamTotals params = module_param_totals(run->module);
    JitStats jit = session_jit_stats(run->session);
    fprintf(out,
            "%s: %" PRId64 " of %" PRId64 " parameters trained (%.2f %%), %" PRId64
            " steps on %s\n",
            run->module->name, params.trained, params.all,
            params.all ? 100.0 * (double)params.trained / (double)params.all : 0,
            record->steps, record->data);
    for (uint32_t i = 0; i < record->set.count; i++)
        fprintf(out, "%s%s%s", i ? " " : "set: ", record->set.items[i],
                i + 1 < record->set.count ? "" : "\n");
    if (run->checkpoint)
        fprintf(out, "goes on after step %" PRId64 " in %s\n",
                checkpoint_info(run->checkpoint)->step, run->directory);
    fprintf(out, "%u kernels (%u distinct, %u cached) in %.1f s; %u lanes of %.1f MiB\n",
            jit.kernels, jit.distinct, jit.from_cache, jit.seconds,
            session_lanes(run->session),
            (double)session_slab_bytes(run->session) /
                (1024 * 1024 * (double)session_lanes(run->session)));
    fprintf(out, "computed on %s\n", session_processor(run->session)->text);
    print_cuts(run->module, NULL, out);
    print_precisions(run->module, NULL, out);
    fflush(out);
}

/* Results go on, but are no longer those of an undisturbed run to the bit. */
static void check_processor(const Run *run, Diags *diags)
{
    const char *then = run->checkpoint ? checkpoint_info(run->checkpoint)->processor : "";
    const char *now = session_processor(run->session)->text;
    if (*then && strcmp(then, now) != 0)
        diag_warning(diags, (Loc){0},
                     "the run was computed on %s so far, and now goes on on %s: its "
                     "numbers will differ from those of one processor by rounding",
                     then, now);
}

static ExitCode train_recorded(Run *run, DataSource *source, const RunRecord *record,
                               const Module *encoder, Display *display,
                               const Interrupt *interrupt, Diags *diags)
{
    const TrainOptions options = {.directory = run->directory,
                                  .total_steps = record->steps,
                                  .score_first = record->score_first,
                                  .eval_every = record->eval_every,
                                  .checkpoint_every = record->checkpoint_every,
                                  .keep_best = record->keep_best,
                                  .patience = record->patience,
                                  .keep = record->keep,
                                  .tensorboard = record->tensorboard,
                                  .weights = record->weights ? record->weights : "",
                                  .run = record->run,
                                  .display = display,
                                  .interrupt = interrupt};
    if (!rehearse(run, source, &options, diags))
        return exit_code(false, diags);
    if (!run->checkpoint && run_has_checkpoint(run->directory) &&
        !(check_weights_place(run, diags) && run_set_aside(run->directory, diags)))
        return EXIT_CODE_input;
    if (!write_record(run, record, encoder, diags))
        return EXIT_CODE_input;
    introduce(run, record, display->talk);
    check_processor(run, diags);
    return train(run, source, &options, diags);
}

/* The data, and features of all pictures that training and scoring will want. */
static DataSource *open_data(const TrainArguments *command, const Run *run,
                             const Interrupt *interrupt, DataOptions *data,
                             DataFiles *out_files, EncoderRecord *out_encoder,
                             Diags *diags)
{
    bool validates = command->eval_every != COUNT_NOT_GIVEN
                         ? command->eval_every > 0
                         : !run->has_record || run->record.eval_every > 0;
    const EncodeDataOptions encoding = {
        .encoder = {.plan = command->encoder,
                    .weights = command->encoder_weights,
                    .random_weights = command->random_weights,
                    .threads = choose(command->threads, run->record.threads),
                    .processor = command->processor,
                    .gemm = command->gemm,
                    .no_cache = command->no_cache},
        .splits = {[SPLIT_train] = true, [SPLIT_valid] = validates, [SPLIT_test] = true},
        .interrupt = interrupt,
        .progress = terminal(stderr)};
    return encode_open_data(run, &encoding, data, out_files, out_encoder, diags);
}

static ExitCode train_run(const TrainArguments *command, Run *run,
                          const Interrupt *interrupt, Diags *diags)
{
    DataOptions data = {.directory = command->data,
                        .tokenizer = command->tokenizer,
                        .weights = run_weights_path(run),
                        .interrupt = interrupt,
                        .skip_bad = command->skip_bad};
    DataFiles files;
    EncoderRecord encoder;
    DataSource *source =
        open_data(command, run, interrupt, &data, &files, &encoder, diags);
    /* Read before the directory may be another run's. */
    Module *encoder_plan =
        source && encoder.file ? module_read(encoder.file, diags) : NULL;
    int64_t steps;
    ExitCode code = exit_code(false, diags);
    if (source && !encoder.file == !encoder_plan &&
        choose_steps(command, run, source, &steps, diags)) {
        const RunRecord record = record_of(command, run, &data, &files, &encoder,
                                           source->epoch_steps(source->state), steps);
        Display display = display_new(command->progress);
        code = train_recorded(run, source, &record, encoder_plan, &display, interrupt,
                              diags);
        display_free(&display);
    }
    if (encoder_plan)
        module_free(encoder_plan);
    data_close(source);
    return code;
}

/* A task without a loss has no train graph. */
static bool check_trained(const Module *module, Diags *diags)
{
    for (uint32_t i = 0; i < module->task_count; i++) {
        const Task *task = &module->tasks[i];
        if (module_task_graph(module, GRAPH_train, task->name))
            continue;
        diag_error(diags, task->loc,
                   "task '%s' has no <loss>: the plan cannot train it, only compute its "
                   "results",
                   task->name);
        return false;
    }
    return true;
}

/* Which checkpoint is the best follows from all validations. */
static bool hold_best(const TrainArguments *command, const Run *run, Diags *diags)
{
    const char *then = run->record.keep_best, *now = command->keep_best;
    if (!now || !run->has_record || (then && strcmp(then, now) == 0))
        return true;
    diag_error(diags, (Loc){0}, "--keep-best %s: the run was begun with%s%s, which stays",
               now, then ? " " : "out", then ? then : "");
    return false;
}

static ExitCode train_opened(const TrainArguments *command, Run *run,
                             const RunOptions *options, const Interrupt *interrupt,
                             Diags *diags)
{
    RunOptions opening = *options;
    opening.threads = choose(command->threads, run->record.threads);
    opening.random_weights |= run->record.random_weights;
    if (!check_trained(run->module, diags) || !hold_best(command, run, diags) ||
        !run_fill(run, &opening, diags))
        return exit_code(false, diags);
    return train_run(command, run, interrupt, diags);
}

/* The lock is let go last. */
static ExitCode train_locked(const TrainArguments *command, Run *run,
                             const RunOptions *options, RunLock *lock,
                             const Interrupt *interrupt, Diags *diags)
{
    bool is_back = false;
    char *directory = heap_string(run->directory);
    ExitCode code = train_opened(command, run, options, interrupt, diags);
    run_close(run);
    if (!run_settle(directory, &is_back, diags))
        code = EXIT_CODE_input;
    if (is_back)
        diag_note(diags, (Loc){.file = directory},
                  "ended before its first checkpoint: the run that it was to replace has "
                  "been put back");
    run_lock_free(lock);
    free(directory);
    return code;
}

static ExitCode train_plan(const TrainArguments *command, const Interrupt *interrupt,
                           Diags *diags)
{
    const RunOptions options = {.plan = command->plan,
                                .sets = command->sets,
                                .weights = command->weights,
                                .init_from = command->init_from,
                                .ignore_mismatched = command->ignore_mismatched,
                                .skip = command->skip,
                                .random_weights = command->random_weights,
                                .is_training = true,
                                .out = command->out,
                                .resume = command->resume,
                                .other = command->other,
                                .processor = command->processor,
                                .gemm = command->gemm,
                                .dump_kernels = command->dump_kernels,
                                .no_cache = command->no_cache};
    Run run;
    RunEntry entry = command->resume      ? RUN_resumes
                     : command->overwrite ? RUN_replaces
                                          : RUN_begins;
    bool is_named = run_is_directory(command->plan);
    if (is_named && !command->resume) {
        diag_error(diags, (Loc){.file = command->plan},
                   "is a directory: --resume goes on with a run, a new one needs a plan");
        return EXIT_CODE_input;
    }
    RunLock *lock = is_named ? run_enter(command->plan, entry, diags) : NULL;
    if ((is_named && !lock) || !run_read(&run, &options, diags)) {
        run_lock_free(lock);
        return EXIT_CODE_input;
    }
    if (!lock)
        lock = run_enter(run.directory, entry, diags);
    if (lock)
        return train_locked(command, &run, &options, lock, interrupt, diags);
    run_close(&run);
    return EXIT_CODE_input;
}

static ExitCode list_settings(const TrainArguments *command, Diags *diags)
{
    const RunOptions options = {.plan = command->plan, .sets = command->sets};
    Run run;
    if (!run_read(&run, &options, diags))
        return EXIT_CODE_input;
    run_settings_print(run.module, stdout);
    run_close(&run);
    return EXIT_CODE_done;
}

static int cmd_train(const void *arguments)
{
    const TrainArguments *command = arguments;
    if (command->resume && command->overwrite) {
        fprintf(stderr, "vlrun train: --resume and --overwrite exclude each other\n");
        return EXIT_CODE_usage;
    }
    if (command->resume && (command->init_from || command->skip.count)) {
        fprintf(stderr, "vlrun train: --resume goes on with what the run has: no "
                        "--init-from, no --skip-weights\n");
        return EXIT_CODE_usage;
    }
    if (command->steps != COUNT_NOT_GIVEN &&
        (run_settings_has(&command->sets, "steps") ||
         run_settings_has(&command->sets, "epochs"))) {
        fprintf(stderr, "vlrun train: --steps and --set of steps or epochs exclude each "
                        "other\n");
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    Interrupt *interrupt = interrupt_new(); /* before the lanes' threads */
    ExitCode done = command->settings ? list_settings(command, diags)
                                      : train_plan(command, interrupt, diags);
    int code = exit_code_after(interrupt, done, diags);
    interrupt_free(interrupt);
    diags_free(diags);
    return code;
}

const Command command_train = {
    .name = "train",
    .operands = "plan.bin | RUN",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(TrainArguments, plan),
    .help =
        "train the model of a plan, on the built-in shapes data unless told otherwise",
    .details = "Trains the model of a plan and scores it. With --resume "
               "RUN, the directory of a run,\ngoes on with all that "
               "the run was given; what is given anew must agree.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(TrainArguments),
    .run = cmd_train};
