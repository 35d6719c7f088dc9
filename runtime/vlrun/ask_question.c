/* Which field a text is for, and which task a question. */
#include "runtime/vlrun/ask_question.h"

#include <string.h>

#include "ir/base/heap.h"

/* -- lines --------------------------------------------------------------------------- */

static bool take_object(const char *line, size_t len, Loc loc, Asked *out, Diags *diags)
{
    json_error_t fault;
    out->record = json_loadb(line, len, JSON_REJECT_DUPLICATES, &fault);
    if (out->record)
        return true;
    loc.column = fault.column > 0 ? (uint32_t)fault.column : 0;
    diag_error(diags, loc, "no JSON: %s", fault.text);
    return false;
}

static void take_columns(const char *line, Arena *arena, Asked *out)
{
    uint32_t count = 1;
    for (const char *at = line; (at = strchr(at, '\t')); at++)
        count++;
    out->columns = ARENA_ARRAY(arena, const char *, count);
    for (const char *at = line; out->column_count < count;) {
        size_t len = strcspn(at, "\t");
        out->columns[out->column_count++] = arena_string(arena, at, len);
        at += len + (at[len] == '\t');
    }
}

bool asked_line(const char *line, size_t len, Loc loc, Arena *arena, Asked *out,
                Diags *diags)
{
    *out = (Asked){.loc = loc};
    if (memchr(line, 0, len)) {
        diag_error(diags, loc, "a byte is 0: this is no text");
        return false;
    }
    if (!line[strspn(line, " \t")]) {
        diag_error(diags, loc, "the line is empty, expected a question");
        return false;
    }
    if (line[strspn(line, " ")] == '{')
        return take_object(line, len, loc, out, diags);
    take_columns(line, arena, out);
    for (uint32_t i = 0; i < out->column_count; i++)
        if (!out->columns[i][strspn(out->columns[i], " ")]) {
            diag_error(diags, loc, "column %u is empty", i + 1);
            return false;
        }
    return true;
}

/* -- one task ------------------------------------------------------------------------ */

/* A question to a task, and what is given beyond what it takes. */
typedef struct AskTrial {
    const TaskTexts *texts;
    DataQuestion question;
    json_t *record;
    const char *surplus; /* a column that nothing reads, or NULL */
    bool is_bad_text;    /* it is no UTF-8 */
} AskTrial;

static void place_images(AskTrial *trial, const char *const *images, uint32_t count)
{
    DataQuestion *question = &trial->question;
    if (count > EXAMPLE_IMAGES_MAX)
        trial->surplus = images[EXAMPLE_IMAGES_MAX];
    question->image_count = count < EXAMPLE_IMAGES_MAX ? count : EXAMPLE_IMAGES_MAX;
    for (uint32_t i = 0; i < question->image_count; i++)
        question->images[i] = images[i];
}

/* The last column is the text if the task reads one; those before are what is shown, in
 * place of the defaults. A text alone is none of them where something is shown. */
static void place_columns(AskTrial *trial, const Asked *asked,
                          const AskDefaults *defaults)
{
    uint32_t count = asked->column_count;
    const char *field = question_field(trial->texts, trial->record);
    if (count > 0 && field) {
        json_t *text = json_string(asked->columns[--count]);
        trial->is_bad_text = !text;
        json_object_set_new(trial->record, field, text);
    }
    bool is_text = asked->column_count == 1 && defaults->image_count > 0;
    if (count > 0 && (is_text || trial->texts->image_count == 0))
        trial->surplus = asked->columns[0];
    else if (count > 0)
        place_images(trial, asked->columns, count);
    else if (!question_shows(trial->texts, trial->record))
        place_images(trial, defaults->images, defaults->image_count);
}

static AskTrial try_task(const Asked *asked, const AskDefaults *defaults,
                         const DataSource *source, const char *task)
{
    AskTrial trial = {.texts = dataset_texts(source, task), .record = json_object()};
    json_object_update(trial.record, (json_t *)(uintptr_t)defaults->fields);
    if (asked->record)
        json_object_update(trial.record, asked->record);
    trial.question =
        (DataQuestion){.task = task, .record = trial.record, .asked = asked->loc};
    place_columns(&trial, asked, defaults);
    return trial;
}

static bool lacks_nothing(const AskTrial *trial)
{
    return !trial->surplus && !trial->is_bad_text &&
           question_lacks(trial->texts, trial->record, trial->question.image_count) == 0;
}

/* -- which task ---------------------------------------------------------------------- */

/* What a task wants to be asked with, for people. */
static const char *wants(const TaskTexts *texts, Arena *arena)
{
    const char *list = arena_format(arena, "%s (", texts->task->name);
    for (uint32_t i = 0; i < texts->prompt.field_count; i++)
        list =
            arena_format(arena, "%s%s%s", list, i ? ", " : "", texts->prompt.fields[i]);
    if (texts->image_count > 0)
        list = arena_format(arena, "%s%s%u %s", list,
                            texts->prompt.field_count ? "; " : "", texts->image_count,
                            texts->is_video           ? "video"
                            : texts->image_count == 1 ? "image"
                                                      : "images");
    return arena_format(arena, "%s)", list);
}

static bool report_none(const Asked *asked, const Module *module,
                        const DataSource *source, Arena *arena, Diags *diags)
{
    const char *list = "";
    for (uint32_t i = 0; i < module->task_count; i++)
        list = arena_format(arena, "%s%s%s", list, i ? ", " : "",
                            wants(dataset_texts(source, module->tasks[i].name), arena));
    diag_error(diags, asked->loc,
               "no task can be asked with what is given, or with no more than that; "
               "--task NAME says what is lacking. There are %s",
               list);
    return false;
}

/* The name of the task that the record or the defaults say, or NULL. */
static bool named_task(const Asked *asked, const AskDefaults *defaults,
                       const Module *module, const char **out, Diags *diags)
{
    const json_t *name = json_object_get(asked->record, "task");
    *out = name ? json_string_value(name) : defaults->task;
    if (name && !*out) {
        diag_error(diags, asked->loc, "\"task\" is no string");
        return false;
    }
    if (*out && !module_named_task(module, *out, asked->loc, diags))
        return false;
    if (!*out && module->task_count == 1)
        *out = module->tasks[0].name;
    return true;
}

/* A text alone is a question; a task that it would be the name of a picture for must be
 * named. */
static bool find_task(const Asked *asked, const AskDefaults *defaults,
                      const Module *module, const DataSource *source, Arena *arena,
                      AskTrial *out, const char **out_others)
{
    bool is_found = false;
    for (uint32_t i = 0; i < module->task_count; i++) {
        const char *task = module->tasks[i].name;
        AskTrial trial = try_task(asked, defaults, source, task);
        bool is_name = asked->column_count == 1 && trial.question.image_count == 1 &&
                       trial.question.images[0] == asked->columns[0];
        bool fits = lacks_nothing(&trial) && !is_name;
        if (fits && !is_found) {
            *out = trial;
            is_found = true;
            continue;
        }
        if (fits)
            *out_others = arena_format(arena, "%s%s%s", *out_others,
                                       **out_others ? ", " : "", task);
        json_decref(trial.record);
    }
    return is_found;
}

/* Fields that are given for all questions are meant to be read. */
static bool knows_fields(const TaskTexts *texts, const AskDefaults *defaults, Loc loc,
                         Diags *diags)
{
    const char *field;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)defaults->fields, field, value)
    {
        if (!question_knows(texts, field, loc, diags))
            return false;
    }
    return true;
}

bool defaults_check(const AskDefaults *defaults, const Module *module,
                    const DataSource *source, Diags *diags)
{
    const char *task = defaults->task;
    if (!task && module->task_count == 1)
        task = module->tasks[0].name;
    return !task || knows_fields(dataset_texts(source, task), defaults, (Loc){0}, diags);
}

/* More than the task takes would go unheard. */
static bool check_surplus(const AskTrial *trial, const AskDefaults *defaults,
                          Diags *diags)
{
    const DataQuestion *question = &trial->question;
    if (trial->is_bad_text) {
        diag_error(diags, question->asked, "the question is no UTF-8");
        return false;
    }
    if (trial->surplus) {
        Arena *arena = arena_new();
        diag_error(diags, question->asked,
                   "task %s does not take '%.80s' beside what is given",
                   wants(trial->texts, arena), trial->surplus);
        if (question_lacks(trial->texts, trial->record, question->image_count) > 0)
            diag_note(diags, question->asked,
                      "where several fields are open, each is named: --field NAME=TEXT, "
                      "or a question in JSON");
        arena_free(arena);
        return false;
    }
    return knows_fields(trial->texts, defaults, question->asked, diags);
}

bool asked_question(const Asked *asked, const AskDefaults *defaults, const Module *module,
                    const DataSource *source, Arena *arena, DataQuestion *out,
                    const char **out_others, Diags *diags)
{
    const char *task;
    AskTrial trial;
    *out_others = "";
    if (!named_task(asked, defaults, module, &task, diags))
        return false;
    if (task)
        trial = try_task(asked, defaults, source, task);
    else if (!find_task(asked, defaults, module, source, arena, &trial, out_others))
        return report_none(asked, module, source, arena, diags);
    *out = trial.question;
    if (check_surplus(&trial, defaults, diags))
        return true;
    json_decref(trial.record);
    return false;
}

bool asks_by_itself(const AskDefaults *defaults, const Module *module,
                    const DataSource *source)
{
    const Asked nothing = {0};
    const char *task = defaults->task ? defaults->task : module->tasks[0].name;
    if (!defaults->task && module->task_count > 1)
        return false;
    AskTrial trial = try_task(&nothing, defaults, source, task);
    bool is_whole = lacks_nothing(&trial);
    json_decref(trial.record);
    return is_whole;
}
