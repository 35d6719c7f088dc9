/* vlrun eval */
#include <string.h>

#include "runtime/command.h"
#include "runtime/data.h"
#include "runtime/evaluate.h"
#include "runtime/run.h"

typedef struct EvalCommand {
    const char *plan, *data, *tokenizer, *weights, *from, *split_name;
    bool skip_bad;
    int64_t threads;
    Split split;
} EvalCommand;

static bool find_split(EvalCommand *command)
{
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (strcmp(command->split_name, split_names[i]) == 0) {
            command->split = (Split)i;
            return true;
        }
    const char *near = nearest_name(command->split_name, split_names, SPLIT_COUNT);
    fprintf(stderr, "vlrun eval: no split '%s'; %s%s\n", command->split_name,
            near ? "did you mean " : "there are train, valid and ", near ? near : "test");
    return false;
}

static bool parse(EvalCommand *command, int argc, char **argv, int *out_code)
{
    *command = (EvalCommand){.data = "shapes", .split_name = "test"};
    const Option options[] = {
        {"--from", OPTION_text, &command->from, "RUN",
         "run directory or checkpoint to score"},
        {"--weights", OPTION_text, &command->weights, "PATH",
         "a model directory, safetensors or index file"},
        {"--data", OPTION_text, &command->data, "DIR",
         "data sets in their published layout; shapes: built in"},
        {"--tokenizer", OPTION_text, &command->tokenizer, "PATH",
         "file or directory; that of weights or data if not given"},
        {"--skip-bad", OPTION_flag, &command->skip_bad, NULL,
         "leave out, and count, examples that cannot be read"},
        {"--split", OPTION_text, &command->split_name, "NAME",
         "train, valid or test (if not given)"},
        {"--threads", OPTION_count, &command->threads, "N", "0: one per processor"},
    };
    const Usage usage = {.command = "eval",
                         .operands = "plan.bin",
                         .help = "Scores a plan with the parameters of a run.",
                         .options = options,
                         .option_count = sizeof options / sizeof *options,
                         .operand_count = 1};
    return options_parse(&usage, argc, argv, &command->plan, out_code) &&
           find_split(command);
}

static ExitCode evaluate(const EvalCommand *command, Run *run, Diags *diags)
{
    const DataOptions data = {.directory = command->data,
                              .tokenizer = command->tokenizer,
                              .weights = run_weights_path(run),
                              .skip_bad = command->skip_bad,
                              .has_no_training = command->split != SPLIT_train};
    DataSource *source = data_open(&data, run->module, diags);
    Arena *arena = arena_new();
    uint32_t count = run->module->task_count;
    TaskScore *scores = ARENA_ARRAY(arena, TaskScore, count);
    bool is_good =
        source && evaluate_tasks(run->session, source, command->split, NULL, scores, diags);
    if (is_good)
        evaluate_print(NULL, scores, count, stdout);
    arena_free(arena);
    data_close(source);
    return is_good ? EXIT_CODE_done : EXIT_CODE_input;
}

int cmd_eval(int argc, char **argv)
{
    EvalCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command.plan,
                                .weights = command.weights,
                                .from = command.from,
                                .threads = command.threads};
    Run run;
    code = EXIT_CODE_input;
    if (run_open(&run, &options, diags)) {
        code = (int)evaluate(&command, &run, diags);
        run_close(&run);
    }
    diags_free(diags);
    return code;
}
