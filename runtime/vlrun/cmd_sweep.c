/* vlrun sweep */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/command_line.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/lanes/lanes.h"
#include "runtime/run/run_directory.h"
#include "runtime/sweep/sweep_pages.h"
#include "runtime/sweep/sweep_run.h"
#include "runtime/vlrun/commands.h"

typedef struct SweepArguments {
    const char *file, *out;
    int64_t jobs, only, steps;
    TextList set, compile, train;
    bool list;
} SweepArguments;

#define AT(field) offsetof(SweepArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--output", AT(out), "DIR", "rows, table.tsv and page.html",
           .letter = 'o'),
    OPTION(count, "--jobs", AT(jobs), "N",
           "rows at a time, which share the processors evenly", .preset = "1", .least = 1,
           .most = LANES_MAX),
    OPTION(count, "--only", AT(only), "N",
           "this row alone, by its number; writes neither table nor page", .least = 1),
    OPTION(count, "--steps", AT(steps), "N", "at most so many of each row, to try it"),
    OPTION(list, "--set", AT(set), "NAME=VALUE", "a constant, for all rows"),
    OPTION(list, "--compile", AT(compile), "NAME=VALUE",
           "an option of vlc compile, for all rows"),
    OPTION(list, "--train", AT(train), "NAME=VALUE",
           "an option of vlrun train, for all rows"),
    OPTION(flag, "--list", AT(list), NULL, "say what would be done, a line for each row"),
};
#undef AT

static void list_rows(const SweepFile *sweep, int64_t only)
{
    for (uint32_t i = 0; i < sweep->count; i++) {
        const SweepRow *row = &sweep->rows[i];
        if (only != COUNT_NOT_GIVEN && only != row->number)
            continue;
        printf("%" PRIu32 "\t%s\t%s", row->number, row->name, row->model);
        const char *name;
        json_t *value;
        json_object_foreach(row->set, name, value) printf(
            "%s%s=%s",
            value == json_object_iter_value(json_object_iter(row->set)) ? "\t" : " ",
            name, json_string_value(value));
        for (uint32_t w = 0; w < row->compile.count; w++)
            printf(" %s", row->compile.items[w]);
        for (uint32_t w = 0; w < row->train.count; w++)
            printf(" %s", row->train.items[w]);
        putchar('\n');
    }
}

/* The name of the file, without its folder and ending. */
static char *title_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    char *title = heap_string(slash ? slash + 1 : file), *dot = strrchr(title, '.');
    if (dot && dot > title)
        *dot = '\0';
    return title;
}

static bool write_results(const SweepFile *sweep, const SweepArguments *command,
                          Diags *diags)
{
    SweepResults results;
    char *title = title_of(command->file), *table = run_path(command->out, "table.tsv"),
         *page = run_path(command->out, "page.html");
    bool ok = sweep_results_read(&results, sweep, command->out, diags) &&
              sweep_write_table(&results, table, diags) &&
              sweep_write_page(&results, title, page, diags);
    if (ok)
        printf("%" PRIu32 " of %" PRIu32 " rows finished; %s and %s\n", results.finished,
               sweep->count, table, page);
    sweep_results_free(&results);
    free(title);
    free(table);
    free(page);
    return ok;
}

static ExitCode work_off(const SweepFile *sweep, const SweepArguments *command,
                         const Interrupt *interrupt, Diags *diags)
{
    int64_t lanes = lanes_default_count();
    const SweepWork work = {.directory = command->out,
                            .jobs = command->jobs,
                            .threads = lanes > command->jobs ? lanes / command->jobs : 1,
                            .only = command->only,
                            .interrupt = interrupt,
                            .out = stdout};
    SweepCounts counts;
    if (!directory_make(command->out, diags) || !sweep_run(sweep, &work, &counts, diags))
        return EXIT_CODE_input;
    bool ok = command->only != COUNT_NOT_GIVEN || write_results(sweep, command, diags);
    if (ok && counts.failed > 0)
        return counts.has_other_faults ? EXIT_CODE_input : EXIT_CODE_numbers;
    return exit_code(ok, diags);
}

static ExitCode sweep_file(const SweepArguments *command, const Interrupt *interrupt,
                           Diags *diags)
{
    const SweepOptions options = {.train = &command_train,
                                  .most_steps = command->steps,
                                  .set = command->set,
                                  .compile_with = command->compile,
                                  .train_with = command->train};
    SweepFile sweep;
    ExitCode code = EXIT_CODE_input;
    bool ok = sweep_read(&sweep, command->file, &options, diags);
    if (ok && command->only != COUNT_NOT_GIVEN && command->only > sweep.count) {
        diag_error(diags, (Loc){.file = command->file},
                   "has no row %" PRId64 ", only %" PRIu32, command->only, sweep.count);
        ok = false;
    }
    if (ok && command->list) {
        list_rows(&sweep, command->only);
        code = EXIT_CODE_done;
    } else if (ok) {
        code = work_off(&sweep, command, interrupt, diags);
    }
    sweep_free(&sweep);
    return code;
}

static int cmd_sweep(const void *arguments)
{
    const SweepArguments *command = arguments;
    if (!command->out && !command->list) {
        fprintf(stderr, "vlrun sweep: give -o DIR, or --list\n");
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    Interrupt *interrupt = interrupt_new();
    int code = exit_code_after(interrupt, sweep_file(command, interrupt, diags), diags);
    interrupt_free(interrupt);
    diags_free(diags);
    return code;
}

const Command command_sweep = {
    .name = "sweep",
    .operands = "FILE",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(SweepArguments, file),
    .help = "train many recipes and settings, and compare them",
    .details = "Trains the rows of a file, recipes with settings (docs/sweeps.md), and "
               "writes a table\nand a page that compare them. The same command goes on "
               "where it was stopped.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(SweepArguments),
    .run = cmd_sweep};
