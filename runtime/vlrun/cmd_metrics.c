/* vlrun metrics */
#include <stdlib.h>

#include "ir/base/command_line.h"
#include "ir/base/files.h"
#include "runtime/run/run_directory.h"
#include "runtime/train/curves.h"
#include "runtime/train/metrics_table.h"
#include "runtime/vlrun/commands.h"

typedef enum MetricsFormat {
    METRICS_FORMAT_csv,
    METRICS_FORMAT_tensorboard
} MetricsFormat;
static const char *const formats[] = {"csv", "tensorboard", NULL};

typedef struct MetricsArguments {
    const char *run, *output;
    MetricsRows rows;
    MetricsFormat format;
} MetricsArguments;

#define AT(field) offsetof(MetricsArguments, field)
static const Option option_rows[] = {
    OPTION(choice, "--rows", AT(rows), "WHICH", "lines of a CSV table", .preset = "steps",
           .choices = metrics_rows),
    OPTION(choice, "--format", AT(format), "NAME",
           "a CSV table, or events with all curves", .preset = "csv", .choices = formats),
    OPTION(
        path, "--output", AT(output), "FILE",
        "where to, if not standard output; TensorBoard looks for 'tfevents' in its name",
        .letter = 'o'),
};
#undef AT

static bool write_table(const MetricsArguments *command, const char *path, Diags *diags)
{
    if (!command->output)
        return metrics_table_print(path, command->rows, stdout, diags);
    NewFile *file = new_file_open(command->output, diags);
    if (!file)
        return false;
    if (metrics_table_print(path, command->rows, new_file_stream(file), diags))
        return new_file_finish(file, diags);
    new_file_discard(file);
    return false;
}

static int cmd_metrics(const void *arguments)
{
    const MetricsArguments *command = arguments;
    bool is_table = command->format == METRICS_FORMAT_csv;
    if (!is_table && !command->output) {
        fprintf(stderr, "vlrun metrics: --format tensorboard needs -o FILE\n");
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    char *path = run_metrics_path(command->run);
    bool ok = !command->output || run_check_output(command->output, diags);
    if (ok)
        ok = is_table ? write_table(command, path, diags)
                      : curves_write(command->output, path, diags);
    free(path);
    ExitCode code = exit_code(ok, diags);
    diags_free(diags);
    return (int)code;
}

const Command command_metrics = {
    .name = "metrics",
    .operands = "RUN",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(MetricsArguments, run),
    .help = "steps and scores of a run, for spreadsheets and TensorBoard",
    .details =
        "Writes what metrics.jsonl of a run says of its steps or its scores as CSV, "
        "or all of\nit as a file of events.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(MetricsArguments),
    .run = cmd_metrics};
