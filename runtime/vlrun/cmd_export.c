/* vlrun export */
#include <string.h>

#include "ir/base/command_line.h"
#include "ir/version/version.h"
#include "runtime/exchange/exchange.h"
#include "runtime/onnx/onnx.h"
#include "runtime/run/run.h"
#include "runtime/run/run_directory.h"
#include "runtime/vlrun/commands.h"
#include "runtime/weights/weights.h"

/* In the order of the choices; then those of other libraries. */
typedef enum ExportFormat {
    FORMAT_safetensors,
    FORMAT_reference,
    FORMAT_onnx,
    FORMAT_exchanges
} ExportFormat;

static const char *const formats[] = {
    "safetensors",
    "reference",
    "onnx",
#define EXCHANGE(name, ...) #name,
#include "ir/exchanges.def"
    NULL,
};

typedef struct ExportArguments {
    const char *plan, *from, *weights, *out, *task, *name;
    ExportFormat format;
    bool merge, fold, random_weights, best;
    RunOther other;
} ExportArguments;

#define AT(field) offsetof(ExportArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--from", AT(from), "RUN",
           "run directory, checkpoint, exported parameters, or a directory of another "
           "library's"),
    OPTION_BEST(AT(best)),
    OPTION(path, "--weights", AT(weights), "PATH",
           "the weights the run started from, if moved"),
    OPTION_RANDOM_WEIGHTS(AT(random_weights)),
    OPTION(path, "--output", AT(out), "PATH",
           "the file to write; of onnx, peft and adapterhub the directory",
           .letter = 'o'),
    OPTION(choice, "--format", AT(format), "NAME",
           "parameters in a file (reference: for torch.load), graphs that generate with "
           "all of them, or an adapter of another library's",
           .preset = "safetensors", .choices = formats),
    OPTION(flag, "--merge", AT(merge), NULL,
           "of safetensors and reference: frozen parameters too, a whole model"),
    OPTION(flag, "--fold", AT(fold), NULL,
           "of the same: the backbone alone, with what methods learned folded into its "
           "weights"),
    OPTION(text, "--task", AT(task), "NAME",
           "of onnx: one task only; else: whose parameters, where each has its own"),
    OPTION(text, "--name", AT(name), "NAME",
           "of an adapter of another library's; the model's, if not given"),
    OPTIONS_OTHER(AT(other)),
};
#undef AT

/* An adapter in the format of another library. */
static bool is_exchange(const ExportArguments *command)
{
    return command->format >= FORMAT_exchanges;
}

static bool write_exchange(const ExportArguments *command, Run *run, Diags *diags)
{
    const ExchangeExport what = {.format =
                                     (ExchangeFormat)(command->format - FORMAT_exchanges),
                                 .task = command->task,
                                 .name = command->name,
                                 .weights_fingerprint = run->weights_fingerprint};
    return exchange_export(run->store, &what, command->out, stderr, diags);
}

static bool write_file(const ExportArguments *command, Run *run, Diags *diags)
{
    ExportContainer container =
        command->format == FORMAT_reference ? EXPORT_torch : EXPORT_safetensors;
    if (command->fold)
        return exchange_fold(run->store, command->task, container, command->out, diags);
    const ExportOptions what = {.all = command->merge,
                                .container = container,
                                .weights_fingerprint = run->weights_fingerprint};
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
    return command->merge || command->fold || command->format == FORMAT_onnx;
}

/* What is wrong with the options, or NULL. */
static const char *contradiction(const ExportArguments *command)
{
    bool is_onnx = command->format == FORMAT_onnx;
    if (!command->out || !(command->from || run_is_directory(command->plan) ||
                           (is_onnx && command->random_weights)))
        return "expected RUN -o PATH, or plan.bin --from RUN -o PATH";
    if (command->merge && is_onnx)
        return "--merge is of --format safetensors and reference: ONNX graphs have all "
               "parameters anyway";
    if ((command->merge || command->fold) && (is_onnx || is_exchange(command)))
        return "--merge and --fold are of --format safetensors and reference";
    if (command->merge && command->fold)
        return "--fold writes a whole model: it goes without --merge";
    if (command->task && !is_onnx && !is_exchange(command) && !command->fold)
        return "--task is of --format onnx, --fold and formats of other libraries";
    if (command->name && !is_exchange(command))
        return "--name is of formats of other libraries";
    if (command->name && (!*command->name || strpbrk(command->name, "./*")))
        return "--name is a word without '.', '/' and '*'";
    return NULL;
}

static bool write_out(const ExportArguments *command, Run *run, Diags *diags)
{
    if (!run_check_output(command->out, diags))
        return false;
    return command->format == FORMAT_onnx ? write_onnx(command, run, diags)
           : is_exchange(command)         ? write_exchange(command, run, diags)
                                          : write_file(command, run, diags);
}

static int cmd_export(const void *arguments)
{
    const ExportArguments *command = arguments;
    const char *problem = contradiction(command);
    if (problem) {
        fprintf(stderr, "vlrun export: %s; see vlrun export --help\n", problem);
        return EXIT_CODE_usage;
    }
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
        ok = write_out(command, &run, diags);
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
    .help = "write trained parameters, for here or elsewhere, or ONNX graphs",
    .details =
        "Writes trained parameters under all their names, an adapter as another library "
        "has it, or what a task generates with as ONNX graphs. Adapters of other "
        "libraries are read by --from, here and of eval and generate.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ExportArguments),
    .run = cmd_export};
