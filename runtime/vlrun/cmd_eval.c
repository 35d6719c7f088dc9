/* vlrun eval */
#include "ir/base/command_line.h"
#include "ir/base/interrupt.h"
#include "runtime/run/run.h"
#include "runtime/train/evaluate.h"
#include "runtime/vlrun/commands.h"

typedef struct EvalArguments {
    const char *plan, *data, *tokenizer, *weights, *from, *task, *processor, *gemm,
        *dump_kernels;
    bool skip_bad, random_weights;
    RunOther other;
    int64_t threads, limit;
    Split split;
    ScoreFormat format;
} EvalArguments;

#define AT(field) offsetof(EvalArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--from", AT(from), "RUN",
           "run directory, checkpoint or exported parameters to score"),
    OPTION(path, "--weights", AT(weights), "PATH",
           "a model directory, safetensors or index file"),
    OPTION_RANDOM_WEIGHTS(AT(random_weights)),
    OPTION(path, "--data", AT(data), "DIR",
           "data sets, if not the run's; shapes: built in, and taken without a run"),
    OPTION(path, "--tokenizer", AT(tokenizer), "PATH",
           "file or directory; that of weights or data if not given"),
    OPTION(flag, "--skip-bad", AT(skip_bad), NULL,
           "leave out, and count, examples that cannot be read"),
    OPTION(choice, "--split", AT(split), "NAME", "what is scored", .preset = "test",
           .choices = split_names),
    OPTION(text, "--task", AT(task), "NAME", "one task only; else all"),
    OPTION(count, "--limit", AT(limit), "N", "first examples of each task only; 0: all",
           .preset = "0"),
    OPTION(choice, "--format", AT(format), "NAME", "how scores are printed",
           .preset = "table", .choices = score_formats),
    OPTION(count, "--threads", AT(threads), "N", "0: one per processor", .preset = "0"),
    OPTION_PROCESSOR(AT(processor)),
    OPTION_GEMM(AT(gemm)),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
    OPTIONS_OTHER(AT(other)),
};
#undef AT

static ExitCode evaluate_run(const void *state, Run *run, const Interrupt *interrupt,
                             Diags *diags)
{
    const EvalArguments *command = state;
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
    if (ok && command->format == SCORE_FORMAT_json)
        evaluate_print_json(&evaluation, command->split, stdout);
    else if (ok)
        evaluate_print(&evaluation, stdout);
    evaluation_free(&evaluation);
    data_close(source);
    return exit_code(ok, diags);
}

static int cmd_eval(const void *arguments)
{
    const EvalArguments *command = arguments;
    const RunOptions options = {.plan = command->plan,
                                .weights = command->weights,
                                .random_weights = command->random_weights,
                                .from = command->from,
                                .other = command->other,
                                .processor = command->processor,
                                .gemm = command->gemm,
                                .dump_kernels = command->dump_kernels,
                                .threads = command->threads};
    return run_do(&options, evaluate_run, command);
}

const Command command_eval = {.name = "eval",
                              .operands = "RUN | plan.bin",
                              .least_operands = 1,
                              .most_operands = 1,
                              .operand_field = offsetof(EvalArguments, plan),
                              .help = "score a plan, with what a run has trained",
                              .details =
                                  "Scores a run, by its directory alone; or a plan with "
                                  "parameters from elsewhere.",
                              COMMAND_OPTIONS(option_rows),
                              COMMAND_ARGUMENTS(EvalArguments),
                              .run = cmd_eval};
