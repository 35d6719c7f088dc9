/* vlrun export */
#include "ir/base/command_line.h"
#include "ir/version/version.h"
#include "runtime/onnx/onnx.h"
#include "runtime/run/run.h"
#include "runtime/vlrun/commands.h"
#include "runtime/weights/weights.h"

/* In the order of the choices. */
typedef enum ExportFormat { FORMAT_safetensors, FORMAT_onnx } ExportFormat;
static const char *const formats[] = {"safetensors", "onnx", NULL};

typedef struct ExportArguments {
    const char *plan, *from, *weights, *out, *task;
    ExportFormat format;
    bool merge, random_weights, best;
    RunOther other;
} ExportArguments;

#define AT(field) offsetof(ExportArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--from", AT(from), "RUN",
           "run directory, checkpoint or exported parameters"),
    OPTION_BEST(AT(best)),
    OPTION(path, "--weights", AT(weights), "PATH",
           "the weights the run started from, if moved"),
    OPTION_RANDOM_WEIGHTS(AT(random_weights)),
    OPTION(path, "--output", AT(out), "PATH",
           "the file to write; with --format onnx, the directory", .letter = 'o'),
    OPTION(choice, "--format", AT(format), "NAME",
           "parameters in a file, or graphs that generate with all of them",
           .preset = "safetensors", .choices = formats),
    OPTION(flag, "--merge", AT(merge), NULL,
           "of safetensors: frozen parameters too, a whole model"),
    OPTION(text, "--task", AT(task), "NAME", "of onnx: one task only; else all"),
    OPTIONS_OTHER(AT(other)),
};
#undef AT

static bool write_safetensors(const ExportArguments *command, Run *run, Diags *diags)
{
    const ExportOptions what = {command->merge, run->weights_fingerprint};
    return weights_export(run->store, command->out, &what, diags);
}

static bool write_onnx(const ExportArguments *command, Run *run, Diags *diags)
{
    const OnnxOptions what = {.directory = command->out,
                              .task = command->task,
                              .producer = version_number,
                              .plan = run->plan,
                              .weights_fingerprint = run->weights_fingerprint};
    return onnx_export(run->store, &what, diags);
}

/* Whether frozen parameters are written: then somebody must have given them. */
static bool is_whole(const ExportArguments *command)
{
    return command->merge || command->format == FORMAT_onnx;
}

static bool is_usable(const ExportArguments *command)
{
    bool is_onnx = command->format == FORMAT_onnx;
    if (!command->out || !(command->from || run_is_directory(command->plan) ||
                           (is_onnx && command->random_weights)))
        fprintf(stderr,
                "vlrun export: expected RUN -o PATH, or plan.bin --from RUN -o PATH; see "
                "vlrun export --help\n");
    else if (command->merge && is_onnx)
        fprintf(stderr, "vlrun export: --merge is of --format safetensors: ONNX graphs "
                        "have all parameters anyway\n");
    else if (command->task && !is_onnx)
        fprintf(stderr, "vlrun export: --task is of --format onnx\n");
    else
        return true;
    return false;
}

static int cmd_export(const void *arguments)
{
    const ExportArguments *command = arguments;
    if (!is_usable(command))
        return EXIT_CODE_usage;
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command->plan,
                                .weights = command->weights,
                                .from = command->from,
                                .best = command->best,
                                .other = command->other,
                                .random_weights =
                                    command->random_weights || !is_whole(command),
                                .no_session = true};
    Run run;
    bool is_open = run_open(&run, &options, diags), ok = false;
    if (is_open) {
        ok = command->format == FORMAT_onnx ? write_onnx(command, &run, diags)
                                            : write_safetensors(command, &run, diags);
        run_close(&run);
    }
    int code = (int)exit_code(ok, diags);
    diags_free(diags);
    return code;
}

const Command command_export = {
    .name = "export",
    .operands = "RUN | plan.bin",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(ExportArguments, plan),
    .help = "write trained parameters as safetensors, or graphs as ONNX",
    .details =
        "Writes trained parameters under all their names, or what a task generates "
        "with as ONNX graphs.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ExportArguments),
    .run = cmd_export};
