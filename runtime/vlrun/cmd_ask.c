/* vlrun ask */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/heap.h"
#include "runtime/vlrun/ask_features.h"
#include "runtime/vlrun/ask_print.h"
#include "runtime/vlrun/ask_question.h"
#include "runtime/vlrun/line_reader.h"
#include "runtime/vlrun/model_arguments.h"
#include "runtime/vlrun/search_arguments.h"

typedef struct AskArguments {
    TextList operands; /* the model, and questions */
    ModelArguments model;
    SearchArguments search;
    TextList images, videos, features, fields;
    const char *task;
    int64_t best;
    bool is_json;
} AskArguments;

#define AT(field) offsetof(AskArguments, field)
static const Option option_rows[] = {
    OPTION(text, "--task", AT(task), "NAME",
           "the task that is asked; else the first that takes what is given"),
    OPTION(list, "--image", AT(images), "FILE",
           "a picture, or the name of one in the data; again for a second one"),
    OPTION(list, "--video", AT(videos), "FILE",
           "a video, or the name of one in the data"),
    OPTION(list, "--features", AT(features), "FILE",
           "features in place of a picture or video: .h5 or .npz"),
    OPTION(list, "--field", AT(fields), "NAME=TEXT",
           "what the task's prompt reads beside the question"),
    OPTION(count, "--answers", AT(best), "K",
           "the K best answers, as far as the search finds so many", .preset = "1",
           .least = 1, .most = 512),
    OPTION(flag, "--json", AT(is_json), NULL, "an object per question"),
    OPTION(path, "--encoder", AT(model.encoder), "PLAN",
           "plan that turns pictures to features"),
    OPTION(path, "--encoder-weights", AT(model.encoder_weights), "PATH",
           "the encoder's parameters"),
    OPTIONS_MODEL(AT(model)),
    OPTIONS_SEARCH(AT(search)),
    OPTIONS_MACHINE(AT(model)),
};
#undef AT

typedef struct AskCommand {
    AskArguments arguments;
    json_t *fields; /* of --field, by their names */
} AskCommand;

/* The model stays loaded between questions. */
typedef struct AskSession {
    const AskArguments *command;
    Run *run;
    const Interrupt *interrupt;
    DataSource *source;
    AskDefaults defaults;
    AskFeatures features;
    bool has_chosen; /* a task, and said so */
    bool is_first;   /* no answer is printed yet */
    ExitCode code;   /* of the worst so far */
    Diags *diags;
} AskSession;

/* -- a question ---------------------------------------------------------------------- */

/* Nobody should wonder which task it was. */
static void tell_choice(AskSession *work, const DataQuestion *question,
                        const char *others)
{
    if (*others && !work->has_chosen)
        fprintf(stderr, "vlrun ask: this asks task '%s'; --task would ask %s\n",
                question->task, others);
    work->has_chosen = true;
}

static void print_answers(AskSession *work, const DataQuestion *question,
                          const AskedQuestion *asked, const ModelAnswers *answers)
{
    const AskArguments *command = work->command;
    if (command->is_json)
        answers_print_json(question, asked, answers, stdout);
    if (!command->is_json && command->best > 1 && !work->is_first)
        putchar('\n');
    if (!command->is_json)
        answers_print(answers, stdout);
    work->is_first = false;
}

static bool answer_question(AskSession *work, const DataQuestion *question, Arena *arena,
                            Diags *diags)
{
    const FeatureReader reader = {ask_features_read, &work->features};
    AskedQuestion asked;
    ModelAnswers answers;
    Asking asking = {.best = (uint32_t)work->command->best};
    work->features.task = question->task;
    if (!search_settings(&work->command->search, work->run->module, question->task,
                         &asking.options, diags) ||
        !dataset_ask(work->source, question, &reader, arena, &asked, diags))
        return false;
    asking.batch = asked.batch;
    asking.choices = asked.choices;
    asking.choice_count = asked.choice_count;
    bool ok = answer(work->run->session, work->source, &asking, arena, &answers, diags);
    if (ok)
        print_answers(work, question, &asked, &answers);
    batch_free(asked.batch);
    return ok;
}

static bool ask(AskSession *work, Asked *asked, Arena *arena, Diags *diags)
{
    DataQuestion question;
    const char *others;
    bool ok = asked_question(asked, &work->defaults, work->run->module, work->source,
                             arena, &question, &others, diags);
    if (ok) {
        tell_choice(work, &question, others);
        ok = answer_question(work, &question, arena, diags);
        json_decref((json_t *)(uintptr_t)question.record);
    }
    json_decref(asked->record);
    return ok;
}

/* -- many questions ------------------------------------------------------------------ */

static void note_fault(AskSession *work, Loc loc, char *message, const Diags *diags)
{
    if (diags_saw_not_finite(diags))
        work->code = EXIT_CODE_numbers;
    else if (work->code == EXIT_CODE_done)
        work->code = EXIT_CODE_input;
    fputs(message, stderr);
    if (!work->command->is_json)
        return;
    message[strcspn(message, "\n")] = 0;
    fault_print_json(loc, message, stdout);
}

/* A bad question is said to be one, and the next is asked. `line` NULL: the defaults are
 * all that is asked. */
static void ask_line(AskSession *work, const char *line, size_t len, Loc loc)
{
    char *message;
    size_t message_len;
    FILE *stream = heap_stream(&message, &message_len);
    Diags *diags = diags_new(stream);
    Arena *arena = arena_new();
    Asked asked = {.loc = loc};
    bool ok = (!line || asked_line(line, len, loc, arena, &asked, diags)) &&
              ask(work, &asked, arena, diags);
    arena_free(arena);
    fclose(stream);
    if (ok)
        fputs(message, stderr);
    else
        note_fault(work, loc, message, diags);
    diags_free(diags);
    free(message);
    fflush(stdout);
}

static void ask_operands(AskSession *work)
{
    const TextList *operands = &work->command->operands;
    for (uint32_t i = 1; i < operands->count && !interrupt_is_set(work->interrupt); i++)
        ask_line(work, operands->items[i], strlen(operands->items[i]),
                 (Loc){.file = "question", .line = i});
}

static void ask_lines(AskSession *work)
{
    LineReader reader = {.descriptor = STDIN_FILENO,
                         .name = "standard input",
                         .interrupt = work->interrupt};
    bool is_terminal = isatty(STDIN_FILENO);
    uint32_t errors = diags_error_count(work->diags);
    size_t len;
    if (is_terminal)
        fputs("a question a line, or PICTURE, a tab, and a question; Ctrl-D ends\n",
              stderr);
    for (;;) {
        if (is_terminal)
            fputs("> ", stderr);
        char *line = line_next(&reader, &len, work->diags);
        if (!line)
            break;
        if (!is_terminal || line[strspn(line, " \t")])
            ask_line(work, line, len, (Loc){.file = reader.name, .line = reader.line});
    }
    if (is_terminal)
        fputc('\n', stderr);
    else if (reader.line == 0 && diags_error_count(work->diags) == errors &&
             !interrupt_is_set(work->interrupt))
        diag_error(work->diags, (Loc){.file = reader.name}, "has no question");
    if (diags_error_count(work->diags) > errors)
        work->code = EXIT_CODE_input;
    free(reader.bytes);
}

static void ask_all(AskSession *work)
{
    if (work->command->operands.count > 1)
        ask_operands(work);
    else if (asks_by_itself(&work->defaults, work->run->module, work->source))
        ask_line(work, NULL, 0, (Loc){.file = "question", .line = 1});
    else
        ask_lines(work);
}

/* -- the session --------------------------------------------------------------------- */

static bool open_encoder(AskSession *work)
{
    const EncoderOptions given = model_encoder(&work->command->model);
    EncoderRecord record;
    return encode_choose(work->run, &given, &work->features.encoder, &record,
                         work->diags);
}

/* A list in JSON, or the text. NULL if it is neither. */
static json_t *field_value(const char *text)
{
    json_t *list = *text == '[' ? json_loads(text, 0, NULL) : NULL;
    return list ? list : json_string(text);
}

/* {name: value} of all --field; NULL and a message if one is none. */
static json_t *read_fields(const TextList *list)
{
    json_t *fields = json_object();
    for (uint32_t i = 0; i < list->count; i++) {
        const char *text = list->items[i], *end = strchr(text, '=');
        char *name = heap_format("%.*s", end ? (int)(end - text) : 0, text);
        bool is_bad = !*name || json_object_set_new(fields, name, field_value(end + 1));
        free(name);
        if (!is_bad)
            continue;
        fprintf(stderr, "vlrun ask: --field '%s': expected NAME=TEXT\n", text);
        json_decref(fields);
        return NULL;
    }
    return fields;
}

static const TextList *shown(const AskArguments *command)
{
    return command->videos.count   ? &command->videos
           : command->images.count ? &command->images
                                   : &command->features;
}

static ExitCode ask_run(const void *state, Run *run, const Interrupt *interrupt,
                        Diags *diags)
{
    const AskCommand *whole = state;
    const AskArguments *command = &whole->arguments;
    const TextList *images = shown(command);
    AskSession work = {
        .command = command,
        .run = run,
        .interrupt = interrupt,
        .defaults = {command->task, images->items, images->count, whole->fields},
        .is_first = true,
        .diags = diags};
    if (command->task && !module_named_task(run->module, command->task, (Loc){0}, diags))
        return EXIT_CODE_input;
    work.source = model_open_data(
        &command->model, run,
        (DataOptions){.interrupt = interrupt, .has_questions = true}, NULL, diags);
    work.features =
        (AskFeatures){.source = work.source, .isolate = isolate_new(&hdf5_program)};
    bool ok = work.source &&
              defaults_check(&work.defaults, run->module, work.source, diags) &&
              open_encoder(&work);
    if (ok)
        ask_all(&work);
    ask_features_free(&work.features);
    encoder_close(work.features.encoder);
    isolate_free(work.features.isolate);
    data_close(work.source);
    return ok ? work.code : exit_code(false, diags);
}

static bool check_usage(const AskArguments *command)
{
    const char *fault = NULL;
    if ((command->images.count > 0) + (command->videos.count > 0) +
            (command->features.count > 0) >
        1)
        fault = "--image, --video and --features do not go together";
    for (uint32_t i = 0; i < command->features.count && !fault; i++)
        if (!is_features_name(command->features.items[i]))
            fault = "--features takes files that end in .h5 or .npz";
    if (fault)
        fprintf(stderr, "vlrun ask: %s; see vlrun ask --help\n", fault);
    return !fault;
}

static int cmd_ask(const void *arguments)
{
    const AskArguments *command = arguments;
    if (!check_usage(command))
        return EXIT_CODE_usage;
    AskCommand whole = {*command, read_fields(&command->fields)};
    if (!whole.fields)
        return EXIT_CODE_usage;
    whole.arguments.model.plan = command->operands.items[0];
    int code = model_do(&whole.arguments.model, ask_run, &whole);
    json_decref(whole.fields);
    return code;
}

const Command command_ask = {
    .name = "ask",
    .operands = "RUN|plan.bin [QUESTION...]",
    .least_operands = 1,
    .most_operands = ANY_NUMBER,
    .operand_field = offsetof(AskArguments, operands),
    .help = "ask a trained model about a picture or video",
    .details =
        "Answers each question with a line: the answer, a tab, and how probable it "
        "is.\n"
        "Without a question it reads them from standard input, a line each: a text,\n"
        "or PICTURE, a tab, and a text, or an object with the fields that the task's\n"
        "prompt reads, such as {\"image\": \"x.jpg\", \"question\": \"what is red?\"}.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(AskArguments),
    .run = cmd_ask};
