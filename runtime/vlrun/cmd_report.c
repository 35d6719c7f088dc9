/* vlrun report */
#include <stdlib.h>

#include "ir/base/command_line.h"
#include "ir/base/heap.h"
#include "runtime/report/report.h"
#include "runtime/run/run_directory.h"
#include "runtime/vlrun/commands.h"
#include "runtime/vlrun/report_samples.h"

typedef struct ReportArguments {
    TextList runs;
    const char *out, *title;
    int64_t samples;
} ReportArguments;

#define AT(field) offsetof(ReportArguments, field)
static const Option option_rows[] = {
    OPTION(path, "--output", AT(out), "FILE", "the page", .preset = "report.html",
           .letter = 'o'),
    OPTION(count, "--samples", AT(samples), "N",
           "answers to so many examples of each task, with their pictures",
           .preset = "0"),
    OPTION(text, "--title", AT(title), "TEXT", "of the page"),
};
#undef AT

/* The page is written even where a run cannot be asked, which the exit code tells. */
static bool write_page(const ReportArguments *command, const ReportRuns *runs,
                       const Interrupt *interrupt, Diags *diags)
{
    char *title = command->title     ? heap_string(command->title)
                  : runs->count == 1 ? heap_format("Run %s", runs->items[0].name)
                                     : heap_format("%u runs", runs->count);
    Page *page = page_open(command->out, title, diags);
    free(title);
    if (!page)
        return false;
    report_add_summary(page, runs);
    report_add_scores(page, runs);
    report_add_curves(page, runs);
    bool ok = command->samples == 0 ||
              report_add_samples(page, runs, command->samples, interrupt, diags);
    report_add_config(page, runs);
    if (!interrupt_is_set(interrupt))
        return page_finish(page, diags) && ok;
    page_discard(page);
    return true;
}

static int cmd_report(const void *arguments)
{
    const ReportArguments *command = arguments;
    Diags *diags = diags_new(stderr);
    Interrupt *interrupt = interrupt_new(); /* before the lanes' threads */
    ReportRuns runs = {0};
    bool ok = run_check_output(command->out, diags) &&
              report_read(&runs, command->runs.items, command->runs.count, diags) &&
              write_page(command, &runs, interrupt, diags);
    report_free(&runs);
    ExitCode code = exit_code(ok && diags_error_count(diags) == 0, diags);
    int end = exit_code_after(interrupt, code, diags);
    interrupt_free(interrupt);
    diags_free(diags);
    return end;
}

const Command command_report = {
    .name = "report",
    .operands = "RUN...",
    .least_operands = 1,
    .most_operands = ANY_NUMBER,
    .operand_field = offsetof(ReportArguments, runs),
    .help = "write a page about runs: curves, scores, cost, in what they differ",
    .details =
        "Writes one HTML file about runs, finished or not, that shows their curves, "
        "scores\nand cost, and in what they differ (docs/report.md).",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ReportArguments),
    .run = cmd_report};
