/* vlrun check-data */
#include "ir/base/heap.h"
#include "ir/base/terminal.h"
#include "runtime/run/run_directory.h"
#include "runtime/survey/survey.h"
#include "runtime/vlrun/commands.h"

#include <stdlib.h>
#include <string.h>

typedef enum SurveyFormat { SURVEY_FORMAT_text, SURVEY_FORMAT_json } SurveyFormat;
static const char *const formats[] = {"text", "json", NULL};

typedef struct CheckDataArguments {
    const char *plan; /* or the directory of a run */
    const char *data, *tokenizer, *weights, *encoder, *encoder_weights, *feature_cache;
    const char *task, *split, *html, *pictures;
    bool random_weights;
    RunOther other;
    SurveyReading reading;
    SurveyFormat format;
} CheckDataArguments;

#define AT(field) offsetof(CheckDataArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--data", AT(data), "DIR",
           "data sets, if not the run's; shapes: built in, and taken without a run"),
    OPTION(path, "--tokenizer", AT(tokenizer), "PATH",
           "file or directory; that of weights or data if not given"),
    OPTION(path, "--weights", AT(weights), "DIR", "a model directory with a tokenizer"),
    OPTIONS_ENCODER(AT(encoder), AT(encoder_weights), AT(feature_cache)),
    OPTION_RANDOM_WEIGHTS(AT(random_weights)),
    OPTION(text, "--task", AT(task), "NAME", "one task only; else all"),
    OPTION(name, "--split", AT(split), "NAME", "one split only; else all",
           .choices = split_names),
    OPTION(choice, "--features", AT(reading), "NAME",
           "whose files are read, and not only looked for: 256 of a split, or all",
           .preset = "sample", .choices = survey_readings),
    OPTION(choice, "--format", AT(format), "NAME", "of what is printed", .preset = "text",
           .choices = formats),
    OPTION(path, "--html", AT(html), "FILE",
           "write a page too, with samples and their pictures"),
    OPTION(path, "--pictures", AT(pictures), "DIR",
           "where the page finds pictures, if not beside the data's features"),
    OPTIONS_OTHER(AT(other)),
};
#undef AT

typedef struct CheckData {
    const CheckDataArguments *command;
    Run run;
    Encoder *encoder;
    EncoderRecord record; /* of the encoder */
    const Interrupt *interrupt;
    Findings *findings;
    Survey survey;
    Diags *diags;
} CheckData;

static DataSource *open_data(CheckData *work)
{
    const CheckDataArguments *command = work->command;
    DatasetEncoder identity;
    DataOptions options = {.directory = command->data,
                           .tokenizer = command->tokenizer,
                           .weights = command->weights,
                           .has_no_training = true,
                           .findings = findings_diags(work->findings),
                           .interrupt = work->interrupt};
    if (work->encoder) {
        identity = (DatasetEncoder){encoder_name(work->encoder), work->record.fingerprint,
                                    work->record.cache};
        options.encoder = &identity;
    }
    return run_open_data(&work->run, &options, NULL, work->diags);
}

static bool write_page(const CheckData *work)
{
    Page *page = page_open(work->command->html, "Data", work->diags);
    if (!page)
        return false;
    page_text(page, "Of %s, as %s takes them.", dataset_directory(work->survey.source),
              work->command->plan);
    survey_add_to_page(&work->survey, work->command->pictures, page);
    return page_finish(page, work->diags);
}

static bool show(const CheckData *work)
{
    if (work->command->format == SURVEY_FORMAT_json)
        survey_print_json(&work->survey, stdout);
    else
        survey_print(&work->survey, stdout);
    return !work->command->html || write_page(work);
}

static bool take_survey(CheckData *work)
{
    const CheckDataArguments *command = work->command;
    DataSource *source = open_data(work);
    SurveyOptions options = {.task = command->task,
                             .reading = command->reading,
                             .encoder = work->encoder,
                             .encoder_plan = work->record.plan,
                             .interrupt = work->interrupt,
                             .progress = terminal(stderr)};
    for (int i = 0; i < SPLIT_COUNT; i++)
        options.splits[i] =
            !command->split || strcmp(command->split, split_names[i]) == 0;
    if (!source)
        return false;
    survey_take(&work->survey, &options, work->run.module, source, work->findings);
    bool ok = show(work) && findings_count(work->findings, DIAG_error) == 0;
    survey_free(&work->survey);
    data_close(source);
    return ok;
}

static bool check_data(CheckData *work)
{
    const CheckDataArguments *command = work->command;
    const RunOptions options = {.plan = command->plan, .other = command->other};
    const EncoderOptions encoder = {.plan = command->encoder,
                                    .weights = command->encoder_weights,
                                    .random_weights = command->random_weights};
    if ((command->html && !run_check_output(command->html, work->diags)) ||
        !run_read(&work->run, &options, work->diags))
        return false;
    bool ok =
        (!command->task ||
         module_named_task(work->run.module, command->task, (Loc){.file = command->plan},
                           work->diags)) &&
        encode_choose(&work->run, &encoder, &work->encoder, &work->record, work->diags) &&
        encode_choose_cache(&work->run, command->feature_cache, &work->record,
                            work->diags) &&
        take_survey(work);
    encoder_close(work->encoder);
    run_close(&work->run);
    return ok;
}

static int cmd_check_data(const void *arguments)
{
    const CheckDataArguments *command = arguments;
    if (command->pictures && !command->html) {
        fputs("vlrun check-data: --pictures goes with --html\n", stderr);
        return EXIT_CODE_usage;
    }
    Interrupt *interrupt = interrupt_new();
    CheckData work = {.command = command,
                      .interrupt = interrupt,
                      .findings = findings_new(),
                      .diags = diags_new(stderr)};
    ExitCode code = check_data(&work) ? EXIT_CODE_done : EXIT_CODE_input;
    int exit_code = exit_code_after(interrupt, code, work.diags);
    findings_free(work.findings);
    diags_free(work.diags);
    interrupt_free(interrupt);
    return exit_code;
}

const Command command_check_data = {
    .name = "check-data",
    .operands = "RUN | plan.bin",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(CheckDataArguments, plan),
    .help = "say what there is in data sets, and all that is wrong with them",
    .details =
        "Looks at every task and split before a training: how much there is, what is\n"
        "missing, damaged, cut or there twice, and how examples read. Ends with exit\n"
        "code 1 if the data would be refused, and with 0 if there are only warnings.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(CheckDataArguments),
    .run = cmd_check_data};
