/* vlrun score */
#include <string.h>

#include "ir/base/command_line.h"
#include "runtime/data/dataset/dataset_scores.h"
#include "runtime/data/score_predictions.h"
#include "runtime/train/evaluate.h"
#include "runtime/vlrun/commands.h"

typedef struct ScoreCommand {
    const char *files[2]; /* predictions, references */
    const char *task, *split_name, *format;
    bool is_json;
    Split split;
} ScoreCommand;

static bool parse(ScoreCommand *command, int argc, char **argv, int *out_code)
{
    *command = (ScoreCommand){.split_name = "test", .format = "table"};
    const Option options[] = {
        {"--task", OPTION_text, &command->task, "NAME",
         "whose metrics; an unknown name lists those there are"},
        {"--split", OPTION_text, &command->split_name, "NAME",
         "train, valid or test (if not given): which of the references"},
        {"--format", OPTION_text, &command->format, "NAME", "table or json"},
    };
    const Usage usage = {
        .command = "score",
        .operands = "PREDICTIONS REFERENCES",
        .help =
            "Scores predictions as eval scores a plan's. PREDICTIONS is a file that a\n"
            "leaderboard takes, or what generate prints; REFERENCES a data directory, "
            "or\n"
            "the file of the task's answers. Every reference needs a prediction.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .operand_count = 2};
    if (!options_parse(&usage, argc, argv, command->files, out_code))
        return false;
    *out_code = EXIT_CODE_usage;
    command->is_json = strcmp(command->format, "json") == 0;
    if (!command->task)
        fprintf(stderr, "vlrun score: --task NAME is missing\n");
    else if (command->is_json || strcmp(command->format, "table") == 0)
        return split_find(command->split_name, "score", &command->split);
    else
        fprintf(stderr, "vlrun score: no format '%s'; there are table and json\n",
                command->format);
    return false;
}

static void add_all(const TaskKind *kind, const References *references,
                    const Prediction *predictions, Evaluation *out)
{
    Scores *scores = dataset_scores_new(kind, NULL);
    for (uint32_t i = 0; i < references_count(references); i++) {
        const Prediction *said = &predictions[i];
        const DatasetExample *example;
        for (uint32_t at = 0; (example = references_next(references, i, &at));) {
            bool is_true = example->answer_count > 0 &&
                           strcmp(example->answers[0].text, "true") == 0;
            dataset_scores_add_text(scores, example, said->text,
                                    is_true ? said->says_true : said->says_false);
        }
    }
    uint32_t count = 0;
    const Metric *metrics = dataset_scores_finish(scores, &count);
    for (uint32_t i = 0; i < count; i++)
        evaluation_add(out, &(TaskScore){kind->task, metrics[i], i == 0});
    dataset_scores_free(scores);
}

static bool score(const ScoreCommand *command, Evaluation *out, Diags *diags)
{
    const TaskKind *kind = task_kind_find(command->task, (Loc){0}, diags);
    References *references =
        kind ? references_read(kind, command->files[1], command->split, diags) : NULL;
    const Prediction *predictions =
        references ? predictions_read(kind, references, command->files[0], diags) : NULL;
    if (predictions)
        add_all(kind, references, predictions, out);
    references_free(references);
    return predictions;
}

int cmd_score(int argc, char **argv)
{
    ScoreCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    Diags *diags = diags_new(stderr);
    Evaluation evaluation = {0};
    bool ok = score(&command, &evaluation, diags);
    if (ok && command.is_json)
        evaluate_print_json(&evaluation, command.split, stdout);
    else if (ok)
        evaluate_print(&evaluation, stdout);
    code = (int)exit_code(ok, diags);
    evaluation_free(&evaluation);
    diags_free(diags);
    return code;
}
