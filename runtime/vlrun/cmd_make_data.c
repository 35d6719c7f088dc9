/* vlrun make-data */
#include <stdio.h>
#include <string.h>

#include "ir/base/command_line.h"
#include "runtime/data/shapes/shapes.h"
#include "runtime/vlrun/commands.h"

enum { SIZE = 3000, WIDTH = 48, WIDTH_MAX = 1 << 16, SIZE_MAX_EXAMPLES = 1 << 24 };

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

int cmd_make_data(int argc, char **argv)
{
    const char *operands[2];
    int64_t size = SIZE, seed = 0, width = WIDTH;
    bool overwrite = false;
    const Option options[] = {
        {"--size", OPTION_count, &size, "N", "training examples of each task; 3000"},
        {"--seed", OPTION_count, &seed, "N", "other scenes for another number; 0"},
        {"--width", OPTION_count, &width, "N", "numbers in a feature; 48"},
        {"--overwrite", OPTION_flag, &overwrite, NULL,
         "also if DIR is not empty: replace files of the same names"},
    };
    const Usage usage = {
        .command = "make-data",
        .operands = "shapes DIR",
        .help = "Writes scenes and clips of coloured shapes in the layout of "
                "real data sets,\nfor all eight tasks (docs/data.md).",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .operand_count = 2};
    int code;
    if (!options_parse(&usage, argc, argv, operands, &code))
        return code;
    if (strcmp(operands[0], "shapes") != 0) {
        fprintf(stderr, "vlrun make-data: there are no '%s', only shapes\n", operands[0]);
        return EXIT_CODE_usage;
    }
    if (size < 1 || size > SIZE_MAX_EXAMPLES || width < 1 || width > WIDTH_MAX) {
        fprintf(stderr, "vlrun make-data: --size is 1 to %d, --width 1 to %d\n",
                SIZE_MAX_EXAMPLES, WIDTH_MAX);
        return EXIT_CODE_usage;
    }
    const ShapesOptions shapes = {.directory = operands[1],
                                  .size = size,
                                  .seed = seed,
                                  .width = width,
                                  .images = true,
                                  .videos = true,
                                  .overwrite = overwrite,
                                  .progress = stderr};
    return make(shapes);
}
