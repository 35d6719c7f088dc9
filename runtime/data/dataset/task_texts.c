/* Facts of a task, each checked against what its layout has. */
#include "runtime/data/dataset/task_texts.h"

#include <string.h>

#include "runtime/data/records/records.h"
#include "runtime/data/dataset/fields.h"

typedef struct Finding {
    TaskTexts *out;
    const Task *task;
    Arena *arena;
    Diags *diags;
} Finding;

static const DataSetting *find_fact(const Task *task, const char *key)
{
    for (uint32_t i = 0; i < task->data_count; i++)
        if (strcmp(task->data[i].key, key) == 0)
            return &task->data[i];
    return NULL;
}

static Loc loc_of(const Finding *finding, const DataSetting *fact)
{
    return fact && fact->loc.file ? fact->loc : finding->task->loc;
}

/* -- fields ------------------------------------------------------------------------ */

/* The words of a list, as names. */
static uint32_t split_words(const char *list, const char **out, uint32_t room,
                            Arena *arena)
{
    uint32_t count = 0;
    for (const char *at = list; *at && count < room;) {
        size_t len = strcspn(at, " ");
        if (len > 0)
            out[count++] = arena_string(arena, at, len);
        at += len + (at[len] == ' ');
    }
    return count;
}

/* Every field of the text is one that may stand there. */
static bool check_fields(const Finding *finding, const Template *text,
                         bool (*check)(const Records *, const char *, Loc, Diags *))
{
    const Records *records =
        records_find(finding->out->layout->name, text->loc, finding->diags);
    for (uint32_t i = 0; i < text->field_count; i++)
        if (!records || !check(records, text->fields[i], text->loc, finding->diags))
            return false;
    return true;
}

/* -- what is read ------------------------------------------------------------------ */

static bool parse_fact(const Finding *finding, Template *out, const DataSetting *fact)
{
    return template_parse(out, fact->value, loc_of(finding, fact), NULL, NULL,
                          finding->arena, finding->diags);
}

/* The layout's own text, around what names the task. */
static bool take_own_text(const Finding *finding, bool has_records)
{
    const Layout *layout = finding->out->layout;
    bool is_wanted =
        !has_records && strcmp(task_setting(finding->task, "use_prompt", "1"), "0") != 0;
    const char *prompt = task_setting(finding->task, "prompt", layout->prompt);
    return template_parse(&finding->out->prompt, layout->text, finding->task->loc,
                          "prompt", is_wanted ? prompt : "", finding->arena,
                          finding->diags);
}

static bool take_prompt(const Finding *finding, const DataSetting *records)
{
    TaskTexts *out = finding->out;
    const DataSetting *fact = find_fact(finding->task, "prompt");
    if (records && find_fact(finding->task, "use_prompt")) {
        diag_error(finding->diags, records->loc,
                   "task '%s': a task that names its records says in prompt= all that "
                   "is read; 'use_prompt' does not go with it",
                   finding->task->name);
        return false;
    }
    if (!records || (!fact && out->layout->text))
        return take_own_text(finding, records);
    if (!fact) {
        diag_error(finding->diags, records->loc,
                   "task '%s': records '%s' need prompt=, the text that is read",
                   finding->task->name, records->value);
        return false;
    }
    return parse_fact(finding, &out->prompt, fact) &&
           check_fields(finding, &out->prompt, records_check_field);
}

static bool take_answer(const Finding *finding, const DataSetting *records)
{
    static const DataSetting plain = {.key = "answer", .value = "{answer}"};
    TaskTexts *out = finding->out;
    const DataSetting *fact = records ? find_fact(finding->task, "answer") : NULL;
    if (!parse_fact(finding, &out->answer, fact ? fact : &plain))
        return false;
    if (out->answer.field_count == 0) {
        diag_error(finding->diags, out->answer.loc,
                   "task '%s': the answer is the same of all records: it reads no field",
                   finding->task->name);
        return false;
    }
    return check_fields(finding, &out->answer, records_check_answer);
}

/* -- what only plain records leave open ---------------------------------------------- */

/* Names of what is shown, as texts over fields. */
static bool take_images(const Finding *finding, const char *list, Loc loc)
{
    TaskTexts *out = finding->out;
    const char *words[EXAMPLE_IMAGES_MAX + 1];
    out->image_count = split_words(list, words, EXAMPLE_IMAGES_MAX + 1, finding->arena);
    if (out->image_count > (out->is_video ? 1 : EXAMPLE_IMAGES_MAX) ||
        (out->is_video && out->image_count == 0)) {
        diag_error(finding->diags, loc, "task '%s': expected %s", finding->task->name,
                   out->is_video ? "the name of one video" : "names of at most 2 images");
        return false;
    }
    for (uint32_t i = 0; i < out->image_count; i++)
        if (!template_parse(&out->images[i], words[i], loc, NULL, NULL, finding->arena,
                            finding->diags))
            return false;
    return true;
}

static bool take_plain_images(const Finding *finding)
{
    const DataSetting *images = find_fact(finding->task, "images"),
                      *video = find_fact(finding->task, "video"),
                      *fact = video ? video : images;
    if (images && video) {
        diag_error(finding->diags, video->loc,
                   "task '%s' has images and a video; expected one of them",
                   finding->task->name);
        return false;
    }
    finding->out->is_video = video;
    return !fact || take_images(finding, fact->value, loc_of(finding, fact));
}

/* Each choice stands in the place of the answer's field. */
static bool check_choices(const Finding *finding)
{
    const TaskTexts *out = finding->out;
    if (!out->choices.source ||
        (template_is_field(&out->choices) && out->answer.field_count == 1))
        return true;
    diag_error(finding->diags, out->choices.loc,
               template_is_field(&out->choices)
                   ? "task '%s': choices are for an answer that reads one field"
                   : "task '%s': expected choices=\"{member}\", a list of answers",
               finding->task->name);
    return false;
}

static bool take_plain(const Finding *finding)
{
    TaskTexts *out = finding->out;
    const struct {
        const char *key;
        Template *text;
    } rows[] = {{"id", &out->id},
                {"group", &out->group},
                {"references", &out->references},
                {"choices", &out->choices}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const DataSetting *fact = find_fact(finding->task, rows[i].key);
        if (fact && !parse_fact(finding, rows[i].text, fact))
            return false;
    }
    if (!check_choices(finding))
        return false;
    bool is_list = template_is_field(&out->references);
    if (!out->references.source || (is_list && out->metric == ANSWER_annotated))
        return take_plain_images(finding);
    if (is_list) {
        diag_error(finding->diags, out->references.loc,
                   "task '%s': references are for metric=\"vqa_accuracy\"",
                   finding->task->name);
        return false;
    }
    diag_error(finding->diags, out->references.loc,
               "task '%s': expected references=\"{member}\", a list of answers",
               finding->task->name);
    return false;
}

/* A published layout says itself what it has images and names of. */
static bool refuse_plain(const Finding *finding)
{
    static const char *const keys[] = {"images", "video",      "id",
                                       "group",  "references", "choices"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const DataSetting *fact = find_fact(finding->task, keys[i]);
        if (!fact)
            continue;
        diag_error(finding->diags, loc_of(finding, fact),
                   "records '%s' say themselves what '%s' is", finding->out->layout->name,
                   keys[i]);
        return false;
    }
    return true;
}

/* -- files and scores ---------------------------------------------------------------- */

static bool take_folder(const Finding *finding)
{
    const DataSetting *fact = find_fact(finding->task, "folder");
    TaskTexts *out = finding->out;
    out->folder = fact ? fact->value : out->layout->fields ? NULL : finding->task->name;
    if (!fact || (*fact->value && fact->value[0] != '/' && !strstr(fact->value, "..") &&
                  !strpbrk(fact->value, "{}")))
        return true;
    diag_error(finding->diags, loc_of(finding, fact),
               "'%s' is no folder under the data's directory", fact->value);
    return false;
}

static bool take_metric(const Finding *finding)
{
    const DataSetting *fact = find_fact(finding->task, "metric");
    const Layout *layout = finding->out->layout;
    finding->out->metric = layout->answers;
    if (!fact)
        return true;
    Loc loc = loc_of(finding, fact);
    const Records *records = records_find(layout->name, loc, finding->diags);
    if (!records || !records_check_metric(records, fact->value, loc, finding->diags))
        return false;
    for (int i = 0; i < ANSWER_KIND_COUNT; i++)
        if (strcmp(fact->value, metric_names[i]) == 0)
            finding->out->metric = (AnswerKind)i;
    return true;
}

/* Whether a statement is true is asked of the first token that is said. */
static bool check_statement(const Finding *finding)
{
    const TaskTexts *out = finding->out;
    if (out->metric != ANSWER_statement || template_is_field(&out->answer))
        return true;
    diag_error(
        finding->diags, out->answer.loc,
        "task '%s': metric 'true_false' compares the words true and false; expected "
        "answer=\"{field}\" and nothing else",
        finding->task->name);
    return false;
}

const char *task_texts_path(const TaskTexts *texts, const char *path, Arena *arena)
{
    const char *slash = strrchr(path, '/');
    return texts->folder
               ? arena_format(arena, "%s/%s", texts->folder, slash ? slash + 1 : path)
               : path;
}

char *task_texts_read(const TaskTexts *texts, const DatasetExample *example, Arena *arena)
{
    return template_fill(&texts->prompt, (const char *const *)example->fields, arena);
}

bool task_texts_annotated(const TaskTexts *texts)
{
    return texts->layout->fields && texts->metric == ANSWER_annotated;
}

bool task_texts_find(TaskTexts *out, const Task *task, Arena *arena, Diags *diags)
{
    Finding finding = {out, task, arena, diags};
    const DataSetting *records = find_fact(task, "records");
    *out = (TaskTexts){.task = task};
    out->layout =
        records ? layout_of_records(records->value, loc_of(&finding, records), diags)
                : layout_find(task->name, task->loc, diags);
    if (!out->layout)
        return false;
    out->is_video = out->layout->is_video;
    out->metric = out->layout->answers;
    if (!take_images(&finding, out->layout->images, task->loc) ||
        !take_prompt(&finding, records) || !take_answer(&finding, records))
        return false;
    if (!records)
        return true;
    return take_folder(&finding) && take_metric(&finding) && check_statement(&finding) &&
           (out->layout->fields ? refuse_plain(&finding) : take_plain(&finding));
}
