/* vlrun generate */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/interrupt.h"
#include "runtime/run/run_directory.h"
#include "runtime/train/predict.h"
#include "runtime/vlrun/generate_show.h"
#include "runtime/vlrun/model_arguments.h"
#include "runtime/vlrun/print_inputs.h"
#include "runtime/vlrun/search_arguments.h"

/* In the order of the choices. */
typedef enum AnswerFormat { FORMAT_jsonl, FORMAT_leaderboard } AnswerFormat;
static const char *const formats[] = {"jsonl", "leaderboard", NULL};

typedef struct GenerateArguments {
    ModelArguments model;
    const char *task, *out, *html, *pictures;
    SearchArguments search;
    int64_t limit;
    bool is_shown;
    Split split;
    AnswerFormat format;
    bool inputs;
} GenerateArguments;

#define AT(field) offsetof(GenerateArguments, field)
static const Option option_rows[] = {
    OPTIONS_MODEL(AT(model)),
    OPTIONS_EXAMPLES(AT(model)),
    OPTION(choice, "--split", AT(split), "NAME", "whose examples", .preset = "test",
           .choices = split_names),
    OPTION(text, "--task", AT(task), "NAME", "one task only; else all"),
    OPTION(count, "--limit", AT(limit), "N",
           "first examples of each task only; with --html 100 if not given"),
    OPTION(flag, "--show", AT(is_shown), NULL,
           "questions, references and answers to read, in place of JSON"),
    OPTION(path, "--html", AT(html), "FILE",
           "the same as a page, with pictures where there are some"),
    OPTION(path, "--pictures", AT(pictures), "DIR",
           "where the page finds pictures, if not beside the data's features"),
    OPTIONS_SEARCH(AT(search)),
    OPTION(choice, "--format", AT(format), "NAME",
           "an object per example, or files to hand in", .preset = "jsonl",
           .choices = formats),
    OPTION(flag, "--inputs", AT(inputs), NULL,
           "print what the model reads of each example, too"),
    OPTION(path, "--out", AT(out), "DIR", "where files for leaderboards go"),
    OPTIONS_MACHINE(AT(model)),
};
#undef AT

static void print_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void print_text(const DataSource *source, const int32_t *ids, int64_t count,
                       FILE *out)
{
    char *text = NULL;
    size_t len;
    FILE *stream = heap_stream(&text, &len);
    source->text(source->state, ids, count, stream);
    fclose(stream);
    fputs(", \"text\": ", out);
    print_string(text, out);
    free(text);
}

/* `inputs` is NULL if they are not asked for. */
static void print_generated(const DataSource *source, const Batch *batch, int64_t first,
                            const Generated *generated, const BatchLayout *inputs,
                            FILE *out)
{
    for (int64_t s = 0; s < generated->sequences; s++) {
        const int32_t *ids = generated->ids + s * generated->width;
        fputs("{\"task\": ", out);
        print_string(batch->task, out);
        fputs(", \"id\": ", out);
        print_string(source->example(source->state, batch, s), out);
        fprintf(out, ", \"index\": %" PRId64 ", \"ids\": [", first + s);
        for (int64_t i = 0; i < generated->lengths[s]; i++)
            fprintf(out, "%s%d", i ? ", " : "", ids[i]);
        fputc(']', out);
        if (source->text)
            print_text(source, ids, generated->lengths[s], out);
        fprintf(out, ", \"score\": %.6f", generated->scores[s]);
        if (inputs) {
            fputs(", \"inputs\": ", out);
            inputs_print(inputs, s, out);
        }
        fputs("}\n", out);
    }
}

/* What goes on while a task is worked through. */
typedef struct TaskWork {
    const GenerateArguments *command;
    Run *run;
    DataSource *source;
    const Interrupt *interrupt;
    GenerateOptions options;
    Dump *dump;            /* NULL: no file for a leaderboard */
    Page *page;            /* NULL: none */
    int64_t judged, right; /* examples of the task */
    int64_t done, limit;   /* examples */
    Diags *diags;
} TaskWork;

static void show(TaskWork *work, const Batch *batch, int64_t sequence,
                 const ModelAnswer *said, Arena *arena)
{
    const ShownExample shown = shown_example(work->source, batch, sequence, said, arena);
    work->judged += shown.is_judged;
    work->right += shown.is_judged && shown.worth >= 0.5;
    if (work->command->is_shown)
        shown_print(&shown, stdout);
    if (work->page)
        shown_card(work->page, work->source, &shown, work->command->pictures, arena);
}

static bool show_batch(TaskWork *work, const Batch *batch)
{
    Arena *arena = arena_new();
    const Asking asking = {.batch = batch, .options = work->options, .best = 1};
    ModelAnswers *said = ARENA_ARRAY(arena, ModelAnswers, batch->sequences);
    bool ok = answer(work->run->session, work->source, &asking, arena, said, work->diags);
    for (int64_t s = 0; ok && s < batch->sequences; s++)
        show(work, batch, s, &said[s].items[0], arena);
    work->done += batch->sequences;
    arena_free(arena);
    return ok;
}

static bool print_batch(const TaskWork *work, const Batch *batch, const Generated *said)
{
    BatchLayout *inputs = NULL;
    if (work->command->inputs &&
        !(inputs = inputs_layout(work->run->module, batch, work->diags)))
        return false;
    print_generated(work->source, batch, work->done, said, inputs, stdout);
    layout_free(inputs);
    return true;
}

static bool generate_batch(TaskWork *work, Batch *batch)
{
    const DataSource *source = work->source;
    if (batch->sequences > work->limit - work->done)
        batch->sequences = work->limit - work->done;
    if (work->command->is_shown || work->page)
        return show_batch(work, batch);
    Generated said;
    bool ok = work->dump ? predict(work->run->session, source, batch, &work->options,
                                   &said, work->diags)
                         : generate(work->run->session, batch, &work->options, &said,
                                    work->diags);
    if (!ok)
        return false;
    if (!work->dump)
        ok = print_batch(work, batch, &said);
    for (int64_t s = 0; work->dump && s < said.sequences; s++)
        source->dump_add(work->dump, batch, s, said.ids + s * said.width,
                         said.lengths[s]);
    work->done += said.sequences;
    generated_free(&said);
    return ok;
}

static bool generate_task(TaskWork *work, const char *task)
{
    bool ok = search_settings(&work->command->search, work->run->module, task,
                              &work->options, work->diags);
    uint32_t errors = diags_error_count(work->diags);
    work->done = work->judged = work->right = 0;
    for (int64_t i = 0;
         ok && work->done < work->limit && !interrupt_is_set(work->interrupt); i++) {
        Batch *batch = work->source->eval_batch(work->source->state, task,
                                                work->command->split, i, work->diags);
        if (!batch)
            break;
        ok = generate_batch(work, batch);
        batch_free(batch);
    }
    return ok && diags_error_count(work->diags) == errors;
}

/* A file that is cut short is no file to hand in. */
static bool dump_task(TaskWork *work, const char *task)
{
    const GenerateArguments *command = work->command;
    work->dump = work->source->dump_new(work->source->state, task, command->out);
    if (!work->dump) {
        if (command->task)
            diag_error(work->diags, (Loc){0}, "no leaderboard takes answers to task '%s'",
                       task);
        return !command->task;
    }
    bool ok = generate_task(work, task);
    if (ok && interrupt_is_set(work->interrupt))
        diag_warning(work->diags, (Loc){0}, "stopped early: no file for task '%s'", task);
    else if (ok)
        ok = work->source->dump_write(work->dump, work->diags);
    work->source->dump_free(work->dump);
    return ok;
}

/* A section of the page with its summary at the end, which is known then. */
static bool page_task(TaskWork *work, const char *task)
{
    page_heading(work->page, task);
    page_cards_begin(work->page);
    bool ok = generate_task(work, task);
    page_cards_end(work->page);
    if (work->judged > 0)
        page_text(work->page,
                  "%" PRId64 " of %" PRId64 " answers are right, or at least half right.",
                  work->right, work->judged);
    if (interrupt_is_set(work->interrupt))
        page_warning(work->page, "Stopped early: not all examples are here.");
    return ok;
}

static bool do_tasks(TaskWork *work)
{
    const GenerateArguments *command = work->command;
    const Module *module = work->run->module;
    bool ok = true;
    for (uint32_t i = 0; ok && i < module->task_count; i++) {
        const char *task = module->tasks[i].name;
        if (command->task && strcmp(task, command->task) != 0)
            continue;
        ok = command->format == FORMAT_leaderboard ? dump_task(work, task)
             : work->page                          ? page_task(work, task)
                                                   : generate_task(work, task);
    }
    return ok;
}

static bool do_page(TaskWork *work)
{
    const GenerateArguments *command = work->command;
    Arena *arena = arena_new();
    const char *title =
        arena_format(arena, "%s: answers to the %s split", work->run->module->name,
                     split_names[command->split]);
    work->page = page_open(command->html, title, work->diags);
    arena_free(arena);
    if (!work->page)
        return false;
    page_text(work->page,
              "Each answer stands with the probability of its tokens, and of statements "
              "with its part of both that they can be.");
    if (do_tasks(work))
        return page_finish(work->page, work->diags);
    page_discard(work->page);
    return false;
}

static int64_t limit_of(const GenerateArguments *command)
{
    enum { CARDS = 100 };
    if (command->limit != COUNT_NOT_GIVEN)
        return command->limit;
    return command->html ? CARDS : INT64_MAX;
}

static ExitCode generate_all(const void *state, Run *run, const Interrupt *interrupt,
                             Diags *diags)
{
    const GenerateArguments *command = state;
    if (command->task && !module_named_task(run->module, command->task,
                                            (Loc){.file = command->model.plan}, diags))
        return EXIT_CODE_input;
    if (command->html && !run_check_output(command->html, diags))
        return EXIT_CODE_input;
    int64_t limit = limit_of(command);
    const ModelExamples examples = {command->split, command->task,
                                    limit == INT64_MAX ? 0 : limit};
    DataSource *source = model_open_data(
        &command->model, run,
        (DataOptions){.interrupt = interrupt,
                      .leaderboard = command->format == FORMAT_leaderboard,
                      .has_no_training = command->split != SPLIT_train},
        &examples, diags);
    TaskWork work = {.command = command,
                     .run = run,
                     .source = source,
                     .interrupt = interrupt,
                     .limit = limit,
                     .diags = diags};
    bool ok = source && (command->format != FORMAT_leaderboard ||
                         directory_make(command->out, diags));
    ok = ok && (command->html ? do_page(&work) : do_tasks(&work));
    data_close(source);
    return exit_code(ok, diags);
}

static const char *usage_fault(const GenerateArguments *command)
{
    bool is_leaderboard = command->format == FORMAT_leaderboard;
    if (is_leaderboard != (command->out != NULL))
        return "--format leaderboard and --out DIR go together";
    if (is_leaderboard && (command->is_shown || command->html))
        return "--format leaderboard goes with neither --show nor --html";
    if (command->inputs && (is_leaderboard || command->is_shown || command->html))
        return "--inputs is of the lines of --format jsonl, without --show and --html";
    return command->pictures && !command->html ? "--pictures goes with --html" : NULL;
}

static int cmd_generate(const void *arguments)
{
    const GenerateArguments *command = arguments;
    const char *fault = usage_fault(command);
    if (fault) {
        fprintf(stderr, "vlrun generate: %s\n", fault);
        return EXIT_CODE_usage;
    }
    return model_do(&command->model, generate_all, command);
}

const Command command_generate = {
    .name = "generate",
    .operands = "RUN | plan.bin",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(GenerateArguments, model.plan),
    .help = "write what a plan says about the examples of a split, as JSON lines",
    .details = "Writes what the model says about the examples of a split.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(GenerateArguments),
    .run = cmd_generate};
