/* vlrun import */
#include "ir/base/command_line.h"
#include "runtime/run/run.h"
#include "runtime/vlrun/commands.h"
#include "runtime/weights/weights.h"

typedef struct ImportArguments {
    const char *operands[2]; /* plan, what is imported */
    const char *weights, *out;
    TextList skip;
    bool ignore_mismatched;
} ImportArguments;

#define AT(field) offsetof(ImportArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--weights", AT(weights), "PATH",
           "the weights below them, which some tensors are made with"),
    OPTION(path, "--output", AT(out), "FILE", "safetensors file to write", .letter = 'o'),
    OPTION(flag, "--ignore-mismatched", AT(ignore_mismatched), NULL,
           "of a file: trained parameters of another shape keep their initial values"),
    OPTION(list, "--skip-weights", AT(skip), "PATTERN",
           "trained parameters that are not taken: encoder.*"),
};
#undef AT

static int cmd_import(const void *arguments)
{
    const ImportArguments *command = arguments;
    if (!command->out) {
        fputs("vlrun import: -o FILE is needed; see vlrun import --help\n", stderr);
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command->operands[0],
                                .weights = command->weights,
                                .init_from = command->operands[1],
                                .ignore_mismatched = command->ignore_mismatched,
                                .skip = command->skip,
                                .random_weights = true,
                                .no_session = true};
    Run run;
    bool is_open =
        run_check_output(command->out, diags) && run_open(&run, &options, diags);
    bool ok = false;
    if (is_open) {
        const ExportOptions what = {.weights_fingerprint = run.weights
                                                               ? run.weights_fingerprint
                                                               : run.trained_over};
        ok = weights_export(run.store, command->out, &what, diags);
        run_close(&run);
    }
    int code = (int)exit_code(ok, diags);
    diags_free(diags);
    return code;
}

const Command command_import = {
    .name = "import",
    .operands = "plan.bin DIR|FILE",
    .least_operands = 2,
    .most_operands = 2,
    .operand_field = offsetof(ImportArguments, operands),
    .help = "make parameters of others an export of ours",
    .details =
        "Reads an adapter of PEFT or AdapterHub, or a file of trained parameters, and "
        "writes\nwhat the plan trains under all its names, for --from and --init-from. "
        "What is not\nthere is named and keeps its initial values.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ImportArguments),
    .run = cmd_import};
