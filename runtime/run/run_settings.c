#include "runtime/run/run_settings.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/intern.h"
#include "runtime/weights/checkpoint.h"

/* -- names ------------------------------------------------------------------------- */

typedef enum SettingId {
#define SETTING(kind, name, ...) SETTING_ID_##name,
#include "ir/settings.def"
    SETTING_ID_COUNT
} SettingId;

static const char *const setting_names[SETTING_ID_COUNT] = {
#define SETTING(kind, name, ...) #name,
#include "ir/settings.def"
};

static const char TASK_SETTING[] = ".sequences";

/* Memory is planned for it. */
static bool is_in_graphs(SettingId id)
{
    return id == SETTING_ID_tokens;
}

/* One NAME=VALUE on its way. */
typedef struct Assignment {
    Module *module;
    Loc loc;
    char *name; /* malloc'ed */
    const char *value;
    Diags *diags;
} Assignment;

static SettingId find_setting(const char *name)
{
    SettingId id = 0;
    while (id < SETTING_ID_COUNT && strcmp(setting_names[id], name) != 0)
        id++;
    return id;
}

static Task *find_task_setting(Module *module, const char *name)
{
    for (uint32_t i = 0; i < module->task_count; i++) {
        size_t len = strlen(module->tasks[i].name);
        if (strncmp(module->tasks[i].name, name, len) == 0 &&
            strcmp(name + len, TASK_SETTING) == 0)
            return &module->tasks[i];
    }
    return NULL;
}

/* What other trainers call them. */
static const char *const other_words[][2] = {
    {"learning_rate", "lr"},     {"num_train_epochs", "epochs"}, {"num_epochs", "epochs"},
    {"max_steps", "steps"},      {"warmup_ratio", "warmup"},     {"batch", "sequences"},
    {"batch_size", "sequences"}, {"lr_scheduler_type", "decay"},
};

static const char *nearest_setting(const Module *module, const char *name, Arena *arena)
{
    for (size_t i = 0; i < sizeof other_words / sizeof *other_words; i++)
        if (strcmp(other_words[i][0], name) == 0)
            return other_words[i][1];
    uint32_t count = 0;
    const char **known =
        ARENA_ARRAY(arena, const char *, SETTING_ID_COUNT + module->task_count);
    for (SettingId id = 0; id < SETTING_ID_COUNT; id++)
        if (!is_in_graphs(id))
            known[count++] = setting_names[id];
    for (uint32_t i = 0; i < module->task_count; i++)
        known[count++] = arena_format(arena, "%s%s", module->tasks[i].name, TASK_SETTING);
    return nearest_name(name, known, count);
}

/* A constant of the graphs, or a slip of the pen. */
static bool refuse_name(const Assignment *what)
{
    Arena *arena = arena_new();
    const char *near = nearest_setting(what->module, what->name, arena);
    if (near)
        diag_error(what->diags, what->loc,
                   "a plan has no setting '%s'; did you mean '%s'?", what->name, near);
    else
        diag_error(what->diags, what->loc,
                   "'%s' is no setting that a plan's graphs do without: it counts when "
                   "the plan is made",
                   what->name);
    if (!near)
        diag_note(what->diags, (Loc){0},
                  "'vlc compile %s --set %s=%s -o plan.bin' makes such a plan; 'vlrun "
                  "train --settings plan.bin' lists what can be set here",
                  what->module->name, what->name, what->value);
    arena_free(arena);
    return false;
}

/* -- values ------------------------------------------------------------------------ */

static bool refuse_value(const Assignment *what, const char *expected)
{
    diag_error(what->diags, what->loc, "'%s' is '%s', expected %s", what->name,
               what->value, expected);
    return false;
}

static bool refuse_range(const Assignment *what, double least, double most)
{
    char *expected = heap_format("%.16g to %.16g", least, most);
    refuse_value(what, expected);
    free(expected);
    return false;
}

static bool read_int(const Assignment *what, double least, double most, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(what->value, &end, 10);
    if (end == what->value || *end)
        return refuse_value(what, "a whole number");
    if (errno || (double)value < least || (double)value > most)
        return refuse_range(what, least, most);
    *out = value;
    return true;
}

/* Graphs compute with it in f32. */
static bool read_real(const Assignment *what, double least, double most, double *out)
{
    char *end;
    errno = 0;
    double value = strtod(what->value, &end);
    bool is_too_small = errno == ERANGE && fabs(value) < 1;
    if (end == what->value || *end || !isfinite(value))
        return refuse_value(what, "a number");
    if (value < least || value > most)
        return refuse_range(what, least, most);
    if (is_too_small || (value != 0 && (float)value == 0))
        return refuse_value(what, "a number that is not 0 in f32");
    *out = value;
    return true;
}

/* The one setting that is a name: a row of decays.def. */
static bool read_name(const Assignment *what, double least, double most, const char **out)
{
    (void)least;
    (void)most;
#define DECAY(row, factor)                                                               \
    if (strcmp(#row, what->value) == 0) {                                                \
        *out = intern(what->module->interns, #row);                                      \
        return true;                                                                     \
    }
#include "ir/decays.def"
    char *expected = heap_string("");
#define DECAY(row, factor)                                                               \
    {                                                                                    \
        char *longer = heap_format("%s%s" #row, expected, *expected ? ", " : "one of "); \
        free(expected);                                                                  \
        expected = longer;                                                               \
    }
#include "ir/decays.def"
    refuse_value(what, expected);
    free(expected);
    return false;
}

static bool assign(const Assignment *what, SettingId id)
{
    Settings *settings = &what->module->settings;
    switch (id) {
#define SETTING(kind, name, preset, least, most, meaning)                                \
    case SETTING_ID_##name:                                                              \
        return read_##kind(what, least, most, &settings->name);
#include "ir/settings.def"
    case SETTING_ID_COUNT:
        break;
    }
    return refuse_name(what);
}

/* -- what follows from a value ------------------------------------------------------- */

static void scale_tasks(Module *module, int64_t before)
{
    double factor = (double)module->settings.sequences / (double)before;
    for (uint32_t i = 0; i < module->task_count; i++) {
        double sequences = round((double)module->tasks[i].sequences * factor);
        module->tasks[i].sequences = (int64_t)fmin(fmax(sequences, 1), INT32_MAX);
    }
}

static bool set_one(const Assignment *what)
{
    Module *module = what->module;
    Task *task = find_task_setting(module, what->name);
    if (task)
        return read_int(what, 1, INT32_MAX, &task->sequences);
    SettingId id = find_setting(what->name);
    int64_t before = module->settings.sequences;
    if (id < SETTING_ID_COUNT && is_in_graphs(id))
        id = SETTING_ID_COUNT;
    if (!assign(what, id))
        return false;
    if (id == SETTING_ID_sequences)
        scale_tasks(module, before);
    if (id == SETTING_ID_epochs)
        module->settings.steps = 0;
    return true;
}

bool run_settings_has(const TextList *sets, const char *name)
{
    size_t len = strlen(name);
    for (uint32_t i = 0; i < sets->count; i++)
        if (strncmp(sets->items[i], name, len) == 0 && sets->items[i][len] == '=')
            return true;
    return false;
}

static bool set_text(Module *module, const char *text, Diags *diags)
{
    const char *equals = strchr(text, '=');
    char *place = heap_format("--set %s", text);
    const Loc loc = {.file = intern(module->interns, place)};
    free(place);
    if (!equals || equals == text) {
        diag_error(diags, loc, "expected NAME=VALUE");
        return false;
    }
    Assignment what = {module, loc, heap_format("%.*s", (int)(equals - text), text),
                       equals + 1, diags};
    bool ok = set_one(&what);
    free(what.name);
    return ok;
}

bool run_settings_apply(Module *module, const TextList *sets, Diags *diags)
{
    bool ok = true;
    if (run_settings_has(sets, setting_names[SETTING_ID_epochs]) &&
        run_settings_has(sets, setting_names[SETTING_ID_steps])) {
        diag_error(diags, (Loc){0}, "--set epochs and --set steps exclude each other");
        return false;
    }
    for (uint32_t i = 0; i < sets->count; i++)
        ok = set_text(module, sets->items[i], diags) && ok;
    return ok;
}

bool run_settings_hold(Module *module, const TextList *sets, Diags *diags)
{
    uint64_t before = sets->count ? plan_fingerprint(module) : 0;
    for (uint32_t i = 0; i < sets->count; i++) {
        if (!set_text(module, sets->items[i], diags))
            return false;
        if (plan_fingerprint(module) == before)
            continue;
        diag_error(diags, (Loc){0},
                   "--set %s: the run was begun with another value, which stays",
                   sets->items[i]);
        return false;
    }
    return true;
}

/* -- the table ----------------------------------------------------------------------- */

static void print_row(const char *name, const char *value, const char *meaning, FILE *out)
{
    fprintf(out, "%-20s  %-12s  %s\n", name, value, meaning);
}

static char *text_int(int64_t value)
{
    return heap_format("%" PRId64, value);
}

static char *text_real(double value)
{
    return heap_format("%.9g", value);
}

static char *text_name(const char *value)
{
    return heap_string(value);
}

static char *bounds_text(double least, double most, const char *meaning)
{
    return least < most ? heap_format("%.16g to %.16g; %s", least, most, meaning)
                        : heap_string(meaning);
}

void run_settings_print(const Module *module, FILE *out)
{
    print_row("--set", "value", "meaning", out);
#define SETTING(kind, name, preset, least, most, meaning)                                \
    if (!is_in_graphs(SETTING_ID_##name)) {                                              \
        char *value = text_##kind(module->settings.name);                                \
        char *says = bounds_text(least, most, meaning);                                  \
        print_row(#name, value, says, out);                                              \
        free(says);                                                                      \
        free(value);                                                                     \
    }
#include "ir/settings.def"
    for (uint32_t i = 0; i < module->task_count; i++) {
        char *name = heap_format("%s%s", module->tasks[i].name, TASK_SETTING);
        char *value = text_int(module->tasks[i].sequences);
        print_row(name, value, "of this task alone", out);
        free(value);
        free(name);
    }
}
