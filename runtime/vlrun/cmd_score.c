/* vlrun score */
#include <string.h>

#include "ir/base/command_line.h"
#include "runtime/data/dataset/dataset_scores.h"
#include "runtime/data/score_predictions.h"
#include "runtime/train/evaluate.h"
#include "runtime/vlrun/commands.h"

typedef struct ScoreArguments {
    const char *files[2]; /* predictions, references */
    const char *task;
    Split split;
    ScoreFormat format;
} ScoreArguments;

#define AT(field) offsetof(ScoreArguments, field)
static const Option option_rows[] = {
    OPTION(text, "--task", AT(task), "NAME",
           "whose metrics; an unknown name lists those there are"),
    OPTION(choice, "--split", AT(split), "NAME", "which of the references",
           .preset = "test", .choices = split_names),
    OPTION(choice, "--format", AT(format), "NAME", "how scores are printed",
           .preset = "table", .choices = score_formats),
};
#undef AT

static void add_all(const Layout *layout, const References *references,
                    const Prediction *predictions, Evaluation *out)
{
    Scores *scores = dataset_scores_new(layout->answers, NULL);
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
        evaluation_add(
            out,
            &(TaskScore){.task = layout->name, .metric = metrics[i], .is_main = i == 0});
    dataset_scores_free(scores);
}

static bool score(const ScoreArguments *command, Evaluation *out, Diags *diags)
{
    const Layout *layout = layout_find(command->task, (Loc){0}, diags);
    References *references =
        layout ? references_read(layout, command->files[1], command->split, diags) : NULL;
    const Prediction *predictions =
        references ? predictions_read(layout, references, command->files[0], diags)
                   : NULL;
    if (predictions)
        add_all(layout, references, predictions, out);
    references_free(references);
    return predictions;
}

static int cmd_score(const void *arguments)
{
    const ScoreArguments *command = arguments;
    if (!command->task) {
        fprintf(stderr, "vlrun score: --task NAME is missing\n");
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    Evaluation evaluation = {0};
    bool ok = score(command, &evaluation, diags);
    if (ok && command->format == SCORE_FORMAT_json)
        evaluate_print_json(&evaluation, command->split, stdout);
    else if (ok)
        evaluate_print(&evaluation, stdout);
    int code = (int)exit_code(ok, diags);
    evaluation_free(&evaluation);
    diags_free(diags);
    return code;
}

const Command command_score = {
    .name = "score",
    .operands = "PREDICTIONS REFERENCES",
    .least_operands = 2,
    .most_operands = 2,
    .operand_field = offsetof(ScoreArguments, files),
    .help = "metrics of a task over given predictions",
    .details =
        "Scores predictions as eval scores a plan's. PREDICTIONS is a file that a\n"
        "leaderboard takes, or what generate prints; REFERENCES a data directory, "
        "or\n"
        "the file of the task's answers. Every reference needs a prediction.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ScoreArguments),
    .run = cmd_score};
