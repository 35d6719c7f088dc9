/* vlrun train */
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/encode/encode_data.h"
#include "runtime/run/run_settings.h"
#include "runtime/vlrun/commands.h"
#include "runtime/vlrun/train_run.h"

enum { MOST_KEPT = 10000 };

#define AT(field) offsetof(TrainArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--data", AT(data), "DIR",
           "data sets in their published layout; shapes (if not given): built in",
           .group = "Data and weights"),
    OPTION(path, "--tokenizer", AT(tokenizer), "PATH",
           "file or directory; that of weights or data if not given"),
    OPTIONS_ENCODER(AT(encoder), AT(encoder_weights), AT(feature_cache)),
    OPTION(flag, "--skip-bad", AT(skip_bad), NULL,
           "leave out, and count, examples that cannot be read"),
    OPTION(path, "--weights", AT(weights), "PATH",
           "initial parameters: a model directory, safetensors, PyTorch or index file"),
    OPTION(
        path, "--init-from", AT(init_from), "RUN",
        "begin with what a run, an export, an adapter of another library's or any file "
        "of weights has trained"),
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
    opening.threads = given_or(command->threads, run->record.threads);
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
