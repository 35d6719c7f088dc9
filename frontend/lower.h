/* Lowering: bodies to graphs. One Lower carries the work on a whole module, one Draft
 * that on a graph. */
#ifndef VLG_FRONTEND_LOWER_H
#define VLG_FRONTEND_LOWER_H

#include "frontend/exchange_members.h"
#include "frontend/frame.h"

/* No input makes the compiler run for long. */
enum { MOST_WORK = 4000000, MOST_NODES = 1000000 };

/* A site of the host graph, in order. */
typedef struct Site {
    const char *path;                 /* interned */
    const char *module, *module_name; /* a path; below the scope */
    const char **roles;
    uint32_t role_count;
    bool is_place; /* nothing is attached there: no site of the graph */
    const Node *node;
    Loc loc;
} Site;

/* The graft being lowered. */
typedef struct Graft {
    Attach *attach;
    const Site *site;
    SitePlace place;
    const char *prefix; /* of its parameters' names, with the task marked */
} Graft;

/* What a value is called, with the task marked; no path: not yet anything. */
typedef struct ValueName {
    const char *path;
    size_t scope_length; /* of the scope it begins with */
} ValueName;

/* A graph being built. */
typedef struct Draft {
    Graph *graph;
    Globals *globals;
    uint32_t task;
    int64_t next_salt;
    bool sites_allowed, params_allowed;
    uint32_t depth;                    /* of blocks in blocks */
    uint32_t nodes_counted;            /* of the graph, against Lower.nodes_left */
    uint32_t levels;                   /* of formulas, in all blocks that are open */
    Names inputs, results, site_nodes; /* Node by name */
    Site *sites;
    size_t site_count, site_capacity;
    ValueName *names; /* by node id */
    size_t name_count, name_capacity;
    bool generates;               /* something says what to keep or to cache */
    int32_t step_axis, past_axis; /* of caches; AXIS_STATIC until there is one */
    const Graft *graft;           /* or NULL */
    Frame **besides; /* by method of the recipe; NULL until something stands beside */
    bool is_beside;  /* one is being done */
    Names *made;     /* by a part of a method: its parameters; or NULL */
    /* Update graphs: what is being updated. */
    const Param *param;
    Names assigned;
    struct Exchange *exchange; /* of an exchange graph (lower_exchange.c), or NULL */
} Draft;

/* The work on a module. */
typedef struct Lower {
    ModelSpec *spec;
    Module *module;
    Arena *arena;
    Diags *diags;
    int64_t work_left, nodes_left; /* budgets */
    Names *task_params;            /* per task: parameters of its train graph, in order */
    Names host_params;             /* declared by backbones themselves */
    Names init_elements;           /* per parameter: the <param> that says its init */
    Names site_names, roles;       /* of all graphs so far */
    Names product_scopes;          /* likewise, if there are rules */
    uint32_t *rule_of; /* per <precision>: the number of its first rule; 0: not wanted */
    Draft *draft;      /* the graph at hand, or NULL */
    /* lower_body, for what bodies use that has a body itself */
    bool (*body)(struct Lower *, Frame *, const Element *holder);
} Lower;

/* The files, from the ground up. */

/* -- lower_draft.c: graphs, begun and done ---------------------------------------- */

/* A new graph @TASK.`name`, with neither sites nor parameters allowed. */
Draft draft_new(const Lower *lower, uint32_t task, Globals *globals, GraphKind kind,
                const char *name);
/* The graph of the draft at hand is the module's from here on, sound or not. */
void draft_finish(Lower *lower);

/* -- lower_values.c: what attributes name ----------------------------------------- */

/* Takes from the budget: an element done, a name compared. False and an error if it is
 * spent. */
NODISCARD bool lower_spend(Lower *lower, int64_t work, Loc loc);

/* The operand or value that an attribute names: a value in scope, or a number as a
 * constant. &absent_value for an optional input that was left out. NULL after an
 * error. */
const Node *lower_operand(Lower *lower, Frame *frame, Attribute *attribute);
/* A value in scope, as that. */
const Node *lower_named(Lower *lower, Frame *frame, const char *name, Loc loc);
/* False and an error if a number, computed in double, is too large for f32, or would be 0
 * there and is not. */
NODISCARD bool lower_f32(const Lower *lower, double number, Loc loc);
/* The constant f32[1]. NULL after an error. */
const Node *lower_number(Lower *lower, double number, Loc loc);
/* The value that an attribute names, which is there. */
const Node *lower_value(Lower *lower, Frame *frame, Attribute *attribute);
/* Adds a named result. False and an error if there is one of that name. */
NODISCARD bool lower_output(Lower *lower, const char *name, const Node *value, Loc loc);

/* `text` after the frame's scope, or alone if it begins with '/'; interned. NULL after an
 * error. */
const char *lower_path(Lower *lower, const Frame *frame, const char *text, Loc loc);
/* As that, ending in '.' unless it is empty: a scope. */
const char *lower_scope(Lower *lower, const Frame *frame, const char *text, Loc loc);

/* "text $width": an axis (if `axes`), then numbers. */
NODISCARD bool lower_shape(Lower *lower, Frame *frame, const Attribute *attribute,
                           bool axes, Type *out);
/* The axis, or the axis of the value, that an attribute names. */
NODISCARD bool lower_axis_of(Lower *lower, Frame *frame, Attribute *attribute,
                             int32_t *out);

/* -- lower_names.c: what values are called ---------------------------------------- */

/* Binds the value that an element makes, and names it. False and an error if its name is
 * too long. */
NODISCARD bool lower_bind(Lower *lower, Frame *frame, const char *name, const Node *node);
/* As that for an output of a block or the value of a formula, which made the nodes of the
 * graph from the number `first` on. */
NODISCARD bool lower_bind_output(Lower *lower, Frame *caller, uint32_t first,
                                 const char *name, const Node *node);
/* Names what a formula made on the way to its value `name`: `name.tanh` and the like. */
NODISCARD bool lower_name_parts(Lower *lower, Frame *frame, uint32_t first,
                                const char *name);
/* Gives the nodes of the draft the names that they have so far. */
void lower_name_values(Lower *lower);

/* -- elements of bodies ----------------------------------------------------------- */

/* A use of an op or a block: an element, or what a call in a formula says as one. */
typedef struct Use {
    const Element *element;
    /* Of a call: values of the attributes that are operands. NULL: their texts name
     * them. */
    const Node *const *operands;
} Use;

/* The value of an attribute that is an operand, as lower_operand says. */
const Node *lower_use_operand(Lower *lower, Frame *frame, const Use *use,
                              Attribute *attribute);

/* lower_op.c; NULL after an error. Where an op lets an absent operand pass, the other. */
const Node *lower_op(Lower *lower, Frame *frame, const Use *use);
/* An op of two operands, without attributes; &absent_value if both are. */
const Node *lower_binary(Lower *lower, Frame *frame, OpKind op, Loc loc,
                         const Node *const *args);

/* lower_block.c: the outputs of a block, in order. */
NODISCARD bool lower_block(Lower *lower, Frame *caller, const Use *use,
                           const Node **outputs);

/* lower_formula.c: what the formula of a <let> makes; NULL after an error. */
const Node *lower_formula(Lower *lower, Frame *frame, const Attribute *attribute);

/* lower_place.c: patterns, and the sites that they choose. Reads all patterns of the
 * recipe; before all graphs. */
NODISCARD bool lower_patterns(Lower *lower);
/* Sets *matches if a site is among those of a target, and then *out, and marks the
 * patterns that say so. False after an error. */
NODISCARD bool lower_place(Lower *lower, SiteChoice *target, const Site *site,
                           bool *matches, SitePlace *out);

/* lower_precision.c: precisions of products. */
NODISCARD bool lower_rules(Lower *lower); /* before all graphs */
/* The precision that an attribute names. */
NODISCARD bool precision_attribute(Lower *lower, const Attribute *attribute,
                                   NameLookup names, Precision *out);
/* What asks for the precision of an op over these operands, if it is a product. False
 * and an error if patterns and names are too many. */
NODISCARD bool lower_rule(Lower *lower, const Frame *frame, const Element *element,
                          const Node *const *args, OpAttr *attr);

/* lower_params.c */
/* The name with every mark replaced by the task's name; interned. */
const char *lower_name_for_task(Lower *lower, const char *marked, const char *task);
NODISCARD bool lower_param(Lower *lower, Frame *frame, const Element *element);
/* After all graphs are lowered: whether names, aliases included, are unique. */
NODISCARD bool lower_check_names(Lower *lower);

/* lower_sources.c: axes, inputs, sites. */
NODISCARD bool lower_axis(Lower *lower, Frame *frame, const Element *element);
NODISCARD bool lower_input(Lower *lower, Frame *frame, const Element *element);
NODISCARD bool lower_site(Lower *lower, Frame *frame, const Element *element, Site *out);

/* lower_beside.c: what methods do right after a site of a backbone. */
typedef struct BesideBody {
    Beside *beside;
    Frame *frame; /* where its body is to be done; NULL: not here */
    SitePlace place;
} BesideBody;

/* `value` is that of the site, of which earlier bodies may have made another. `out` must
 * stay where it is until the body is done. */
NODISCARD bool lower_beside_begin(Lower *lower, Frame *host, Beside *beside,
                                  const Site *site, const Node *value, BesideBody *out);
/* After the body, if it was to be done: what it has made of the value. */
const Node *lower_beside_end(Lower *lower, const BesideBody *body);
void draft_free_besides(Lower *lower); /* of the graph at hand */

/* lower_generate.c: what generation keeps from step to step. */
NODISCARD bool lower_cache(Lower *lower, Frame *frame, const Element *element);

/* A <keep>: the value that its body binds, or, in a decode graph, an input. */
typedef struct Keep {
    const char *name, *path; /* of the value; of the input or result */
    Type type;
    bool is_input;
} Keep;

NODISCARD bool lower_keep_begin(Lower *lower, Frame *frame, const Element *element,
                                Keep *out);
/* After the body, unless it is an input. */
NODISCARD bool lower_keep_end(Lower *lower, Frame *frame, const Element *element,
                              const Keep *keep);

/* A kept axis is primary in the decode graph, and is so called until the graph is pruned:
 * the axis it stands for may still be there. */
#define KEPT_MARK '\1'

/* lower.c: the work on a module of nothing yet but its name; and all its graphs. */
Lower lower_begin(ModelSpec *spec, Module *module, Arena *arena, Diags *diags);
NODISCARD bool lower_module(Lower *lower);

/* -- bodies and graphs ------------------------------------------------------------ */

/* lower_body.c: the elements inside of `holder`, in order. */
NODISCARD bool lower_body(Lower *lower, Frame *frame, const Element *holder);

/* lower_prune.c: cuts the graph of an encode or decode kind down to what its results
 * need, sites included. */
NODISCARD bool lower_prune(Lower *lower);

/* lower_tasks.c: @T.train, @T.evaluate, @T.encode, @T.decode and their grafts. */
NODISCARD bool lower_task(Lower *lower, uint32_t task);

/* lower_grafts.c: what is attached. In the draft at hand, of a graph with the axes of the
 * host: */
void lower_graft_axes(const Lower *lower, const Draft *host, Loc loc);
/* What the graft's block makes of the value of its site; NULL after an error. Fills in
 * its prefix. */
const Node *lower_graft_body(Lower *lower, Graft *graft);
/* Of each graft in the host, which is the draft at hand, in the order in which they
 * apply; false ends it. */
typedef bool GraftWork(Lower *lower, Draft *host, Graft *graft, void *state);
NODISCARD bool lower_each_graft(Lower *lower, Draft *host, GraftWork *work, void *state);
NODISCARD bool lower_grafts(Lower *lower, Draft *host); /* their graphs */

/* lower_exchange.c: @T.exchange.F and @T.fold, over the sites of a host whose grafts are
 * done and which is the draft at hand; and the elements that make them. */
NODISCARD bool lower_exchanges(Lower *lower, Draft *host);
/* Whether the body of an <exchange> or <fold> is done in the graph at hand. */
NODISCARD bool exchange_wants(Lower *lower, Frame *frame, const Element *element,
                              bool *out);
NODISCARD bool lower_member(Lower *lower, Frame *frame, const Element *element);
NODISCARD bool lower_tensor(Lower *lower, Frame *frame, const Element *element);
NODISCARD bool lower_fold_assign(Lower *lower, Frame *frame, const Element *element);
/* What a parameter that is declared there is by now; NULL and an error if nothing has
 * declared it before. */
const Node *exchange_param(Lower *lower, const char *name, const Node *node, Loc loc);

/* lower_texts.c: facts of what the task says about its records; `task` has room for
 * them. */
NODISCARD bool lower_texts(Lower *lower, Globals *globals, const Element *element,
                           Task *task);

/* lower_training.c, then: which parameters are trained, and by which line. */
NODISCARD bool lower_training(Lower *lower);

/* lower_update.c: @T.update, and the decay of every parameter. */
NODISCARD bool lower_updates(Lower *lower);
NODISCARD bool lower_settings(Lower *lower);

#endif
