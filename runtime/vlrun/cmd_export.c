/* vlrun export */
#include "ir/base/command_line.h"
#include "runtime/run/run.h"
#include "runtime/vlrun/commands.h"
#include "runtime/weights/weights.h"

typedef struct ExportArguments {
    const char *plan, *from, *weights, *out;
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
    OPTION(path, "--output", AT(out), "FILE", "safetensors file to write", .letter = 'o'),
    OPTION(flag, "--merge", AT(merge), NULL, "frozen parameters too: a whole model"),
    OPTIONS_OTHER(AT(other)),
};
#undef AT

static int cmd_export(const void *arguments)
{
    const ExportArguments *command = arguments;
    if (!command->out || !(command->from || run_is_directory(command->plan))) {
        fprintf(stderr,
                "vlrun export: expected RUN -o FILE [--merge], or plan.bin --from "
                "RUN -o FILE; see vlrun export --help\n");
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command->plan,
                                .weights = command->weights,
                                .from = command->from,
                                .best = command->best,
                                .other = command->other,
                                .random_weights =
                                    command->random_weights || !command->merge,
                                .no_session = true};
    Run run;
    bool is_open = run_open(&run, &options, diags), ok = false;
    if (is_open) {
        const ExportOptions what = {command->merge, run.weights_fingerprint};
        ok = weights_export(run.store, command->out, &what, diags);
        run_close(&run);
    }
    int code = (int)exit_code(ok, diags);
    diags_free(diags);
    return code;
}

const Command command_export = {.name = "export",
                                .operands = "RUN | plan.bin",
                                .least_operands = 1,
                                .most_operands = 1,
                                .operand_field = offsetof(ExportArguments, plan),
                                .help = "write trained parameters as safetensors",
                                .details =
                                    "Writes trained parameters under all their names.",
                                COMMAND_OPTIONS(option_rows),
                                COMMAND_ARGUMENTS(ExportArguments),
                                .run = cmd_export};
