/* vlrun average */
#include <math.h>
#include <stdlib.h>

#include "ir/base/command_line.h"
#include "ir/base/heap.h"
#include "runtime/run/run_average.h"
#include "runtime/run/run_directory.h"
#include "runtime/run/run.h"
#include "runtime/vlrun/commands.h"

typedef struct AverageArguments {
    TextList inputs;
    const char *out, *coefficients;
    bool best;
} AverageArguments;

#define AT(field) offsetof(AverageArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--output", AT(out), "PATH",
           "safetensors file to write; of directories of other libraries one more",
           .letter = 'o'),
    OPTION(text, "--coefficients", AT(coefficients), "C,C..",
           "how much each counts, by its share of their sum; else all the same"),
    OPTION_BEST(AT(best)),
};
#undef AT

/* Numbers above 0 with commas between, one for each input, whose sum is a number, too. */
static bool read_coefficients(const char *text, uint32_t count, double *out)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        char *end;
        out[i] = strtod(text, &end);
        sum += out[i];
        if (end == text || !isfinite(sum) || out[i] <= 0 ||
            *end != (i + 1 < count ? ',' : '\0'))
            return false;
        text = end + 1;
    }
    return true;
}

static bool average(const AverageOptions *options, Diags *diags)
{
    for (uint32_t i = 0; i < options->count; i++)
        if (exchange_is_directory(options->inputs[i]))
            return run_average_exchange(options, diags);
    return run_average(options, diags);
}

static int cmd_average(const void *arguments)
{
    const AverageArguments *command = arguments;
    uint32_t count = command->inputs.count;
    double *coefficients = HEAP_ARRAY(double, count);
    const char *fault = NULL;
    if (!command->out)
        fault = "-o PATH is needed";
    else if (command->coefficients &&
             !read_coefficients(command->coefficients, count, coefficients))
        fault = "--coefficients wants as many numbers above 0 as there are inputs, with "
                "commas between";
    if (fault) {
        fprintf(stderr, "vlrun average: %s\n", fault);
        free(coefficients);
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    const AverageOptions options = {.inputs = command->inputs.items,
                                    .count = count,
                                    .coefficients =
                                        command->coefficients ? coefficients : NULL,
                                    .best = command->best,
                                    .out = command->out};
    bool ok = run_check_output(command->out, diags) && average(&options, diags);
    int code = (int)exit_code(ok, diags);
    diags_free(diags);
    free(coefficients);
    return code;
}

const Command command_average = {
    .name = "average",
    .operands = "RUN RUN...",
    .least_operands = 2,
    .most_operands = ANY_NUMBER,
    .operand_field = offsetof(AverageArguments, inputs),
    .help = "average what runs have trained, as safetensors",
    .details =
        "Averages trained parameters of runs, checkpoints, exports or adapters, "
        "number by\nnumber: a file for --from and --init-from; of directories of PEFT or "
        "AdapterHub,\nwhich are alike, one more.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(AverageArguments),
    .run = cmd_average};
