/* Values and constants where a body is being lowered. A constant's value is computed once
 * per frame. */
#include "frontend/frame.h"

#include <string.h>

#include "frontend/syntax/branches.h"

const Node absent_value = {0};

Frame *frame_new(Globals *globals, const Frame *caller, const Definition *definition,
                 Bindings *sets, Loc use)
{
    Arena *arena = arena_new();
    Frame *frame = arena_alloc(arena, sizeof *frame);
    *frame = (Frame){.arena = arena,
                     .globals = globals,
                     .caller = caller,
                     .definition = definition,
                     .use = use,
                     .sets = sets,
                     .scope = ""};
    /* A backbone's constants are global; a task's body has only the task's. */
    if (definition->kind == ELEMENT_block || definition->kind == ELEMENT_optimizer)
        frame->own = bindings_new(&definition->consts, arena);
    return frame;
}

void frame_free(Frame *frame)
{
    const FrameWatch *watch = frame->globals->spec->watch;
    if (watch)
        watch->done(watch->self, frame);
    arena_free(frame->arena);
}

static bool find_in_place(const SitePlace *place, const char *name, Value *out)
{
    for (uint32_t i = place->bound_count; i-- > 0;)
        if (place->bound[i].name == name) {
            *out = place->bound[i].value;
            return true;
        }
    const struct {
        const char *name, *text;
    } facts[] = {{"site", place->site},
                 {"role", place->role},
                 {"module", place->module},
                 {"module_name", place->module_name}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (strcmp(name, facts[i].name) == 0) {
            *out = (Value){.text = facts[i].text};
            return true;
        }
    return false;
}

/* What belongs to the frame itself and to nothing around it. */
static bool find_local(const Frame *frame, const char *name, Value *out)
{
    *out = (Value){0};
    for (const LoopVariable *loop = frame->loops; loop; loop = loop->outer)
        if (loop->name == name) {
            out->number = loop->value;
            return true;
        }
    for (uint32_t i = frame->argument_count; i-- > 0;)
        if (frame->arguments[i].name == name) {
            *out = frame->arguments[i].value;
            return true;
        }
    if (frame->place && find_in_place(frame->place, name, out))
        return true;
    return globals_find_predefined(frame->globals, name, out);
}

/* The definition's own declaration hides those of backbone and libraries. */
bool frame_accepts(const Frame *frame, const char *name, Value value, Loc loc)
{
    if (!method_accepts(frame->method, name, value, loc))
        return false;
    for (uint32_t i = 0; i < frame->own.count; i++)
        if (frame->own.items[i].constant->name == name)
            return const_accepts(frame->globals->spec, frame->own.items[i].constant, name,
                                 value, loc);
    return globals_accept(frame->globals, name, value, loc);
}

/* What is given from outside of the definition sees the place, and nothing of its
 * body. */
static bool find_outside(void *self, const char *name, Loc loc, Value *out)
{
    const Frame *frame = self;
    NameLookup outside =
        frame->method ? method_names(frame->method) : globals_names(frame->globals);
    return (frame->place && find_in_place(frame->place, name, out)) ||
           outside.find(outside.self, name, loc, out);
}

static Found find_constant(Frame *frame, const char *name, Meaning *out)
{
    Globals *globals = frame->globals;
    ModelSpec *spec = globals->spec;
    Found found = globals_find(globals, name, FIND_strongest, out);
    if (found == FOUND_no)
        found = bindings_find(spec, frame->sets, (NameLookup){find_outside, frame}, name,
                              out);
    if (found == FOUND_no)
        found = method_find_given(frame->method, name, out);
    if (found == FOUND_no)
        found = globals_find(globals, name, FIND_strong, out);
    if (found == FOUND_no)
        found = method_find_own(frame->method, name, out);
    if (found == FOUND_no)
        found = bindings_find(spec, &frame->own, frame_names(frame), name, out);
    if (found == FOUND_no)
        found = globals_find(globals, name, FIND_weak, out);
    return found;
}

static Found find(Frame *frame, const char *name, Value *out)
{
    if (find_local(frame, name, out))
        return FOUND_yes;
    Meaning meaning = {0};
    Found found = find_constant(frame, name, &meaning);
    *out = meaning.value;
    if (found == FOUND_yes &&
        !frame_accepts(frame, name, meaning.value, meaning.source->value->loc))
        return FOUND_failed;
    return found;
}

bool frame_constant(Frame *frame, const char *name, Value *out, const Const **out_source)
{
    Meaning meaning = {0};
    if (find_constant(frame, name, &meaning) != FOUND_yes)
        return false;
    *out = meaning.value;
    *out_source = meaning.source;
    return true;
}

static bool asked(const Bindings *bindings, const char *name, Value *out)
{
    for (uint32_t i = bindings ? bindings->count : 0; i-- > 0;) {
        const Binding *binding = &bindings->items[i];
        if (binding->constant->name != name || binding->state != BINDING_known)
            continue;
        *out = binding->value;
        return true;
    }
    return false;
}

bool frame_asked(const Frame *frame, const char *name, Value *out)
{
    for (uint32_t i = frame->argument_count; i-- > 0;)
        if (frame->arguments[i].name == name) {
            *out = frame->arguments[i].value;
            return true;
        }
    if (asked(&frame->own, name, out) || asked(frame->sets, name, out) ||
        (frame->method && (asked(&frame->method->given, name, out) ||
                           asked(&frame->method->own, name, out))))
        return true;
    const Binding *binding = names_get(&frame->globals->bindings, name);
    while (binding && binding->state != BINDING_known)
        binding = binding->weaker;
    if (binding && (binding->strongest || binding->strong))
        *out = binding->value;
    return binding && (binding->strongest || binding->strong);
}

static void report_unknown(const Frame *frame, const char *name, Loc loc)
{
    if (frame_value(frame, name)) {
        diag_error(frame->globals->spec->diags, loc,
                   "'%s' is a value, no constant; formulas write it without $", name);
        frame_note(frame);
        return;
    }
    Names known = {0};
    Arena *arena = frame->arena;
    for (const LoopVariable *loop = frame->loops; loop; loop = loop->outer)
        names_set(&known, arena, loop->name, frame);
    for (uint32_t i = 0; i < frame->argument_count; i++)
        names_set(&known, arena, frame->arguments[i].name, frame);
    for (uint32_t i = 0; frame->place && i < frame->place->bound_count; i++)
        names_set(&known, arena, frame->place->bound[i].name, frame);
    for (uint32_t i = 0; i < frame->own.count; i++)
        names_set(&known, arena, frame->own.items[i].constant->name, frame);
    for (uint32_t i = 0; frame->method && i < frame->method->own.count; i++)
        names_set(&known, arena, frame->method->own.items[i].constant->name, frame);
    for (uint32_t i = 0; i < frame->globals->bindings.count; i++)
        names_set(&known, arena, frame->globals->bindings.names[i], frame);
    Interns *interns = frame->globals->spec->interns;
    names_set(&known, arena, intern(interns, "training"), frame);
    names_set(&known, arena, intern(interns, "encoding"), frame);
    names_set(&known, arena, intern(interns, "decoding"), frame);
    names_set(&known, arena, intern(interns, "task"), frame);
    unknown_name(frame->globals->spec->diags, loc, "constant", name, known.names,
                 known.count);
    frame_note(frame);
}

static bool find_in_frame(void *self, const char *name, Loc loc, Value *out)
{
    Frame *frame = self;
    Found found = find(frame, name, out);
    if (found == FOUND_no)
        report_unknown(frame, name, loc);
    return found == FOUND_yes;
}

static bool find_in_path(void *self, const char *name, Loc loc, Value *out)
{
    static const char mark[] = {TASK_MARK, 0};
    Frame *frame = self;
    if (!frame->place || !frame->place->is_graft || strcmp(name, "task") != 0)
        return find_in_frame(self, name, loc, out);
    *out = (Value){.text = mark};
    return true;
}

NameLookup frame_names(Frame *frame)
{
    return (NameLookup){find_in_frame, frame};
}

NameLookup frame_path_names(Frame *frame)
{
    return (NameLookup){find_in_path, frame};
}

bool frame_has_constant(Frame *frame, const char *name)
{
    Value value;
    return find(frame, name, &value) != FOUND_no;
}

bool frame_wants(Frame *frame, const Element *element, bool *out)
{
    return element_counts(frame->globals->spec->exprs, element, frame_names(frame), out);
}

const Node *frame_value(const Frame *frame, const char *name)
{
    const Node *node = names_get(&frame->values, name);
    return node || !frame->beside ? node : names_get(&frame->beside->values, name);
}

Names frame_value_names(const Frame *frame)
{
    Names all = {0};
    for (const Frame *at = frame; at; at = at->beside)
        for (uint32_t i = 0; i < at->values.count; i++)
            names_set(&all, frame->arena, at->values.names[i], at);
    return all;
}

void frame_bind(Frame *frame, const char *name, const Node *node)
{
    names_set(&frame->values, frame->arena, name, node);
}

void frame_note(const Frame *frame)
{
    Diags *diags = frame->globals->spec->diags;
    const Frame *outermost = frame;
    while (outermost->caller)
        outermost = outermost->caller;
    for (int shown = 0; frame && frame->use.file && shown < 8;
         frame = frame->caller, shown++)
        diag_note(diags, frame->use, "in %s '%s', used here",
                  frame->definition->element->name, frame->definition->name);
    if (outermost->method && !outermost->beside) /* there the method's frame is its own */
        method_note(outermost->method->use, diags);
}
