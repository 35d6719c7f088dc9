/* The frame of the first use is followed while the model's graphs are made. */
#include "frontend/expand.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/expand_model.h"
#include "frontend/lower.h"
#include "frontend/print_element.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/text.h"

enum { LONGEST_TYPE = 200, INDENT = 2, MOST_LINES = 5000 };

typedef struct Expansion {
    Arena *arena;
    const char *name;
    const Frame *frame; /* the one that is followed; NULL before and after */
    const Definition *definition;
    const Graph *graph;    /* of the frame */
    const Node **inputs;   /* of the definition */
    const Element *before; /* the last element that was printed */
    char *body;            /* what elements print, until the head is known */
    size_t body_len;
    FILE *lines;
    const char *head;   /* once the frame is done */
    const char **names; /* of nodes by their ids, as they were printed */
    size_t name_capacity;
    uint32_t line_count;
    const Frame *counted; /* the last that was, while it lasts */
    uint32_t use_count;
} Expansion;

/* -- elements ----------------------------------------------------------------------- */

static uint32_t depth_within(const Element *element, const Element *outer)
{
    uint32_t depth = 0;
    for (; element != outer; element = element->parent)
        depth++;
    return depth;
}

static void print_tag(const Expansion *expansion, const Element *element)
{
    uint32_t depth = depth_within(element, expansion->definition->element);
    fprintf(expansion->lines, "%*s", (int)depth * INDENT, "");
    element_print(element, expansion->lines);
    fputc('\n', expansion->lines);
}

static bool is_inside(const Element *element, const Element *outer)
{
    while (element && element != outer)
        element = element->parent;
    return element != NULL;
}

/* The elements around this one that the last one does not stand in. */
static void print_around(const Expansion *expansion, const Element *element)
{
    const Element *outer = element->parent;
    if (is_inside(expansion->before, outer))
        return;
    print_around(expansion, outer);
    print_tag(expansion, outer);
}

/* -- nodes -------------------------------------------------------------------------- */

/* What the body calls a node now: the name it bound last. NULL: nothing. */
static const char *name_in(const Frame *frame, const Node *node)
{
    for (uint32_t i = frame->values.count; i-- > 0;)
        if (frame->values.values[i] == node)
            return frame->values.names[i];
    return NULL;
}

/* Bodies bind names anew, so a node keeps the name that it was printed with. */
static void keep_name(Expansion *expansion, const Node *node)
{
    size_t capacity = expansion->name_capacity;
    ARENA_LIST_ROOM(expansion->arena, expansion->names, node->id + 1,
                    expansion->name_capacity);
    for (; capacity < expansion->name_capacity; capacity++)
        expansion->names[capacity] = NULL;
    expansion->names[node->id] = name_in(expansion->frame, node);
}

static void print_reference(const Expansion *expansion, const Node *node)
{
    const char *name =
        node->id < expansion->name_capacity ? expansion->names[node->id] : NULL;
    if (!name)
        name = name_in(expansion->frame, node);
    if (!name && node->op == OP_constant)
        fputs(number_text(expansion->frame->globals->spec->interns,
                          node->attr.constant.value),
              expansion->lines);
    else if (name)
        fputs(name, expansion->lines);
    else
        fprintf(expansion->lines, "%%%u", node->id);
}

static void print_node(Expansion *expansion, uint32_t depth, const Node *node)
{
    FILE *out = expansion->lines;
    char type[LONGEST_TYPE];
    keep_name(expansion, node);
    if (node->op == OP_constant && !expansion->names[node->id])
        return;
    type_print(expansion->graph, node->type, type, sizeof type);
    fprintf(out, "%*s", (int)depth * INDENT, "");
    print_reference(expansion, node);
    fprintf(out, ": %s = %s", type, op_info(node->op)->name);
    for (uint32_t i = 0; i < node->arg_count; i++) {
        fputs(i ? ", " : "(", out);
        print_reference(expansion, node->args[i]);
    }
    fputs(node->arg_count ? ")" : "", out);
    attributes_print(expansion->graph, node, out);
    fputc('\n', out);
}

/* -- the frame ---------------------------------------------------------------------- */

/* Whether every loop around is in its first turn. */
static bool is_first_turn(const Frame *frame)
{
    for (const LoopVariable *loop = frame->loops; loop; loop = loop->outer)
        if (loop->value > 0)
            return false;
    return true;
}

/* What is bound already is what the definition is given. */
static void follow(Expansion *expansion, const Frame *frame, const Graph *graph)
{
    const Definition *definition = frame->definition;
    expansion->frame = frame;
    expansion->definition = definition;
    expansion->graph = graph;
    expansion->before = definition->element;
    expansion->lines = heap_stream(&expansion->body, &expansion->body_len);
    for (uint32_t i = 0; i < frame->values.count; i++)
        if (frame->values.values[i] != &absent_value)
            keep_name(expansion, frame->values.values[i]);
    expansion->inputs =
        ARENA_ARRAY(expansion->arena, const Node *, definition->input_count);
    for (uint32_t i = 0; i < definition->input_count; i++)
        expansion->inputs[i] = frame_value(frame, definition->inputs[i].name);
}

static bool is_wanted(const Expansion *expansion, const Frame *frame)
{
    return strcmp(frame->definition->name, expansion->name) == 0 &&
           (!expansion->definition || frame->definition == expansion->definition);
}

/* Whether the element is one of the body that is followed, and is to be printed. */
static bool is_shown(const Expansion *expansion, const Frame *frame,
                     const Element *element)
{
    bool holds_others = element->first && element->kind != ELEMENT_call;
    return frame == expansion->frame && is_first_turn(frame) && !holds_others &&
           element->kind != ELEMENT_const && element->kind != ELEMENT_data &&
           expansion->line_count < MOST_LINES;
}

static void look_at_start(void *self, const Frame *frame, const Graph *graph)
{
    Expansion *expansion = self;
    if (!is_wanted(expansion, frame))
        return;
    if (!expansion->head && !expansion->frame)
        follow(expansion, frame, graph);
    expansion->use_count += frame != expansion->counted;
    expansion->counted = frame;
}

static void look_at_element(void *self, const Frame *frame, const Element *element,
                            const Graph *graph, uint32_t first)
{
    Expansion *expansion = self;
    if (!is_shown(expansion, frame, element))
        return;
    print_around(expansion, element);
    print_tag(expansion, element);
    expansion->before = element;
    uint32_t depth = depth_within(element, expansion->definition->element);
    for (uint32_t i = first; i < graph->node_count; i++)
        print_node(expansion, depth + 1, graph->nodes[i]);
    expansion->line_count += 1 + graph->node_count - first;
    if (expansion->line_count >= MOST_LINES)
        fputs("...\n", expansion->lines);
}

/* A scope, in which {task} may stand for the name of a task. */
static void print_scope(FILE *out, const char *scope)
{
    if (!*scope)
        return;
    fprintf(out, "%*snames begin with ", INDENT, "");
    for (; *scope; scope++)
        if (*scope == TASK_MARK)
            fputs("{task}", out);
        else
            fputc(*scope, out);
    fputc('\n', out);
}

static void print_inputs(FILE *out, const Expansion *expansion)
{
    const Definition *definition = expansion->definition;
    for (uint32_t i = 0; i < definition->input_count; i++) {
        const Node *node = expansion->inputs[i];
        char type[LONGEST_TYPE];
        fprintf(out, "%*s%s", INDENT, "", definition->inputs[i].name);
        if (node == &absent_value) {
            fputs(" is left out\n", out);
            continue;
        }
        type_print(expansion->graph, node->type, type, sizeof type);
        fprintf(out, ": %s\n", type);
    }
}

static void print_constants(FILE *out, const Expansion *expansion, const Frame *frame)
{
    const ConstList *consts = &expansion->definition->consts;
    for (uint32_t i = 0; i < consts->count; i++) {
        Value value;
        if (!frame_asked(frame, consts->items[i].name, &value))
            continue;
        Interns *interns = frame->globals->spec->interns;
        fprintf(out, "%*s$%s = %s\n", INDENT, "", consts->items[i].name,
                value.text ? value.text : number_text(interns, value.number));
    }
}

static void look_at_frame(void *self, const Frame *frame)
{
    Expansion *expansion = self;
    if (frame == expansion->counted)
        expansion->counted = NULL;
    if (frame != expansion->frame)
        return;
    char *head;
    size_t len;
    FILE *out = heap_stream(&head, &len);
    fprintf(out, ", first in @%s", expansion->graph->name);
    if (frame->use.file)
        fprintf(out, " at %s:%u", frame->use.file, frame->use.line);
    fputc('\n', out);
    print_scope(out, frame->scope);
    print_inputs(out, expansion);
    print_constants(out, expansion, frame);
    fclose(out);
    expansion->head = arena_copy(expansion->arena, head, len + 1);
    free(head);
    fclose(expansion->lines);
    expansion->frame = NULL;
}

/* -- the whole ---------------------------------------------------------------------- */

static void print_expansion(const Expansion *expansion, FILE *out)
{
    const Definition *definition = expansion->definition;
    fprintf(out, "%s %s (%s:%u), used %u time%s", definition->element->name,
            definition->name, definition->element->loc.file,
            definition->element->loc.line, expansion->use_count,
            expansion->use_count == 1 ? "" : "s");
    fputs(expansion->head, out);
    fwrite(expansion->body, 1, expansion->body_len, out);
}

/* What is known by the name, or an error. */
static const Definition *find_definition(const ModelSpec *spec, const char *name)
{
    const Names *const kinds[] = {&spec->blocks, &spec->backbones,
                                  &spec->task_definitions, &spec->optimizers};
    Names known = {0};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (uint32_t j = 0; j < kinds[i]->count; j++) {
            if (strcmp(kinds[i]->names[j], name) == 0)
                return kinds[i]->values[j];
            names_set(&known, spec->arena, kinds[i]->names[j], name);
        }
    Loc loc = {arena_format(spec->arena, "--expand %s", name), 0, 0};
    unknown_name(spec->diags, loc, "block, backbone, task or optimizer", name,
                 known.names, known.count);
    return NULL;
}

static bool make_graphs(Lower *lower, const FrameWatch *watch)
{
    uint32_t errors = diags_error_count(lower->diags);
    lower->spec->watch = watch;
    bool ok = lower_module(lower) && diags_error_count(lower->diags) == errors;
    lower->spec->watch = NULL;
    return ok;
}

static bool expand(Expansion *expansion, Lower *lower)
{
    const Definition *definition = find_definition(lower->spec, expansion->name);
    FrameWatch watch = {look_at_frame, look_at_start, look_at_element, expansion};
    bool ok = definition && make_graphs(lower, &watch);
    if (!ok || expansion->head)
        return ok;
    diag_error(lower->diags, definition->element->loc,
               "--expand: the model does nothing of %s '%s'", definition->element->name,
               definition->name);
    return false;
}

static bool expand_definition(const char *name, Lower *lower, FILE *out)
{
    Expansion expansion = {.arena = lower->arena, .name = name};
    bool ok = expand(&expansion, lower);
    if (ok)
        print_expansion(&expansion, out);
    free(expansion.body);
    return ok;
}

static bool expand_model(Lower *lower, FILE *out)
{
    RecipeExpansion *expansion = recipe_expansion_new(lower->spec, lower->arena);
    FrameWatch watch = recipe_expansion_watch(expansion);
    bool ok = make_graphs(lower, &watch);
    if (ok)
        recipe_expansion_print(expansion, lower, out);
    return ok;
}

bool frontend_expand(const char *path, const FrontendOptions *options, const char *name,
                     FILE *out, Diags *diags)
{
    Module *module = module_new("");
    Arena *arena = arena_new();
    ModelSpec *spec = spec_load(path, options, arena, module->interns, diags);
    bool ok = spec != NULL;
    if (spec) {
        Lower lower = lower_begin(spec, module, arena, diags);
        ok = strcmp(name, "model") == 0 ? expand_model(&lower, out)
                                        : expand_definition(name, &lower, out);
    }
    arena_free(arena);
    module_free(module);
    return ok;
}
