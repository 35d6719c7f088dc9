/* vlrun eval */
#include "ir/base/interrupt.h"
#include "ir/base/terminal.h"
#include "runtime/train/evaluate.h"
#include "runtime/vlrun/model_arguments.h"

typedef struct EvalArguments {
    ModelArguments model;
    const char *task;
    int64_t limit;
    Split split;
    ScoreFormat format;
} EvalArguments;

#define AT(field) offsetof(EvalArguments, field)
static const Option option_rows[] = {
    OPTIONS_MODEL(AT(model)),
    OPTIONS_EXAMPLES(AT(model)),
    OPTION(choice, "--split", AT(split), "NAME", "what is scored", .preset = "test",
           .choices = split_names),
    OPTION(text, "--task", AT(task), "NAME", "one task only; else all"),
    OPTION(count, "--limit", AT(limit), "N", "first examples of each task only; 0: all",
           .preset = "0"),
    OPTION(choice, "--format", AT(format), "NAME", "how scores are printed",
           .preset = "table", .choices = score_formats),
    OPTIONS_MACHINE(AT(model)),
};
#undef AT

static ExitCode evaluate_run(const void *state, Run *run, const Interrupt *interrupt,
                             Diags *diags)
{
    const EvalArguments *command = state;
    const EvaluateOptions options = {.split = command->split,
                                     .task = command->task,
                                     .limit = command->limit,
                                     .interrupt = interrupt,
                                     .progress = terminal(stderr)};
    const ModelExamples examples = {command->split, command->task, command->limit};
    DataSource *source =
        model_open_data(&command->model, run,
                        (DataOptions){.interrupt = interrupt,
                                      .has_no_training = command->split != SPLIT_train},
                        &examples, diags);
    Evaluation evaluation = {0};
    bool ok = source && evaluate(run->session, source, &options, &evaluation, diags);
    if (ok && interrupt_is_set(interrupt))
        diag_warning(diags, (Loc){0}, "stopped early: not all examples are scored");
    else if (ok && evaluation.count == 0) {
        diag_error(diags, (Loc){.file = command->model.data},
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
    return model_do(&command->model, evaluate_run, command);
}

const Command command_eval = {.name = "eval",
                              .operands = "RUN | plan.bin",
                              .least_operands = 1,
                              .most_operands = 1,
                              .operand_field = offsetof(EvalArguments, model.plan),
                              .help = "score a plan, with what a run has trained",
                              .details =
                                  "Scores a run, by its directory alone; or a plan with "
                                  "parameters from elsewhere.",
                              COMMAND_OPTIONS(option_rows),
                              COMMAND_ARGUMENTS(EvalArguments),
                              .run = cmd_eval};
