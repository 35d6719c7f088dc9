/* Where a body is being lowered: values and constants in scope. */
#ifndef VLG_FRONTEND_FRAME_H
#define VLG_FRONTEND_FRAME_H

#include "frontend/globals.h"
#include "ir/graph.h"

typedef struct Argument {
    const char *name;
    Value value;
} Argument;

/* Where a graft or a <beside> stands, as its constants tell. */
typedef struct SitePlace {
    const char *site, *role, *module;
    const char *module_name; /* below the scope of the site */
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

/* `sets` may be NULL. */
Frame *frame_new(Globals *globals, const Frame *caller, const Definition *definition,
                 Bindings *sets, Loc use);
void frame_free(Frame *frame);

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
/* Adds where the body is used to the error before. */
void frame_note(const Frame *frame);

#endif
