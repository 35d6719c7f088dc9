/* vlrun eval */
#include <string.h>

#include "ir/base/command_line.h"
#include "ir/base/interrupt.h"
#include "runtime/run/run.h"
#include "runtime/train/evaluate.h"
#include "runtime/vlrun/commands.h"

typedef struct EvalCommand {
    const char *plan, *data, *tokenizer, *weights, *from, *split_name, *task, *format,
        *processor, *dump_kernels;
    bool skip_bad, random_weights, is_json;
    RunOther other;
    int64_t threads, limit;
    Split split;
} EvalCommand;

static bool check_names(EvalCommand *command)
{
    command->is_json = strcmp(command->format, "json") == 0;
    if (command->is_json || strcmp(command->format, "table") == 0)
        return split_find(command->split_name, "eval", &command->split);
    fprintf(stderr, "vlrun eval: no format '%s'; there are table and json\n",
            command->format);
    return false;
}

static bool parse(EvalCommand *command, int argc, char **argv, int *out_code)
{
    *command = (EvalCommand){.split_name = "test", .format = "table"};
    const Option options[] = {
        {"--from", OPTION_text, &command->from, "RUN",
         "run directory, checkpoint or exported parameters to score"},
        {"--weights", OPTION_text, &command->weights, "PATH",
         "a model directory, safetensors or index file"},
        OPTION_RANDOM_WEIGHTS(command->random_weights),
        {"--data", OPTION_text, &command->data, "DIR",
         "data sets, if not the run's; shapes: built in, and taken without a run"},
        {"--tokenizer", OPTION_text, &command->tokenizer, "PATH",
         "file or directory; that of weights or data if not given"},
        {"--skip-bad", OPTION_flag, &command->skip_bad, NULL,
         "leave out, and count, examples that cannot be read"},
        {"--split", OPTION_text, &command->split_name, "NAME",
         "train, valid or test (if not given)"},
        {"--task", OPTION_text, &command->task, "NAME", "one task only; else all"},
        {"--limit", OPTION_count, &command->limit, "N",
         "first examples of each task only; 0: all"},
        {"--format", OPTION_text, &command->format, "NAME", "table or json"},
        {"--threads", OPTION_count, &command->threads, "N", "0: one per processor"},
        OPTION_PROCESSOR(command->processor),
        OPTION_DUMP_KERNELS(command->dump_kernels),
        OPTIONS_OTHER(command->other),
    };
    const Usage usage = {.command = "eval",
                         .operands = "RUN | plan.bin",
                         .help = "Scores a run, by its directory alone; or a plan with "
                                 "parameters from elsewhere.",
                         .options = options,
                         .option_count = sizeof options / sizeof *options,
                         .operand_count = 1};
    if (!options_parse(&usage, argc, argv, &command->plan, out_code))
        return false;
    *out_code = EXIT_CODE_usage;
    return check_names(command);
}

static ExitCode evaluate_run(const void *state, Run *run, const Interrupt *interrupt,
                             Diags *diags)
{
    const EvalCommand *command = state;
    DataOptions data = {.directory = command->data,
                        .tokenizer = command->tokenizer,
                        .weights = run_weights_path(run),
                        .interrupt = interrupt,
                        .skip_bad = command->skip_bad,
                        .has_no_training = command->split != SPLIT_train};
    const EvaluateOptions options = {.split = command->split,
                                     .task = command->task,
                                     .limit = command->limit,
                                     .interrupt = interrupt,
                                     .progress = terminal(stderr)};
    DataSource *source = run_open_data(run, &data, NULL, diags);
    Evaluation evaluation = {0};
    bool ok = source && evaluate(run->session, source, &options, &evaluation, diags);
    if (ok && interrupt_is_set(interrupt))
        diag_warning(diags, (Loc){0}, "stopped early: not all examples are scored");
    else if (ok && evaluation.count == 0) {
        diag_error(diags, (Loc){.file = command->data},
                   "has nothing to score in the %s split", split_names[command->split]);
        ok = false;
    }
    if (ok && command->is_json)
        evaluate_print_json(&evaluation, command->split, stdout);
    else if (ok)
        evaluate_print(&evaluation, stdout);
    evaluation_free(&evaluation);
    data_close(source);
    return exit_code(ok, diags);
}

int cmd_eval(int argc, char **argv)
{
    EvalCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    const RunOptions options = {.plan = command.plan,
                                .weights = command.weights,
                                .random_weights = command.random_weights,
                                .from = command.from,
                                .other = command.other,
                                .processor = command.processor,
                                .dump_kernels = command.dump_kernels,
                                .threads = command.threads};
    return run_do(&options, evaluate_run, &command);
}
