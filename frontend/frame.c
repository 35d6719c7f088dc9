/* Scopes of constants. The order in which a name is looked up is documented in
 * docs/language.md, under Expressions; values are computed when first asked for, and
 * once per frame. */
#include "frontend/frame.h"

#include <string.h>

#include "frontend/syntax/branches.h"
#include "frontend/syntax/range.h"

const Node absent_value = {0};

/* -- bindings ----------------------------------------------------------------------- */

Bindings bindings_new(const ConstList *list, Arena *arena)
{
    Bindings bindings = {ARENA_ARRAY(arena, Binding, list->count), list->count};
    for (uint32_t i = 0; i < list->count; i++)
        bindings.items[i].constant = &list->items[i];
    return bindings;
}

/* True if the binding counts; *out_failed after an error. */
static bool binding_value(ModelSpec *spec, Binding *binding, NameLookup names, Value *out,
                          bool *out_failed)
{
    const Const *constant = binding->constant;
    if (binding->state == BINDING_open) {
        diag_error(spec->diags, constant->value->loc,
                   "constant '%s' is computed from itself", constant->name);
        *out_failed = true;
        return true;
    }
    if (binding->state == BINDING_unseen) {
        bool wanted = true;
        binding->state = BINDING_open;
        names_set(&spec->asked, spec->arena, constant->name, constant);
        if ((constant->element &&
             !element_counts(spec->exprs, constant->element, names, &wanted)) ||
            (wanted && !expr_value(spec->exprs, constant->value, names, &binding->value)))
            *out_failed = true;
        binding->state = wanted ? BINDING_known : BINDING_absent;
    }
    *out = binding->value;
    return binding->state == BINDING_known;
}

/* -- globals ------------------------------------------------------------------------ */

enum Level { LEVEL_command_line, LEVEL_strong, LEVEL_weak };

/* Lists are entered strongest first; within one, the last of a name is the strongest. */
static void enter_list(Globals *globals, const ConstList *list, enum Level level,
                       Arena *arena)
{
    Bindings bindings = bindings_new(list, arena);
    for (uint32_t i = bindings.count; i-- > 0;) {
        Binding *binding = &bindings.items[i];
        binding->strongest = level == LEVEL_command_line;
        binding->strong = level == LEVEL_strong;
        const char *name = binding->constant->name;
        Binding *known = (Binding *)names_get(&globals->bindings, name);
        if (!known) {
            names_set(&globals->bindings, arena, name, binding);
            continue;
        }
        while (known->weaker)
            known = known->weaker;
        known->weaker = binding;
    }
}

Globals *globals_new(ModelSpec *spec, const Definition *task, GraphKind kind,
                     Arena *arena)
{
    Globals *globals = arena_alloc(arena, sizeof *globals);
    *globals = (Globals){.spec = spec, .task = task ? task->name : NULL, .kind = kind};
    enter_list(globals, &spec->command_line, LEVEL_command_line, arena);
    enter_list(globals, &spec->model_consts, LEVEL_strong, arena);
    if (task)
        enter_list(globals, &task->consts, LEVEL_strong, arena);
    enter_list(globals, &spec->size, LEVEL_strong, arena);
    if (spec->backbone)
        enter_list(globals, &spec->backbone->consts, LEVEL_weak, arena);
    enter_list(globals, &spec->library_consts, LEVEL_weak, arena);
    enter_list(globals, &spec->settings, LEVEL_weak, arena);
    globals->arena = arena;
    globals->methods = ARENA_ARRAY(arena, MethodScope *, spec->use_count);
    return globals;
}

static bool find_predefined(const Globals *globals, const char *name, Value *out)
{
    *out = (Value){0};
    if (strcmp(name, "training") == 0)
        out->number = globals->kind == GRAPH_train;
    else if (strcmp(name, "encoding") == 0)
        out->number = globals->kind == GRAPH_encode;
    else if (strcmp(name, "decoding") == 0)
        out->number = globals->kind == GRAPH_decode;
    else if (strcmp(name, "trace") == 0 &&
             (globals->kind == GRAPH_encode || globals->kind == GRAPH_decode))
        out->number = 0;
    else if (strcmp(name, "task") == 0 && globals->task)
        out->text = globals->task;
    else
        return false;
    return true;
}

typedef enum Found { FOUND_no, FOUND_yes, FOUND_failed } Found;

/* What a name was found to mean, and which constant says so. */
typedef struct Meaning {
    Value value;
    const Const *source;
} Meaning;

/* Among the globals, those of the given strengths only. */
static Found find_global(Globals *globals, const char *name, bool strongest, bool strong,
                         bool weak, Meaning *out)
{
    bool failed = false;
    Binding *binding = (Binding *)names_get(&globals->bindings, name);
    for (; binding; binding = binding->weaker) {
        bool is_weak = !binding->strongest && !binding->strong;
        if ((binding->strongest && !strongest) || (binding->strong && !strong) ||
            (is_weak && !weak))
            continue;
        out->source = binding->constant;
        if (binding_value(globals->spec, binding, globals_names(globals), &out->value,
                          &failed))
            return failed ? FOUND_failed : FOUND_yes;
    }
    return failed ? FOUND_failed : FOUND_no;
}

/* A constant stays within the bounds of its declaration wherever its value is given. */
static bool is_within(const ModelSpec *spec, const Const *declared, const char *name,
                      Value value, Loc loc)
{
    const Element *element = declared->element;
    return !element || element->kind != ELEMENT_const ||
           range_check(element, name, value, loc, spec->diags);
}

static bool is_within_globals(const Globals *globals, const char *name, Value value,
                              Loc loc)
{
    const Binding *binding = names_get(&globals->bindings, name);
    for (; binding; binding = binding->weaker)
        if (!is_within(globals->spec, binding->constant, name, value, loc))
            return false;
    return true;
}

static bool find_in_globals(void *self, const char *name, Loc loc, Value *out)
{
    Globals *globals = self;
    if (find_predefined(globals, name, out))
        return true;
    Meaning meaning = {0};
    Found found = find_global(globals, name, true, true, true, &meaning);
    if (found == FOUND_no)
        unknown_name(globals->spec->diags, loc, "constant", name, globals->bindings.names,
                     globals->bindings.count);
    *out = meaning.value;
    return found == FOUND_yes &&
           is_within_globals(globals, name, meaning.value, meaning.source->value->loc);
}

NameLookup globals_names(Globals *globals)
{
    return (NameLookup){find_in_globals, globals};
}

/* -- methods ------------------------------------------------------------------------ */

static Found find_bound(ModelSpec *spec, const Bindings *bindings, NameLookup names,
                        const char *name, Meaning *out)
{
    bool failed = false;
    for (uint32_t i = bindings ? bindings->count : 0; i-- > 0;) {
        Binding *binding = &bindings->items[i];
        if (binding->constant->name != name)
            continue;
        out->source = binding->constant;
        if (binding_value(spec, binding, names, &out->value, &failed))
            return failed ? FOUND_failed : FOUND_yes;
    }
    return failed ? FOUND_failed : FOUND_no;
}

static bool find_in_method(void *self, const char *name, Loc loc, Value *out);

/* What the use gives is said in the recipe, and sees only what a recipe sees. */
static Found find_given(MethodScope *method, const char *name, Meaning *out)
{
    if (!method)
        return FOUND_no;
    return find_bound(method->globals->spec, &method->given,
                      globals_names(method->globals), name, out);
}

static Found find_method_own(MethodScope *method, const char *name, Meaning *out)
{
    if (!method)
        return FOUND_no;
    return find_bound(method->globals->spec, &method->own,
                      (NameLookup){find_in_method, method}, name, out);
}

/* Whether a value is within what the method declares of the constant. */
static bool method_accepts(const MethodScope *method, const char *name, Value value,
                           Loc loc)
{
    for (uint32_t i = 0; method && i < method->own.count; i++)
        if (method->own.items[i].constant->name == name &&
            !is_within(method->globals->spec, method->own.items[i].constant, name, value,
                       loc))
            return false;
    return true;
}

void method_note(const MethodUse *use, Diags *diags)
{
    if (use)
        diag_note(diags, use->element->loc, "in method '%s', used here",
                  use->method->name);
}

static void report_unknown_in_method(const MethodScope *method, const char *name, Loc loc)
{
    Names known = {0};
    ModelSpec *spec = method->globals->spec;
    const Names *globals = &method->globals->bindings;
    for (uint32_t i = 0; i < method->own.count; i++)
        names_set(&known, spec->arena, method->own.items[i].constant->name, method);
    for (uint32_t i = 0; i < globals->count; i++)
        names_set(&known, spec->arena, globals->names[i], method);
    unknown_name(spec->diags, loc, "constant", name, known.names, known.count);
    method_note(method->use, spec->diags);
}

static bool find_in_method(void *self, const char *name, Loc loc, Value *out)
{
    MethodScope *method = self;
    Globals *globals = method->globals;
    if (find_predefined(globals, name, out))
        return true;
    Meaning meaning = {0};
    Found found = find_global(globals, name, true, false, false, &meaning);
    if (found == FOUND_no)
        found = find_given(method, name, &meaning);
    if (found == FOUND_no)
        found = find_global(globals, name, false, true, false, &meaning);
    if (found == FOUND_no)
        found = find_method_own(method, name, &meaning);
    if (found == FOUND_no)
        found = find_global(globals, name, false, false, true, &meaning);
    if (found == FOUND_no)
        report_unknown_in_method(method, name, loc);
    *out = meaning.value;
    return found == FOUND_yes &&
           method_accepts(method, name, *out, meaning.source->value->loc) &&
           is_within_globals(globals, name, *out, meaning.source->value->loc);
}

MethodScope *globals_method(Globals *globals, const MethodUse *use)
{
    MethodScope **scope = &globals->methods[use->index];
    if (!*scope) {
        *scope = arena_alloc(globals->arena, sizeof **scope);
        **scope = (MethodScope){globals, use, bindings_new(&use->given, globals->arena),
                                bindings_new(&use->method->consts, globals->arena)};
    }
    return *scope;
}

NameLookup globals_names_in(Globals *globals, const MethodUse *use)
{
    return use ? (NameLookup){find_in_method, globals_method(globals, use)}
               : globals_names(globals);
}

bool globals_want(Globals *globals, const MethodUse *use, const Element *element,
                  bool *out)
{
    Exprs *exprs = globals->spec->exprs;
    *out = true;
    return (!use || element_counts(exprs, use->element, globals_names(globals), out)) &&
           (!*out || element_counts(exprs, element, globals_names_in(globals, use), out));
}

/* -- frames ------------------------------------------------------------------------- */

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
    bool is_site = strcmp(name, "site") == 0;
    if (!is_site && strcmp(name, "role") != 0)
        return false;
    *out = (Value){.text = is_site ? place->site : place->role};
    return true;
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
    return find_predefined(frame->globals, name, out);
}

/* The definition's own declaration hides those of backbone and libraries. */
bool frame_accepts(const Frame *frame, const char *name, Value value, Loc loc)
{
    if (!method_accepts(frame->method, name, value, loc))
        return false;
    for (uint32_t i = 0; i < frame->own.count; i++)
        if (frame->own.items[i].constant->name == name)
            return is_within(frame->globals->spec, frame->own.items[i].constant, name,
                             value, loc);
    return is_within_globals(frame->globals, name, value, loc);
}

/* What is given from outside of the definition sees the place, and nothing of its
 * body. */
static bool find_outside(void *self, const char *name, Loc loc, Value *out)
{
    const Frame *frame = self;
    return (frame->place && find_in_place(frame->place, name, out)) ||
           (frame->method ? find_in_method(frame->method, name, loc, out)
                          : find_in_globals(frame->globals, name, loc, out));
}

static Found find_constant(Frame *frame, const char *name, Meaning *out)
{
    Globals *globals = frame->globals;
    ModelSpec *spec = globals->spec;
    Found found = find_global(globals, name, true, false, false, out);
    if (found == FOUND_no)
        found =
            find_bound(spec, frame->sets, (NameLookup){find_outside, frame}, name, out);
    if (found == FOUND_no)
        found = find_given(frame->method, name, out);
    if (found == FOUND_no)
        found = find_global(globals, name, false, true, false, out);
    if (found == FOUND_no)
        found = find_method_own(frame->method, name, out);
    if (found == FOUND_no)
        found = find_bound(spec, &frame->own, frame_names(frame), name, out);
    if (found == FOUND_no)
        found = find_global(globals, name, false, false, true, out);
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
