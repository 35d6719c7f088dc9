/* Graphs of ops over named ragged axes, and the module that holds them with what they
 * share.
 *
 * A Module is one compiled model: parameters, optimizer state, tasks, settings, and
 * graphs. Per task T there are up to five graphs, and before `attach` the grafts:
 *
 *     @T.train      loss; after autodiff also a gradient per parameter   (kind train)
 *     @T.evaluate   predictions and other results, no dropout            (kind evaluate)
 *     @T.encode     what generation computes once per sequence           (kind encode)
 *     @T.decode     what it computes for every token                     (kind decode)
 *     @T.update     new values of parameters and optimizer state         (kind update)
 *     @T.train.graft.N, @T.evaluate.graft.N   what goes in at one site   (kind graft)
 *
 * and, apart from these, for no session runs them, what parameters are elsewhere:
 *
 *     @T.exchange.F  the tensors of another library's format F           (kind exchange)
 *     @T.fold        weights with what methods trained folded into them  (kind exchange)
 *
 * A Graph is a list of nodes in execution order (operands stand before their users), with
 * its axes and outputs. Nodes are immutable once built, and live in the graph's arena.
 * Everything is single-threaded. */
#ifndef VLG_IR_GRAPH_H
#define VLG_IR_GRAPH_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"
#include "ir/base/intern.h"
#include "ir/op.h"
#include "ir/type.h"

/* -- axes --------------------------------------------------------------------------
 * In each micro-batch an axis holds, for every sequence, some rows, laid end to end.
 *   batch            one row per sequence (always axis 0)
 *   primary          lengths come with the data
 *   fixed   count    the same number of rows for every sequence (prompts, pixels)
 *   join    a b      per sequence the rows of a, then those of b
 *   pool    of, images, side    `images` square grids per sequence, each pooled to side x
 *                    side rows; a sequence of `of` must hold images * s * s rows */
typedef enum AxisKind {
    AXIS_KIND_batch,
    AXIS_KIND_primary,
    AXIS_KIND_fixed,
    AXIS_KIND_join,
    AXIS_KIND_pool,
    AXIS_KIND_COUNT
} AxisKind;

extern const char *const axis_kind_names[AXIS_KIND_COUNT];

typedef struct Axis {
    const char *name; /* interned */
    AxisKind kind;
    int32_t of[2];        /* join: both parts; pool: of[0] */
    int64_t count;        /* fixed: rows per sequence */
    int64_t images, side; /* pool */
    int64_t longest;      /* most rows one sequence may have; declared for primary axes */
    int64_t capacity; /* most rows one micro-batch may have: what memory is planned for */
} Axis;

/* -- nodes ------------------------------------------------------------------------- */
typedef enum Stage { STAGE_forward, STAGE_backward } Stage;

typedef struct Node Node;
struct Node {
    OpKind op;
    uint32_t id; /* dense in its graph: its index in Graph.nodes */
    Type type;
    Loc loc; /* where in the model this value was asked for; kept through every pass */
    const char *name; /* interned, and of no other node; NULL: none (graph_name) */
    Stage stage;
    OpAttr attr;
    uint32_t arg_count;
    /* Facts written by passes, part of the text form. */
    int32_t group;  /* or NO_GROUP (before `fuse`, and for sources and views) */
    int64_t offset; /* bytes from the start of the slab, or NO_OFFSET */
    const Node *args[];
};

#define NO_GROUP (-1)
#define NO_OFFSET ((int64_t)-1)

/* -- outputs ----------------------------------------------------------------------- */
typedef enum OutputRole {
    OUTPUT_result,   /* a named value for the caller, rows in batch order */
    OUTPUT_loss,     /* f32[1], summed over micro-batches; what autodiff starts from */
    OUTPUT_gradient, /* of parameter `name`, summed over micro-batches */
    OUTPUT_assign,   /* the new value of parameter or state `name` */
    OUTPUT_graft,    /* what a graft graph puts at its site */
    OUTPUT_ROLE_COUNT
} OutputRole;

extern const char *const output_role_names[OUTPUT_ROLE_COUNT];

typedef struct Output {
    OutputRole role;
    const char *name; /* interned; "" for loss and graft */
    const Node *value;
    Loc loc;
} Output;

typedef enum GraphKind {
    GRAPH_train,
    GRAPH_evaluate,
    GRAPH_update,
    GRAPH_graft,
    GRAPH_encode,
    GRAPH_decode,
    GRAPH_exchange,
    GRAPH_KIND_COUNT
} GraphKind;

extern const char *const graph_kind_names[GRAPH_KIND_COUNT];

typedef struct Graph {
    Arena *arena;
    Interns *interns; /* the module's */
    Diags *diags;     /* where shape errors of builders go */
    const char *name; /* without '@' */
    GraphKind kind;
    const char *task; /* interned */
    const char *host; /* graft: name of the graph it goes into, else NULL */
    const char *site; /* graft: name attribute of its site node, else NULL */
    Axis *axes;
    uint32_t axis_count;
    Node **nodes;
    uint32_t node_count;
    Output *outputs;
    uint32_t output_count;
    bool fused;         /* every step node has a group */
    bool planned;       /* offsets are set, slab_bytes holds */
    int64_t slab_bytes; /* memory of one lane */
    int64_t slab_bound; /* most bytes live at once: no plan can be smaller */
    /* Where the text stands that the graph was read from; loc.file is NULL, and there are
     * no places, if it was built. */
    Loc loc;
    const Loc *places; /* by node id */
    uint32_t place_count;
    struct GraphPrivate *private_; /* node table and growth, graph.c only */
} Graph;

/* A new graph with axis `batch`. `diags` may be NULL where types are known to be
 * right. */
Graph *graph_new(Interns *interns, Diags *diags, GraphKind kind, const char *name,
                 const char *task);
/* A graph of the same name, kind, task, host, site, axes and facts, without nodes or
 * outputs. */
Graph *graph_like(const Graph *graph);
void graph_free(Graph *graph);

/* Adds an axis, or returns the index of the one of that name if it is the same in every
 * respect; AXIS_STATIC (and an error) if it differs. `axis.longest` and capacity of
 * derived axes follow from their parts (axes_derive_limits in ir/axis.h). */
int32_t graph_axis(Graph *graph, Axis axis, Loc loc);
int32_t graph_find_axis(const Graph *graph, const char *name); /* or AXIS_STATIC */

/* What the next nodes are built with. */
typedef struct BuildSite {
    Loc loc;
    Stage stage;
} BuildSite;

/* What a node is made of. What is left out is zero. */
typedef struct NodeSpec {
    OpKind op;
    const OpAttr *attr; /* NULL: all zero */
    const Node *const *args;
    uint32_t arg_count;
    const Type
        *given; /* the type of an op whose shape rule is `given`; others ignore it */
} NodeSpec;

/* Builds a node, inferring its type by the op's shape rule; returns an equal existing
 * node if there is one (sources of equal name included). NULL and an error if the
 * operands do not fit. */
const Node *graph_node(Graph *graph, BuildSite site, NodeSpec spec);
/* Short forms; attr all zero. */
const Node *graph_unary(Graph *graph, BuildSite site, OpKind op, const Node *x);
const Node *graph_binary(Graph *graph, BuildSite site, OpKind op, const Node *a,
                         const Node *b);
const Node *graph_source(Graph *graph, BuildSite site, OpKind op, const char *name,
                         Type type);
const Node *graph_constant(Graph *graph, BuildSite site, double value);
const Node *graph_expand(Graph *graph, BuildSite site, const Node *x, Type to);

/* As graph_node, but never shares: appends. For the parser and for rewrites that reorder.
 * group and offset of the result may be set by the caller. */
Node *graph_append(Graph *graph, BuildSite site, NodeSpec spec);
/* Names a value of the graph, unless it has a name or is a source, which stands for what
 * it names itself. `name` is interned, or NULL: then nothing happens. Another value that
 * has it keeps it, and this one gets a number: `h.2`. */
void graph_name(Graph *graph, const Node *node, const char *name);
/* Gives `node` the name of a node of another graph. Nothing is compared if names are of
 * one other graph only, and no other function names nodes of this one. */
void graph_keep_name(Graph *graph, const Node *node, const Node *of);
/* Names `node` as `<name of of>:<what>`, if `of` has a name. */
void graph_name_after(Graph *graph, const Node *node, const Node *of, const char *what);
/* What a value is called: its name, or what it names as a source; NULL if it has none. */
const char *node_name(const Node *node);
/* A node's own, over other operands, as many. */
NodeSpec node_spec(const Node *node, const Node *const *args);

/* The name of the parameter that a value is, also in another shape or order, or after
 * other ops of one operand; NULL if it is none. */
const char *node_param_name(const Node *node);

void graph_output(Graph *graph, OutputRole role, const char *name, const Node *value,
                  Loc loc);
const Output *graph_find_output(const Graph *graph, OutputRole role, const char *name);

/* How often each node is used as an operand or output; arena array by id. */
uint32_t *graph_use_counts(const Graph *graph, Arena *arena);

/* ir/shape.c: the type of a node, or false and an error. Called by the builders and the
 * verifier. */
NODISCARD bool shape_infer(const Graph *graph, Loc loc, NodeSpec spec, Type *out_type);
bool op_attr_equal(OpKind op, const OpAttr *a, const OpAttr *b);

/* -- the module -------------------------------------------------------------------- */
typedef enum InitKind {
    INIT_zeros,
    INIT_ones,
    INIT_constant,
    INIT_normal,
    INIT_uniform,
    INIT_KIND_COUNT
} InitKind;

extern const char *const init_kind_names[INIT_KIND_COUNT];

/* normal(mean a, standard deviation b); uniform(from a, to b); constant(a) */
typedef struct Init {
    InitKind kind;
    double a, b;
} Init;

typedef struct Param {
    const char *name; /* canonical, interned: equals the reference checkpoint's name */
    Type type;        /* static */
    Init init;
    bool buffer; /* part of the model's files, but never trained and not counted */
    bool trained;
    const char *reason; /* the <train> pattern that takes it, or why none does */
    Loc reason_loc;
    const char *group;    /* sharing group, or "" */
    const char **aliases; /* other names, which checkpoints read and write */
    uint32_t alias_count;
    size_t alias_capacity;
    double weight_decay;
    Loc loc;
} Param;

/* A variable of the optimizer: one per trained parameter and kind. */
typedef struct StateVar {
    const char *name;  /* "<parameter>:<variable>" */
    const char *param; /* canonical name */
    Type type;
    double init;
} StateVar;

/* A free-form fact about a task for code that feeds it, reads its answers or loads its
 * weights; the compiler ignores it. */
typedef struct DataSetting {
    const char *key, *value;
    Loc loc; /* of what is said in attributes of the task; else without a file */
} DataSetting;

typedef struct Task {
    const char *name;
    int64_t sequences; /* per optimiser step */
    DataSetting *data;
    uint32_t data_count;
    Loc loc;
} Task;

/* Typed settings of a run; the list is ir/settings.def. */
typedef struct Settings {
#define SETTING(kind, name, ...) attr_##kind name;
#include "ir/settings.def"
} Settings;

/* A wish for a precision of products. Nodes name it in their attribute `rule` by its
 * number, counted from 1; pass `precision` grants it. */
typedef struct PrecisionRule {
    const char *pattern; /* of their names, interned; "": all that nothing else decides */
    Precision precision;
    Loc loc;
} PrecisionRule;

typedef struct Module {
    Arena *arena;
    Interns *interns;
    const char *name;
    const char *file; /* the text it was read from, or NULL */
    Settings settings;
    PrecisionRule *rules;
    uint32_t rule_count;
    Param *params;
    uint32_t param_count;
    StateVar *states;
    uint32_t state_count;
    Task *tasks;
    uint32_t task_count;
    Graph **graphs;
    uint32_t graph_count;
    Graph **exchanges; /* those of kind exchange, and no others */
    uint32_t exchange_count;
    struct ModulePrivate *private_;
} Module;

Module *module_new(const char *name);
void module_free(Module *module); /* and its graphs */
void module_add_rule(Module *module, PrecisionRule rule);
Param *module_add_param(Module *module, Param param);
StateVar *module_add_state(Module *module, StateVar state);
Task *module_add_task(Module *module, Task task);
/* Takes it; among `exchanges` if it is of that kind. */
void module_add_graph(Module *module, Graph *graph);
/* Frees those that are gone. */
void module_set_graphs(Module *module, Graph **graphs, uint32_t count);
/* Elements of all parameters, and of those that are trained; buffers do not count. */
typedef struct ParamTotals {
    int64_t all, trained;
} ParamTotals;
ParamTotals module_param_totals(const Module *module);
/* Whether the initial values of a buffer are its values for good: they are random. */
bool param_is_drawn(const Param *param);
/* Whether checkpoints and exports hold it: what is trained, and buffers that are drawn,
 * over whose numbers it was trained. */
bool param_is_kept(const Param *param);
/* By canonical name; hashed. */
Param *module_find_param(const Module *module, const char *name);
StateVar *module_find_state(const Module *module, const char *name);
Task *module_find_task(const Module *module, const char *name);
/* The same for a name that a user gave: NULL and an error at `loc`, with the nearest that
 * there is, or all. */
Task *module_named_task(const Module *module, const char *name, Loc loc, Diags *diags);
/* A fact of a task, or NULL. */
const char *task_fact(const Task *task, const char *key);
Graph *module_find_graph(const Module *module, const char *name);
/* The graph of that kind of a task; NULL if it has none. */
Graph *module_task_graph(const Module *module, GraphKind kind, const char *task);

#endif
