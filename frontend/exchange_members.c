/* Members of a configuration: numbers and texts, which all sites must agree about; flags,
 * which any site may set; lists, to which each site adds; maps from
 * modules to the one number that all have. */
#include "frontend/exchange_members.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/entries.h"
#include "ir/base/heap.h"

typedef enum MemberKind {
    MEMBER_value,
    MEMBER_list,
    MEMBER_flag,
    MEMBER_real,
    MEMBER_map,
    MEMBER_KIND_COUNT
} MemberKind;

static const char *const kind_names[MEMBER_KIND_COUNT] = {"value", "list", "flag", "real",
                                                          "map"};

typedef struct ConfigMember {
    MemberKind kind;
    bool note;
    const char *text; /* JSON, but of a list */
    Names items;      /* of a list: JSON of each */
} ConfigMember;

/* -- JSON --------------------------------------------------------------------------- */

static const char *text_as_json(Arena *arena, const char *text)
{
    char *json = arena_alloc(arena, 6 * strlen(text) + 3), *at = json;
    *at++ = '"';
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < ' ') {
            at += sprintf(at, "\\u%04x", byte);
            continue;
        }
        if (byte == '"' || byte == '\\')
            *at++ = '\\';
        *at++ = *text;
    }
    strcpy(at, "\"");
    return json;
}

static const char *real_as_json(Arena *arena, const char *number)
{
    return arena_format(arena, strpbrk(number, ".e") ? "%s" : "%s.0", number);
}

static const char *as_json(Arena *arena, Interns *interns, MemberKind kind, Value value)
{
    if (kind == MEMBER_flag)
        return value.number != 0 ? "true" : "false";
    if (value.text)
        return text_as_json(arena, value.text);
    const char *number = number_text(interns, value.number);
    return kind == MEMBER_real ? real_as_json(arena, number) : number;
}

/* -- adding ------------------------------------------------------------------------- */

static bool read_kind(const Element *element, Diags *diags, MemberKind *out)
{
    const Attribute *is = element_attribute(element, "is");
    *out = MEMBER_value;
    bool is_long = element_attribute(element, "name");
    if (!is || !is_long)
        return true;
    for (MemberKind kind = MEMBER_list; kind < MEMBER_KIND_COUNT; kind++)
        if (strcmp(kind_names[kind], is->value) == 0) {
            *out = kind;
            return true;
        }
    unknown_name(diags, is->loc, "kind of member", is->value, kind_names + 1,
                 MEMBER_KIND_COUNT - 1);
    return false;
}

static bool read_note(Frame *frame, const Element *element, bool *out)
{
    Attribute *note = element_attribute(element, "note");
    *out = false;
    return !note ||
           expr_condition(frame->globals->spec->exprs, note, frame_names(frame), out);
}

static bool check_value(const Frame *frame, const Entry *entry, MemberKind kind,
                        Value value)
{
    bool wants_number = kind == MEMBER_flag || kind == MEMBER_real;
    if (!wants_number || !value.text)
        return true;
    diag_error(frame->globals->spec->diags, entry->value->loc,
               "member '%s' is a %s, but its value is the text '%s'", entry->name,
               kind_names[kind], value.text);
    return false;
}

/* What two sites give. */
static void merge(Members *members, Arena *arena, const char *name, ConfigMember *member,
                  const char *json)
{
    if (member->kind == MEMBER_flag)
        member->text = strcmp(json, "true") == 0 ? json : member->text;
    else if (strcmp(member->text, json) != 0 && !members->refusal)
        members->refusal = arena_format(arena, "%s is %s at one site and %s at another",
                                        name, member->text, json);
}

static bool add_entry(Members *members, Frame *frame, Arena *arena, const Entry *entry,
                      ConfigMember shape)
{
    ModelSpec *spec = frame->globals->spec;
    Value value;
    if (!expr_value(spec->exprs, entry->value, frame_names(frame), &value) ||
        !check_value(frame, entry, shape.kind, value))
        return false;
    const char *json = as_json(arena, spec->interns, shape.kind, value);
    ConfigMember *member = (ConfigMember *)names_get(&members->all, entry->name);
    if (!member) {
        member = arena_copy(arena, &shape, sizeof shape);
        member->text = json;
        names_set(&members->all, arena, entry->name, member);
    } else if (member->kind != MEMBER_list) {
        merge(members, arena, entry->name, member, json);
    }
    if (member->kind == MEMBER_list)
        names_set(&member->items, arena, intern(spec->interns, json), member);
    return true;
}

bool members_add(Members *members, Frame *frame, Arena *arena, const Element *element)
{
    ConfigMember shape = {0};
    Entry entry;
    if (!read_kind(element, frame->globals->spec->diags, &shape.kind) ||
        !read_note(frame, element, &shape.note))
        return false;
    for (uint32_t at = 0; entry_next(element, &at, &entry);)
        if (!add_entry(members, frame, arena, &entry, shape))
            return false;
    return true;
}

/* -- as facts ----------------------------------------------------------------------- */

static char *list_as_json(const Names *items)
{
    char *text = NULL;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    for (uint32_t i = 0; i < items->count; i++)
        fprintf(out, "%s%s", i ? ", " : "[", items->names[i]);
    fputc(']', out);
    fclose(out);
    return text;
}

/* Of all modules, which are a star. */
static char *map_as_json(const char *value)
{
    return heap_format("{\"*\": %s}", value);
}

static DataSetting fact_of(const ConfigMember *member, const char *name,
                           const char *format, Module *module)
{
    char *text = member->kind == MEMBER_list  ? list_as_json(&member->items)
                 : member->kind == MEMBER_map ? map_as_json(member->text)
                                              : NULL;
    DataSetting fact = {.key = arena_format(module->arena, "%s.%s.%s",
                                            member->note ? "note" : "exchange", format,
                                            name),
                        .value = intern(module->interns, text ? text : member->text)};
    free(text);
    return fact;
}

void members_finish(const Members *members, const char *format, Module *module,
                    Task *task)
{
    uint32_t count = task->data_count;
    DataSetting *data =
        ARENA_ARRAY(module->arena, DataSetting, count + members->all.count + 1);
    if (count)
        memcpy(data, task->data, count * sizeof *data);
    for (uint32_t i = 0; i < members->all.count; i++)
        data[count++] =
            fact_of(members->all.values[i], members->all.names[i], format, module);
    if (members->refusal)
        data[count++] =
            (DataSetting){.key = arena_format(module->arena, "refuse.%s", format),
                          .value = intern(module->interns, members->refusal)};
    task->data = data;
    task->data_count = count;
}
