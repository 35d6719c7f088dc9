/* vlrun make-data */
#include <stdio.h>
#include <string.h>

#include "ir/base/command_line.h"
#include "runtime/data/shapes/shapes.h"
#include "runtime/vlrun/commands.h"

typedef struct MakeDataArguments {
    const char *operands[2];
    int64_t size, seed, width;
    bool overwrite;
} MakeDataArguments;

static int make(ShapesOptions shapes)
{
    Diags *diags = diags_new(stderr);
    Interrupt *interrupt = interrupt_new();
    shapes.interrupt = interrupt;
    ExitCode code = shapes_write(&shapes, diags) ? EXIT_CODE_done : EXIT_CODE_input;
    if (interrupt_is_set(interrupt))
        diag_warning(diags, (Loc){.file = shapes.directory},
                     "stopped early: not all data are there");
    int end = exit_code_after(interrupt, code, diags);
    interrupt_free(interrupt);
    diags_free(diags);
    return end;
}

#define AT(field) offsetof(MakeDataArguments, field)
static const Option option_rows[] = {
    OPTION(count, "--size", AT(size), "N", "training examples of each task",
           .preset = "3000", .least = 1, .most = 1 << 24),
    OPTION(count, "--seed", AT(seed), "N", "other scenes for another number",
           .preset = "0"),
    OPTION(count, "--width", AT(width), "N", "numbers in a feature", .preset = "48",
           .least = 1, .most = 1 << 16),
    OPTION(flag, "--overwrite", AT(overwrite), NULL,
           "also if DIR is not empty: replace files of the same names"),
};
#undef AT

static int cmd_make_data(const void *arguments)
{
    const MakeDataArguments *command = arguments;
    const char *const *operands = command->operands;
    if (strcmp(operands[0], "shapes") != 0) {
        fprintf(stderr, "vlrun make-data: there are no '%s', only shapes\n", operands[0]);
        return EXIT_CODE_usage;
    }
    const ShapesOptions shapes = {.directory = operands[1],
                                  .size = command->size,
                                  .seed = command->seed,
                                  .width = command->width,
                                  .images = true,
                                  .videos = true,
                                  .overwrite = command->overwrite,
                                  .progress = stderr};
    return make(shapes);
}

const Command command_make_data = {
    .name = "make-data",
    .operands = "shapes DIR",
    .least_operands = 2,
    .most_operands = 2,
    .operand_field = offsetof(MakeDataArguments, operands),
    .help = "write the built-in shapes as data sets on disk",
    .details = "Writes scenes and clips of coloured shapes in the layout of "
               "real data sets,\nfor all eight tasks (docs/data.md).",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(MakeDataArguments),
    .run = cmd_make_data};
