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
    OPTION(path, "--output", AT(out), "FILE", "safetensors file to write", .letter = 'o'),
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

static int cmd_average(const void *arguments)
{
    const AverageArguments *command = arguments;
    uint32_t count = command->inputs.count;
    double *coefficients = HEAP_ARRAY(double, count);
    const char *fault = NULL;
    if (!command->out)
        fault = "-o FILE is needed";
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
    int code = (int)exit_code(
        run_check_output(command->out, diags) && run_average(&options, diags), diags);
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
    .details = "Averages trained parameters of runs, checkpoints, exports or adapters, "
               "number by\nnumber: a file for --from and --init-from.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(AverageArguments),
    .run = cmd_average};
