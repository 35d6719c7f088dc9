/* vlrun export */
#include "ir/base/command_line.h"
#include "runtime/run/run.h"
#include "runtime/vlrun/commands.h"
#include "runtime/weights/weights.h"

typedef struct ExportCommand {
    const char *plan, *from, *weights, *out;
    bool merge, random_weights;
    RunOther other;
} ExportCommand;

static bool parse(ExportCommand *command, int argc, char **argv, int *out_code)
{
    *command = (ExportCommand){0};
    const Option options[] = {
        {"--from", OPTION_text, &command->from, "RUN",
         "run directory, checkpoint or exported parameters"},
        {"--weights", OPTION_text, &command->weights, "PATH",
         "the weights the run started from, if moved"},
        OPTION_RANDOM_WEIGHTS(command->random_weights),
        {"-o", OPTION_text, &command->out, "FILE", "safetensors file to write"},
        {"--merge", OPTION_flag, &command->merge, NULL,
         "frozen parameters too: a whole model"},
        OPTIONS_OTHER(command->other),
    };
    const Usage usage = {.command = "export",
                         .operands = "RUN | plan.bin",
                         .help = "Writes trained parameters under all their names.",
                         .options = options,
                         .option_count = sizeof options / sizeof *options,
                         .operand_count = 1};
    if (!options_parse(&usage, argc, argv, &command->plan, out_code))
        return false;
    if (command->out && (command->from || run_is_directory(command->plan)))
        return true;
    fprintf(stderr, "usage: vlrun export RUN -o FILE [--merge], or vlrun export plan.bin "
                    "--from RUN -o FILE; see --help\n");
    return false;
}

int cmd_export(int argc, char **argv)
{
    ExportCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command.plan,
                                .weights = command.weights,
                                .from = command.from,
                                .other = command.other,
                                .random_weights =
                                    command.random_weights || !command.merge,
                                .no_session = true};
    Run run;
    bool is_open = run_open(&run, &options, diags), ok = false;
    if (is_open) {
        const ExportOptions what = {command.merge, run.weights_fingerprint};
        ok = weights_export(run.store, command.out, &what, diags);
        run_close(&run);
    }
    code = (int)exit_code(ok, diags);
    diags_free(diags);
    return code;
}
