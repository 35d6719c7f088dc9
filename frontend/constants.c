/* Constants of definitions and recipes are asked for in each task; those of blocks are
 * looked at wherever a block was used, when its graph is made. */
#include "frontend/constants.h"

#include <string.h>

#include "frontend/lower.h"
#include "frontend/syntax/range.h"
#include "ir/base/list.h"

struct ConstantTable {
    Module *module; /* has the names */
    Arena *arena;
    ConstantRow *rows;
    uint32_t count;
    size_t capacity;
};

/* The values of a block's constants, in the order of their declarations. */
typedef struct BlockUse {
    const Definition *block;
    ConstantRow *constants; /* only their values are filled in */
} BlockUse;

typedef struct Collector {
    ConstantTable *table;
    ModelSpec *spec;
    Frame **frames; /* of the tasks, for train graphs */
    Names blocks;   /* BlockUse by name, as they are first done with */
} Collector;

/* -- values ------------------------------------------------------------------------- */

enum { MOST_VALUES = 20, LONGEST_TASKS = 200 };

/* The value among those of the row; NULL, and `more`, if it is one too many. */
static ConstantValue *add_value(Collector *collector, ConstantRow *row, Value value)
{
    const char *text =
        value.text ? value.text : number_text(collector->spec->interns, value.number);
    for (uint32_t i = 0; i < row->value_count; i++)
        if (strcmp(row->values[i].text, text) == 0)
            return &row->values[i];
    row->more = row->value_count == MOST_VALUES;
    if (row->more)
        return NULL;
    if (!row->values)
        row->values = ARENA_ARRAY(collector->table->arena, ConstantValue, MOST_VALUES);
    row->values[row->value_count].text = text;
    return &row->values[row->value_count++];
}

static void add_task(Arena *arena, ConstantValue *value, const char *task)
{
    if (!value->tasks)
        value->tasks = task;
    else if (strlen(value->tasks) < LONGEST_TASKS)
        value->tasks = arena_format(arena, "%s %s", value->tasks, task);
}

/* What the constant is in a frame, and what gives it that value. */
static void ask(Collector *collector, Frame *frame, const Element *declared,
                ConstantRow *row)
{
    Value value;
    const Const *source;
    if (!frame_constant(frame, row->name, &value, &source))
        return;
    ConstantValue *known = add_value(collector, row, value);
    if (known && frame->globals->task)
        add_task(collector->table->arena, known, frame->globals->task);
    if (source->element != declared || !declared)
        row->set = source->value->loc;
}

/* In one frame. */
static void ask_once(Collector *collector, Frame *frame, const Element *declared,
                     ConstantRow *row)
{
    ask(collector, frame, declared, row);
    if (row->value_count)
        row->values[0].tasks = NULL;
}

static void ask_all(Collector *collector, const Element *declared, ConstantRow *row)
{
    for (uint32_t i = 0; i < collector->spec->task_count; i++)
        ask(collector, collector->frames[i], declared, row);
    if (row->value_count == 1)
        row->values[0].tasks = NULL;
}

/* -- rows --------------------------------------------------------------------------- */

static ConstantRow *add_row(ConstantTable *table, ConstantRow row)
{
    ARENA_LIST_ROOM(table->arena, table->rows, table->count + 1, table->capacity);
    table->rows[table->count] = row;
    return &table->rows[table->count++];
}

static ConstantRow declared_row(const Collector *collector, const char *group,
                                const Const *constant)
{
    char bounds[RANGE_TEXT];
    const Element *element = constant->element;
    range_text(element, bounds, sizeof bounds);
    return (ConstantRow){.group = group,
                         .name = constant->name,
                         .expression = constant->value->value,
                         .bounds = arena_format(collector->table->arena, "%s", bounds),
                         .meaning = element->comment ? element->comment : "",
                         .declared = constant->loc};
}

/* Of the list, what is declared there; in the frame, or in those of all tasks. */
static void add_rows(Collector *collector, const char *group, const ConstList *list,
                     Frame *frame)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const Const *constant = &list->items[i];
        const Element *element = constant->element;
        if (!element || (element->kind != ELEMENT_const && element->kind != ELEMENT_size))
            continue;
        ConstantRow *row =
            add_row(collector->table, declared_row(collector, group, constant));
        if (frame)
            ask_once(collector, frame, element, row);
        else
            ask_all(collector, element, row);
    }
}

static const struct {
    const char *name, *meaning;
    double least, most; /* the same: not a number */
} settings[] = {
#define SETTING(kind, name, preset, least, most, meaning) {#name, meaning, least, most},
#include "ir/settings.def"
    {"trace", "1: results that only comparisons need", 0, 1},
};

static void add_settings(Collector *collector, Frame *frame)
{
    Arena *arena = collector->table->arena;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        ConstantRow row = {.group = "settings",
                           .name = intern(collector->spec->interns, settings[i].name),
                           .bounds = "",
                           .meaning = settings[i].meaning};
        if (settings[i].least != settings[i].most)
            row.bounds = arena_format(arena, "%.10g to %.16g", settings[i].least,
                                      settings[i].most);
        ask_once(collector, frame, NULL, &row);
        add_row(collector->table, row);
    }
}

/* A choice of the recipe's, unless --set makes it; none if there is nothing to choose. */
static void add_choice(Collector *collector, const char *name, ElementKind use,
                       const char *attribute, const char *meaning)
{
    ModelSpec *spec = collector->spec;
    ChainUse chain;
    if (!chain_use(spec, use, &chain))
        return;
    const Attribute *chosen = element_attribute(chain.element, attribute);
    for (uint32_t i = 0; i < spec->command_line.count; i++)
        if (strcmp(spec->command_line.items[i].name, name) == 0)
            chosen = spec->command_line.items[i].value;
    if (!chosen)
        return;
    ConstantRow row = {.group = "choices",
                       .name = name,
                       .bounds = "",
                       .meaning = meaning,
                       .set = chosen->loc};
    (void)add_value(collector, &row, (Value){.text = chosen->value});
    add_row(collector->table, row);
}

/* "one of small, large" */
static const char *sizes_text(const Collector *collector)
{
    const char *text = "one of";
    const Element *child = collector->spec->backbone->element->first;
    for (const char *comma = ""; child; child = child->next)
        if (child->kind == ELEMENT_size) {
            text = arena_format(collector->table->arena, "%s%s %s", text, comma,
                                element_attribute(child, "name")->value);
            comma = ",";
        }
    return text;
}

static const char *group_of(const Collector *collector, const Definition *definition)
{
    return arena_format(collector->table->arena, "%s %s", definition->element->name,
                        definition->name);
}

/* -- blocks ------------------------------------------------------------------------- */

static BlockUse *block_use(Collector *collector, const Definition *block)
{
    BlockUse *use = (BlockUse *)names_get(&collector->blocks, block->name);
    if (use)
        return use;
    use = arena_alloc(collector->table->arena, sizeof *use);
    use->block = block;
    use->constants =
        ARENA_ARRAY(collector->table->arena, ConstantRow, block->consts.count);
    names_set(&collector->blocks, collector->table->arena, block->name, use);
    return use;
}

static void look_at_frame(void *self, const Frame *frame)
{
    const Definition *block = frame->definition;
    if (block->kind != ELEMENT_block)
        return;
    BlockUse *use = block_use(self, block);
    Value value;
    for (uint32_t i = 0; i < block->consts.count; i++)
        if (frame_asked(frame, block->consts.items[i].name, &value))
            (void)add_value(self, &use->constants[i], value);
}

/* The last of a list that gives the name a value. */
static void find_set(const ConstList *list, const char *name, Loc *out)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].name == name)
            *out = list->items[i].value->loc;
}

static void add_block(Collector *collector, const BlockUse *use)
{
    const ModelSpec *spec = collector->spec;
    const char *group = group_of(collector, use->block);
    for (uint32_t i = 0; i < use->block->consts.count; i++) {
        const Const *constant = &use->block->consts.items[i];
        ConstantRow row = declared_row(collector, group, constant);
        row.values = use->constants[i].values;
        row.value_count = use->constants[i].value_count;
        row.more = use->constants[i].more;
        find_set(&spec->model_consts, row.name, &row.set);
        for (uint32_t j = 0; j < spec->use_count; j++)
            find_set(&spec->uses[j]->given, row.name, &row.set);
        for (uint32_t j = 0; j < spec->attach_count; j++)
            find_set(&spec->attaches[j]->sets, row.name, &row.set);
        find_set(&spec->command_line, row.name, &row.set);
        add_row(collector->table, row);
    }
}

/* -- the table ---------------------------------------------------------------------- */

/* Of each use of a method, with what it gives. */
static void add_methods(Collector *collector)
{
    ModelSpec *spec = collector->spec;
    for (uint32_t i = 0; i < spec->use_count; i++) {
        for (uint32_t j = 0; j < spec->task_count; j++) {
            Frame *frame = collector->frames[j];
            frame->method = globals_method(frame->globals, spec->uses[i]);
        }
        const Definition *method = spec->uses[i]->method;
        add_rows(collector, group_of(collector, method), &method->consts, NULL);
    }
    for (uint32_t j = 0; j < spec->task_count; j++)
        collector->frames[j]->method = NULL;
}

static void add_definitions(Collector *collector, Frame *optimizer)
{
    ModelSpec *spec = collector->spec;
    add_rows(collector, "model", &spec->model_consts, NULL);
    add_methods(collector);
    for (uint32_t i = 0; i < spec->task_count; i++)
        add_rows(collector, group_of(collector, spec->tasks[i]), &spec->tasks[i]->consts,
                 collector->frames[i]);
    add_rows(collector, group_of(collector, spec->optimizer), &spec->optimizer->consts,
             optimizer);
    if (spec->size.count) {
        const Element *size = spec->size.items[0].element;
        if (size->kind != ELEMENT_size)
            size = size->parent;
        add_rows(collector,
                 arena_format(collector->table->arena, "size %s",
                              element_attribute(size, "name")->value),
                 &spec->size, NULL);
    }
    add_rows(collector, group_of(collector, spec->backbone), &spec->backbone->consts,
             NULL);
    for (uint32_t i = 0; i < collector->blocks.count; i++)
        add_block(collector, collector->blocks.values[i]);
    add_rows(collector, "libraries", &spec->library_consts, NULL);
}

static void fill(Collector *collector, Lower *lower)
{
    ModelSpec *spec = collector->spec;
    Arena *arena = lower->arena;
    spec->watch = NULL; /* the frames to come are ours */
    Bindings sets = bindings_new(&spec->optimizer_sets, arena);
    Frame *optimizer = frame_new(globals_new(spec, NULL, GRAPH_train, arena), NULL,
                                 spec->optimizer, &sets, (Loc){0});
    collector->frames = ARENA_ARRAY(arena, Frame *, spec->task_count);
    for (uint32_t i = 0; i < spec->task_count; i++)
        collector->frames[i] =
            frame_new(globals_new(spec, spec->tasks[i], GRAPH_train, arena), NULL,
                      spec->tasks[i], NULL, (Loc){0});
    add_choice(collector, "size", ELEMENT_use_backbone, "size", sizes_text(collector));
    add_choice(collector, "tasks", ELEMENT_tasks, "use", "names of tasks, in order");
    add_settings(collector, optimizer);
    add_definitions(collector, optimizer);
    for (uint32_t i = 0; i < spec->task_count; i++)
        frame_free(collector->frames[i]);
    frame_free(optimizer);
}

static void collect(ConstantTable *table, ModelSpec *spec, Arena *arena, Diags *diags)
{
    Collector collector = {.table = table, .spec = spec};
    FrameWatch watch = {.done = look_at_frame, .self = &collector};
    Lower lower = lower_begin(spec, table->module, arena, diags);
    spec->watch = &watch;
    if (lower_module(&lower))
        fill(&collector, &lower);
}

ConstantTable *constants_load(const char *path, const FrontendOptions *options,
                              Diags *diags)
{
    uint32_t errors = diags_error_count(diags);
    Arena *own = arena_new(), *arena = arena_new();
    ConstantTable *table = arena_alloc(own, sizeof *table);
    *table = (ConstantTable){.module = module_new(""), .arena = own};
    ModelSpec *spec = spec_load(path, options, arena, table->module->interns, diags);
    if (spec)
        collect(table, spec, arena, diags);
    arena_free(arena);
    if (spec && diags_error_count(diags) == errors)
        return table;
    constants_free(table);
    return NULL;
}

void constants_free(ConstantTable *table)
{
    if (!table)
        return;
    module_free(table->module);
    arena_free(table->arena);
}

const ConstantRow *constants_rows(const ConstantTable *table, uint32_t *out_count)
{
    *out_count = table->count;
    return table->rows;
}
