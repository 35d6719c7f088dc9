/* Where a body is being lowered: values and constants in scope. */
#ifndef VLG_FRONTEND_FRAME_H
#define VLG_FRONTEND_FRAME_H

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

typedef struct Argument {
    const char *name;
    Value value;
} Argument;

/* Where a graft or a <beside> stands, as its constants tell. */
typedef struct SitePlace {
    const char *site, *role;
    bool is_graft;
    Argument bound[MOST_BINDINGS]; /* what the {name}s of its pattern stand for */
    uint32_t bound_count;
} SitePlace;

/* A loop variable. */
typedef struct LoopVariable {
    const struct LoopVariable *outer;
    const char *name;
    double value;
} LoopVariable;

typedef struct Frame Frame;
struct Frame {
    Arena *arena; /* its own */
    Globals *globals;
    const Frame *caller; /* NULL: a backbone, loss, optimizer, graft or <beside> */
    const Frame *beside; /* the backbone whose values it sees, too, or NULL */
    const Definition *definition;
    Loc use; /* where the caller uses the block */
    Argument *arguments;
    uint32_t argument_count;
    const LoopVariable *loops;
    Bindings own, *sets;    /* of the definition; of the attach or optimizer */
    MethodScope *method;    /* whose part is being done, or NULL */
    const SitePlace *place; /* of the graft or <beside>, or NULL */
    const char *scope;      /* prefix of parameter and site names, "" or ending in '.' */
    Names values; /* Node by name; absent_value for an optional input left out */
};

/* Who looks at every frame when its work is done; and, unless they are NULL, at a frame
 * before an element of its body is done, and at what that made: the nodes of the graph
 * from `first` on. */
typedef struct FrameWatch {
    void (*done)(void *self, const Frame *frame);
    void (*begun)(void *self, const Frame *frame, const Graph *graph);
    void (*made)(void *self, const Frame *frame, const Element *element,
                 const Graph *graph, uint32_t first);
    void *self;
} FrameWatch;

extern const Node absent_value;

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

/* `sets` may be NULL. */
Frame *frame_new(Globals *globals, const Frame *caller, const Definition *definition,
                 Bindings *sets, Loc use);
void frame_free(Frame *frame);
Bindings bindings_new(const ConstList *list, Arena *arena);

NameLookup frame_names(Frame *frame);
/* For names of parameters: in grafts {task} becomes TASK_MARK, to be replaced by the name
 * of the task or of the one it shares with. */
NameLookup frame_path_names(Frame *frame);
#define TASK_MARK '\1'

/* Whether a value given to a constant of the definition is within what the constant's
 * declaration says; an error if not. */
NODISCARD bool frame_accepts(const Frame *frame, const char *name, Value value, Loc loc);
/* What a constant that is visible means, and which declaration or setting says so. False
 * if there is none, or after an error. */
NODISCARD bool frame_constant(Frame *frame, const char *name, Value *out,
                              const Const **out_source);
/* The value of a constant of the definition, if the frame's work asked for it. */
bool frame_asked(const Frame *frame, const char *name, Value *out);
/* Whether a constant of that name is visible. */
bool frame_has_constant(Frame *frame, const char *name);
/* Whether the element counts: its `when`, and the branches that it stands in. */
NODISCARD bool frame_wants(Frame *frame, const Element *element, bool *out);
/* The value of that name, for an operand; NULL if there is none. */
const Node *frame_value(const Frame *frame, const char *name);
void frame_bind(Frame *frame, const char *name, const Node *node);
/* The names of all values in scope, in memory of the frame. */
Names frame_value_names(const Frame *frame);
/* Adds where a part of a method is used to the error before; `use` may be NULL. */
void method_note(const MethodUse *use, Diags *diags);
/* Adds where the body is used to the error before. */
void frame_note(const Frame *frame);

#endif
