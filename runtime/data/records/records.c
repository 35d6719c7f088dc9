/* Lists of names with blanks between, and what is near to one of them. */
#include "runtime/data/records/records.h"

#include <string.h>

#include "ir/base/arena.h"

const Records records_table[RECORDS_COUNT] = {
#define RECORDS(name, fields, metrics) {#name, fields, metrics},
#define OPEN_RECORDS(name, metrics) {#name, NULL, metrics},
#include "runtime/data/records/records.def"
};

/* Names of a list, without what stands behind =. */
typedef struct NameList {
    const char *items[16];
    uint32_t count;
} NameList;

static NameList split(const char *list, Arena *arena)
{
    enum { MOST = sizeof((NameList){0}).items / sizeof(char *) };
    NameList out = {.count = 0};
    for (const char *at = list; *at && out.count < MOST;) {
        size_t len = strcspn(at, " ");
        out.items[out.count++] = arena_string(arena, at, strcspn(at, " ="));
        at += len + (at[len] == ' ');
    }
    return out;
}

static bool has(const NameList *list, const char *name)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], name) == 0)
            return true;
    return false;
}

/* "; did you mean 'x'? There are a, b and c" */
static const char *hint(const NameList *list, const char *name, Arena *arena)
{
    const char *near = nearest_name(name, list->items, list->count);
    const char *all = list->items[0];
    for (uint32_t i = 1; i < list->count; i++)
        all = arena_format(arena, "%s%s%s", all, i + 1 < list->count ? ", " : " and ",
                           list->items[i]);
    const char *verb = list->count == 1 ? "is" : "are";
    return near ? arena_format(arena, "; did you mean '%s'? There %s %s", near, verb, all)
                : arena_format(arena, "; there %s %s", verb, all);
}

const Records *records_find(const char *name, Loc loc, Diags *diags)
{
    NameList names = {.count = 0};
    for (int i = 0; i < RECORDS_COUNT; i++) {
        names.items[names.count++] = records_table[i].name;
        if (strcmp(records_table[i].name, name) == 0)
            return &records_table[i];
    }
    Arena *arena = arena_new();
    diag_error(diags, loc, "there are no records '%s'%s", name,
               hint(&names, name, arena));
    arena_free(arena);
    return NULL;
}

static bool check_name(const Records *records, const char *what, const char *where,
                       const char *list, const char *name, Loc loc, Diags *diags)
{
    Arena *arena = arena_new();
    NameList names = split(list, arena);
    bool is_known = has(&names, name);
    if (!is_known)
        diag_error(diags, loc, "records '%s' have no %s '%s'%s%s", records->name, what,
                   name, where, hint(&names, name, arena));
    arena_free(arena);
    return is_known;
}

bool records_check_field(const Records *records, const char *field, Loc loc, Diags *diags)
{
    return !records->fields ||
           check_name(records, "field", " here", records->fields, field, loc, diags);
}

bool records_check_answer(const Records *records, const char *field, Loc loc,
                          Diags *diags)
{
    return !records->fields ||
           check_name(records, "field", " here", "answer", field, loc, diags);
}

bool records_check_metric(const Records *records, const char *metric, Loc loc,
                          Diags *diags)
{
    return check_name(records, "metric", "", records->metrics, metric, loc, diags);
}
