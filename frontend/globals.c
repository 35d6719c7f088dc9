/* Constants of the model and of the methods that it uses. The order in which a name is
 * looked up is documented in docs/language.md, under Expressions; values are computed
 * when first asked for. */
#include "frontend/globals.h"

#include <string.h>

#include "frontend/syntax/branches.h"
#include "frontend/syntax/range.h"

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

bool globals_find_predefined(const Globals *globals, const char *name, Value *out)
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

Found globals_find(Globals *globals, const char *name, unsigned strengths, Meaning *out)
{
    bool failed = false;
    Binding *binding = (Binding *)names_get(&globals->bindings, name);
    for (; binding; binding = binding->weaker) {
        unsigned strength = binding->strongest ? FIND_strongest
                            : binding->strong  ? FIND_strong
                                               : FIND_weak;
        if (!(strengths & strength))
            continue;
        out->source = binding->constant;
        if (binding_value(globals->spec, binding, globals_names(globals), &out->value,
                          &failed))
            return failed ? FOUND_failed : FOUND_yes;
    }
    return failed ? FOUND_failed : FOUND_no;
}

bool const_accepts(const ModelSpec *spec, const Const *declared, const char *name,
                   Value value, Loc loc)
{
    const Element *element = declared->element;
    return !element || element->kind != ELEMENT_const ||
           range_check(element, name, value, loc, spec->diags);
}

bool globals_accept(const Globals *globals, const char *name, Value value, Loc loc)
{
    const Binding *binding = names_get(&globals->bindings, name);
    for (; binding; binding = binding->weaker)
        if (!const_accepts(globals->spec, binding->constant, name, value, loc))
            return false;
    return true;
}

static bool find_in_globals(void *self, const char *name, Loc loc, Value *out)
{
    Globals *globals = self;
    if (globals_find_predefined(globals, name, out))
        return true;
    Meaning meaning = {0};
    Found found = globals_find(globals, name, FIND_any, &meaning);
    if (found == FOUND_no)
        unknown_name(globals->spec->diags, loc, "constant", name, globals->bindings.names,
                     globals->bindings.count);
    *out = meaning.value;
    return found == FOUND_yes &&
           globals_accept(globals, name, meaning.value, meaning.source->value->loc);
}

NameLookup globals_names(Globals *globals)
{
    return (NameLookup){find_in_globals, globals};
}

/* -- methods ------------------------------------------------------------------------ */

Found bindings_find(ModelSpec *spec, const Bindings *bindings, NameLookup names,
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

Found method_find_given(MethodScope *method, const char *name, Meaning *out)
{
    if (!method)
        return FOUND_no;
    return bindings_find(method->globals->spec, &method->given,
                         globals_names(method->globals), name, out);
}

Found method_find_own(MethodScope *method, const char *name, Meaning *out)
{
    if (!method)
        return FOUND_no;
    return bindings_find(method->globals->spec, &method->own,
                         (NameLookup){find_in_method, method}, name, out);
}

bool method_accepts(const MethodScope *method, const char *name, Value value, Loc loc)
{
    for (uint32_t i = 0; method && i < method->own.count; i++)
        if (method->own.items[i].constant->name == name &&
            !const_accepts(method->globals->spec, method->own.items[i].constant, name,
                           value, loc))
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
    if (globals_find_predefined(globals, name, out))
        return true;
    Meaning meaning = {0};
    Found found = globals_find(globals, name, FIND_strongest, &meaning);
    if (found == FOUND_no)
        found = method_find_given(method, name, &meaning);
    if (found == FOUND_no)
        found = globals_find(globals, name, FIND_strong, &meaning);
    if (found == FOUND_no)
        found = method_find_own(method, name, &meaning);
    if (found == FOUND_no)
        found = globals_find(globals, name, FIND_weak, &meaning);
    if (found == FOUND_no)
        report_unknown_in_method(method, name, loc);
    *out = meaning.value;
    return found == FOUND_yes &&
           method_accepts(method, name, *out, meaning.source->value->loc) &&
           globals_accept(globals, name, *out, meaning.source->value->loc);
}

NameLookup method_names(MethodScope *method)
{
    return (NameLookup){find_in_method, method};
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
    return use ? method_names(globals_method(globals, use)) : globals_names(globals);
}

bool globals_want(Globals *globals, const MethodUse *use, const Element *element,
                  bool *out)
{
    Exprs *exprs = globals->spec->exprs;
    *out = true;
    return (!use || element_counts(exprs, use->element, globals_names(globals), out)) &&
           (!*out || element_counts(exprs, element, globals_names_in(globals, use), out));
}
