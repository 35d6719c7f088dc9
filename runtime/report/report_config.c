/* What runs were given: of one all that run.json says, of several that in which they
 * differ. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/report/report.h"

/* Values of one run by their names, in the order in which they come. */
typedef struct Values {
    Strings *names;
    char **texts; /* by name's number; NULL: the run has none of that name */
    size_t capacity;
} Values;

static void values_add(Values *values, const char *name, char *text)
{
    uint32_t known = strings_count(values->names),
             number = strings_add(values->names, name, strlen(name));
    if (number == known)
        LIST_ROOM(values->texts, known + 1, values->capacity);
    else
        free(values->texts[number]);
    values->texts[number] = text;
}

static const char *values_find(const Values *values, const char *name)
{
    uint32_t number = strings_find(values->names, name, strlen(name));
    return number == STRING_ABSENT ? NULL : values->texts[number];
}

static void values_free(Values *values)
{
    for (uint32_t i = 0; i < strings_count(values->names); i++)
        free(values->texts[i]);
    free(values->texts);
    strings_free(values->names);
}

/* -- from a run ---------------------------------------------------------------------- */

static char *text_of(const json_t *value)
{
    if (json_is_string(value))
        return heap_string(json_string_value(value));
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT), *kept;
    kept = heap_string(text ? text : "");
    free(text);
    return kept;
}

/* Members of an object in it are told under its name. */
static void add_members(Values *values, json_t *object, const char *prefix)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        char *path = heap_format("%s%s", prefix, name);
        if (json_is_object(value) && !*prefix) {
            char *below = heap_format("%s: ", name);
            add_members(values, value, below);
            free(below);
        } else if (!json_is_null(value) && strcmp(path, "run") != 0 &&
                   strcmp(path, "format") != 0) {
            values_add(values, path, text_of(value));
        }
        free(path);
    }
}

static char *setting_int(int64_t value)
{
    return heap_format("%" PRId64, value);
}

static char *setting_real(double value)
{
    return heap_format("%.9g", value);
}

static char *setting_name(const char *value)
{
    return heap_string(value);
}

static void add_settings(Values *values, const Module *module)
{
#define SETTING(kind, name, preset, least, most, meaning)                                \
    values_add(values, "plan: " #name, setting_##kind(module->settings.name));
#include "ir/settings.def"
    ParamTotals totals = module_param_totals(module);
    values_add(values, "plan: parameters", setting_int(totals.all));
    values_add(values, "plan: trained parameters", setting_int(totals.trained));
}

static Values values_of(const ReportRun *run)
{
    Values values = {.names = strings_new()};
    if (run->record)
        add_members(&values, run->record, "");
    if (run->module)
        add_settings(&values, run->module);
    return values;
}

/* -- the table ----------------------------------------------------------------------- */

static bool differs(const Values *values, uint32_t count, const char *name)
{
    const char *first = values_find(&values[0], name);
    for (uint32_t i = 1; i < count; i++) {
        const char *other = values_find(&values[i], name);
        if (!first != !other || (first && strcmp(first, other) != 0))
            return true;
    }
    return count == 1;
}

static void add_rows(Page *page, const Values *values, uint32_t count)
{
    Strings *names = strings_new();
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t n = 0; n < strings_count(values[i].names); n++) {
            const char *name = strings_text(values[i].names, n);
            strings_add(names, name, strlen(name));
        }
    for (uint32_t n = 0; n < strings_count(names); n++) {
        const char *name = strings_text(names, n);
        if (!differs(values, count, name))
            continue;
        page_cell(page, name);
        for (uint32_t i = 0; i < count; i++)
            page_cell(page, values_find(&values[i], name));
    }
    strings_free(names);
}

void report_add_config(Page *page, const ReportRuns *runs)
{
    Values *values = HEAP_ARRAY(Values, runs->count);
    PageColumn *columns = HEAP_ARRAY(PageColumn, runs->count + 1);
    columns[0] = (PageColumn){.name = "setting"};
    for (uint32_t i = 0; i < runs->count; i++) {
        values[i] = values_of(&runs->items[i]);
        columns[i + 1] = (PageColumn){.name = runs->items[i].name};
    }
    page_heading(page, runs->count > 1 ? "What differs" : "Settings");
    if (runs->count == 1)
        page_fold_begin(page, "What run.json and the plan say");
    page_table_begin(
        page, runs->count > 1 ? "Settings that are not the same in all runs" : NULL,
        columns, runs->count + 1);
    add_rows(page, values, runs->count);
    page_table_end(page);
    if (runs->count == 1)
        page_fold_end(page);
    for (uint32_t i = 0; i < runs->count; i++)
        values_free(&values[i]);
    free(values);
    free(columns);
}
