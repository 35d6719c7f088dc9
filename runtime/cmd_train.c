/* vlrun train */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "runtime/command.h"
#include "runtime/data.h"
#include "runtime/train.h"

enum { CHECKPOINT_EVERY = 100, NOT_GIVEN = -1 };

typedef struct TrainCommand {
    const char *plan, *data, *tokenizer, *weights, *out, *processor;
    int64_t threads, steps, eval_every, checkpoint_every;
    bool resume, overwrite, score_first, skip_bad, random_weights, no_cache;
} TrainCommand;

static bool parse(TrainCommand *command, int argc, char **argv, int *out_code)
{
    *command = (TrainCommand){.data = "shapes",
                              .steps = NOT_GIVEN,
                              .eval_every = NOT_GIVEN,
                              .checkpoint_every = CHECKPOINT_EVERY};
    const Option options[] = {
        {"--data", OPTION_text, &command->data, "DIR",
         "data sets in their published layout; shapes: built in"},
        {"--tokenizer", OPTION_text, &command->tokenizer, "PATH",
         "file or directory; that of weights or data if not given"},
        {"--skip-bad", OPTION_flag, &command->skip_bad, NULL,
         "leave out, and count, examples that cannot be read"},
        {"--weights", OPTION_text, &command->weights, "PATH",
         "initial parameters: a model directory, safetensors or index file"},
        OPTION_RANDOM_WEIGHTS(command->random_weights),
        {"--out", OPTION_text, &command->out, "DIR",
         "run directory; runs/<model> if not given"},
        {"--resume", OPTION_flag, &command->resume, NULL,
         "go on from the run directory's checkpoint"},
        {"--overwrite", OPTION_flag, &command->overwrite, NULL,
         "start anew over an earlier run"},
        {"--threads", OPTION_count, &command->threads, "N", "0: one per processor"},
        OPTION_PROCESSOR(command->processor),
        {"--steps", OPTION_count, &command->steps, "N",
         "optimiser steps instead of the plan's"},
        {"--score-first", OPTION_flag, &command->score_first, NULL,
         "score the test split before training, too"},
        {"--eval-every", OPTION_count, &command->eval_every, "N",
         "validate every N steps, not after each epoch; 0: never"},
        {"--checkpoint-every", OPTION_count, &command->checkpoint_every, "N",
         "save every N steps and at the end; 100"},
        {"--no-cache", OPTION_flag, &command->no_cache, NULL,
         "compile every kernel anew"},
    };
    const Usage usage = {.command = "train",
                         .operands = "plan.bin",
                         .help = "Trains the model of a plan and scores it.",
                         .options = options,
                         .option_count = sizeof options / sizeof *options,
                         .operand_count = 1};
    if (!options_parse(&usage, argc, argv, &command->plan, out_code))
        return false;
    if (!command->resume || !command->overwrite)
        return true;
    fprintf(stderr, "vlrun train: --resume and --overwrite exclude each other\n");
    return false;
}

/* Whatever an earlier run has computed is not thrown away unasked. */
static bool check_directory(const TrainCommand *command, const char *directory,
                            Diags *diags)
{
    char *path = run_checkpoint_path(directory);
    bool is_there = access(path, F_OK) == 0;
    bool is_good = command->resume ? is_there : !is_there || command->overwrite;
    if (!is_good && command->resume)
        diag_error(diags, (Loc){.file = path}, "there is no checkpoint to go on from");
    else if (!is_good)
        diag_error(diags, (Loc){.file = path},
                   "a run is here already: --resume it, --overwrite it, or choose "
                   "another --out");
    free(path);
    return is_good;
}

static bool choose_steps(const TrainCommand *command, const Run *run, DataSource *source,
                         int64_t *out_steps, Diags *diags)
{
    const Settings *settings = &run->module->settings;
    int64_t steps = settings->steps;
    if (steps == 0 && __builtin_mul_overflow(settings->epochs,
                                             source->epoch_steps(source->state), &steps))
        steps = -1;
    if (command->steps != NOT_GIVEN)
        steps = command->steps;
    if (run->checkpoint) {
        int64_t begun = checkpoint_info(run->checkpoint)->total_steps;
        if (command->steps != NOT_GIVEN && command->steps != begun) {
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

static void introduce(const TrainCommand *command, const Run *run, int64_t steps)
{
    ParamTotals params = module_param_totals(run->module);
    JitStats jit = session_jit_stats(run->session);
    printf("%s: %" PRId64 " of %" PRId64 " parameters trained (%.2f %%), %" PRId64
           " steps on %s\n",
           run->module->name, params.trained, params.all,
           params.all ? 100.0 * (double)params.trained / (double)params.all : 0, steps,
           command->data);
    printf("%u kernels (%u distinct, %u cached) in %.1f s; %u lanes of %.1f MiB\n",
           jit.kernels, jit.distinct, jit.from_cache, jit.seconds,
           session_lanes(run->session),
           (double)session_slab_bytes(run->session) /
               (1024 * 1024 * (double)session_lanes(run->session)));
    printf("computed on %s\n", session_processor(run->session)->text);
    fflush(stdout);
}

static ExitCode train_run(const TrainCommand *command, Run *run,
                          const Interrupt *interrupt, Diags *diags)
{
    TrainOptions options = {.directory = run->directory,
                            .score_first = command->score_first,
                            .eval_every = command->eval_every,
                            .checkpoint_every = command->checkpoint_every,
                            .weights = "",
                            .interrupt = interrupt};
    const DataOptions data = {.directory = command->data,
                              .tokenizer = command->tokenizer,
                              .weights = run_weights_path(run),
                              .skip_bad = command->skip_bad};
    DataSource *source = data_open(&data, run->module, diags);
    char *weights = run->weights ? realpath(tensor_set_path(run->weights), NULL) : NULL;
    ExitCode code = EXIT_CODE_input;
    if (weights)
        options.weights = weights;
    if (source && choose_steps(command, run, source, &options.total_steps, diags) &&
        directory_make(run->directory, diags)) {
        if (options.eval_every == NOT_GIVEN)
            options.eval_every = source->epoch_steps(source->state);
        introduce(command, run, options.total_steps);
        code = train(run, source, &options, diags);
    }
    free(weights);
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

static ExitCode train_plan(const TrainCommand *command, const Interrupt *interrupt,
                           Diags *diags)
{
    const RunOptions options = {.plan = command->plan,
                                .weights = command->weights,
                                .random_weights = command->random_weights,
                                .is_training = true,
                                .out = command->out,
                                .resume = command->resume,
                                .processor = command->processor,
                                .threads = command->threads,
                                .no_cache = command->no_cache};
    Run run;
    if (!run_read(&run, &options, diags))
        return EXIT_CODE_input;
    bool is_ready = check_trained(run.module, diags) &&
                    check_directory(command, run.directory, diags) &&
                    run_fill(&run, &options, diags);
    ExitCode code = is_ready ? train_run(command, &run, interrupt, diags)
                             : exit_code(false, diags);
    run_close(&run);
    return code;
}

int cmd_train(int argc, char **argv)
{
    TrainCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    Diags *diags = diags_new(stderr);
    Interrupt *interrupt = interrupt_new(); /* before the lanes' threads */
    code = (int)train_plan(&command, interrupt, diags);
    interrupt_free(interrupt);
    diags_free(diags);
    return code;
}
