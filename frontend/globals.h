/* Constants of the model and of the methods that it uses, and their values. */
#ifndef VLG_FRONTEND_GLOBALS_H
#define VLG_FRONTEND_GLOBALS_H

#include "frontend/recipe/model_spec.h"
#include "ir/graph.h"

/* A constant and, once it was asked for, its value. */
typedef struct Binding {
    const Const *constant;
    struct Binding *weaker; /* of the same name; counts if `when` is false */
    Value value;
    enum { BINDING_unseen, BINDING_open, BINDING_known, BINDING_absent } state;
    bool strong;    /* globals: beats the definition's own constants */
    bool strongest; /* globals: --set */
} Binding;

typedef struct Bindings {
    Binding *items;
    uint32_t count;
} Bindings;

typedef struct Globals Globals;

/* Constants of a use of a method, among those of the model. */
typedef struct MethodScope {
    Globals *globals;
    const MethodUse *use;
    Bindings given, own; /* by the use; of the method */
} MethodScope;

/* Constants of the model, for one kind of graph of one task. */
struct Globals {
    ModelSpec *spec;
    const char *task; /* NULL outside of tasks */
    GraphKind kind;
    Names bindings; /* Binding by name, strongest first */
    Arena *arena;
    MethodScope **methods; /* as ModelSpec.uses; NULL until asked for */
};

typedef enum Found { FOUND_no, FOUND_yes, FOUND_failed } Found;

/* What a name was found to mean, and which constant says so. */
typedef struct Meaning {
    Value value;
    const Const *source;
} Meaning;

Bindings bindings_new(const ConstList *list, Arena *arena);
/* The last that counts of the name; `names` are what its value sees. */
Found bindings_find(ModelSpec *spec, const Bindings *bindings, NameLookup names,
                    const char *name, Meaning *out);

Globals *globals_new(ModelSpec *spec, const Definition *task, GraphKind kind,
                     Arena *arena);
NameLookup globals_names(Globals *globals);
/* The constants of a use of a method among these. */
MethodScope *globals_method(Globals *globals, const MethodUse *use);
/* As a part of a method sees them; `use` may be NULL. */
NameLookup globals_names_in(Globals *globals, const MethodUse *use);
/* Whether a part of a recipe, or of a method that it uses, counts. */
NODISCARD bool globals_want(Globals *globals, const MethodUse *use,
                            const Element *element, bool *out);
NameLookup method_names(MethodScope *method);

/* Among the globals, those of the given strengths only. */
enum {
    FIND_strongest = 1,
    FIND_strong = 2,
    FIND_weak = 4,
    FIND_any = FIND_strongest | FIND_strong | FIND_weak
};
Found globals_find(Globals *globals, const char *name, unsigned strengths, Meaning *out);
/* $training and what else no file declares. */
bool globals_find_predefined(const Globals *globals, const char *name, Value *out);
/* Of what the use of a method gives, which is said in the recipe and sees only what a
 * recipe sees; of the method's own. `method` may be NULL. */
Found method_find_given(MethodScope *method, const char *name, Meaning *out);
Found method_find_own(MethodScope *method, const char *name, Meaning *out);

/* A constant stays within the bounds of its declarations wherever its value is given:
 * whether one does, of one declaration, of those of the model, of the method's (which may
 * be NULL). An error if not. */
NODISCARD bool const_accepts(const ModelSpec *spec, const Const *declared,
                             const char *name, Value value, Loc loc);
NODISCARD bool globals_accept(const Globals *globals, const char *name, Value value,
                              Loc loc);
NODISCARD bool method_accepts(const MethodScope *method, const char *name, Value value,
                              Loc loc);

/* Adds where a part of a method is used to the error before; `use` may be NULL. */
void method_note(const MethodUse *use, Diags *diags);

#endif
