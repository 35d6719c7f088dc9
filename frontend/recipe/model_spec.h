/* What the files say, with every name resolved: definitions, and the recipe. */
#ifndef VLG_FRONTEND_RECIPE_MODEL_SPEC_H
#define VLG_FRONTEND_RECIPE_MODEL_SPEC_H

#include "frontend/recipe/options.h"
#include "frontend/syntax/expr.h"
#include "frontend/syntax/names.h"
#include "frontend/syntax/pattern.h"
#include "frontend/syntax/source.h"
#include "frontend/syntax/syntax.h"

/* A constant as declared: <const>, <set>, an attribute of <schedule>, --set, ... */
typedef struct Const {
    const char *name; /* interned */
    Attribute *value;
    const Element
        *element; /* that says it; its `when` counts; NULL for --set and settings */
    Loc loc;
} Const;

typedef struct ConstList {
    Const *items;
    uint32_t count;
    size_t capacity;
} ConstList;

typedef struct BlockInput {
    const char *name;
    bool optional;
    const char *flag; /* "has_<name>" */
} BlockInput;

/* <block>, <backbone>, <task> or <optimizer> with a name. */
typedef struct Definition {
    ElementKind kind;
    const char *name;
    Element *element;
    ConstList consts;
    BlockInput *inputs;
    uint32_t input_count;
    const char **outputs;
    uint32_t output_count;
} Definition;

/* The <loss> of a task, or NULL: it is evaluated only. */
const Element *task_loss(const Definition *task);

typedef struct Share {
    const Element *element;
    Patterns params;
    const char **tasks; /* those that the model has, the leading one first */
    uint32_t task_count;
    const char *group;
    bool wanted; /* in the graph being lowered */
    bool active; /* in some graph */
} Share;

/* A <method use=...> of a recipe. */
typedef struct MethodUse {
    const Element *element;
    const Definition *method;
    ConstList given; /* its attributes and <set>s */
    uint32_t index;  /* in ModelSpec.uses */
} MethodUse;

/* The sites that an <attach> is for: all that a pattern of each list matches, of a list
 * that was not given any. */
typedef struct SiteChoice {
    Patterns at, roles;
} SiteChoice;

typedef struct Attach {
    const Element *element;
    const MethodUse *use; /* of the method that it is a part of; NULL: of a recipe */
    const Definition *block;
    SiteChoice target;
    bool *tasks; /* by index in ModelSpec.tasks */
    bool active; /* for some graph */
    ConstList sets;
    Share *shares;
    uint32_t share_count;
    Names made; /* parameters that its grafts declare */
} Attach;

/* A <beside> of a method. */
typedef struct Beside {
    const Element *element;
    const MethodUse *use;
    SiteChoice target;
    Names made; /* as of Attach */
} Beside;

/* A <train>, <freeze> or <for>, of parameters; a <precision>, of products; of a method
 * also what trains the parameters that it makes. */
typedef struct Selection {
    const Element *element;
    const MethodUse *use; /* as of Attach */
    Patterns names;
    const Names *made; /* those parameters, and no patterns; or NULL */
    ConstList sets;    /* of <for> */
} Selection;

typedef struct ChoiceList {
    Selection *items;
    uint32_t count;
    size_t capacity;
} ChoiceList;

typedef struct ModelSpec {
    Arena *arena;
    Interns *interns;
    Diags *diags;
    Exprs *exprs;
    Element *model;   /* the one to compile */
    Element **models; /* the recipes that it extends, from the first, and itself */
    uint32_t model_count;
    Names blocks, backbones, task_definitions, optimizers,
        methods; /* Definition by name */
    /* every name that some file declares, and what --set may also name */
    Names constants;
    Names asked;               /* constants whose values something has needed */
    Names optimizer_constants; /* of all optimizers */
    ConstList command_line, model_consts, library_consts, settings;

    const Definition *backbone;
    ConstList size;
    const Definition **tasks;
    uint32_t task_count;
    MethodUse **uses;
    uint32_t use_count, part_count; /* parts: of all uses */
    size_t use_capacity;
    Attach **attaches;
    uint32_t attach_count;
    size_t attach_capacity;
    Beside **besides;
    uint32_t beside_count;
    size_t beside_capacity;
    ChoiceList training, precisions;
    const Definition *optimizer; /* of no constants if nothing is trained */
    uint32_t optimizer_from;     /* of `models`, the first that uses it */
    ConstList optimizer_sets;
    ChoiceList exceptions;          /* <for> of the optimizer, then of its use */
    const struct FrameWatch *watch; /* or NULL */
} ModelSpec;

/* Reads `path` and what it imports into a spec. NULL after an error. */
ModelSpec *spec_load(const char *path, const FrontendOptions *options, Arena *arena,
                     Interns *interns, Diags *diags);

/* load.c: the files, and the definitions in them. */
NODISCARD bool load_files(ModelSpec *spec, const char *path);
void const_add(ModelSpec *spec, ConstList *list, Const constant);
/* The constants of the <const> and <set> children of an element, after those that a
 * <size> has as attributes. */
void consts_collect(ModelSpec *spec, ConstList *list, const Element *element);

/* skeleton.c: kinds of elements, their places and attributes. */
NODISCARD bool skeleton_check(Element *root, Diags *diags);
/* entries.c: whether no constant or fact is said twice in one place, unless a condition
 * decides, and there are not too many; errors if not. */
NODISCARD bool entries_check(ModelSpec *spec, Element *root);
/* resolve.c: uses of ops and blocks, once all blocks are known. */
NODISCARD bool calls_resolve(ModelSpec *spec, Element *root);
/* A <use> as the use of the block `name` (interned). NULL after an error. */
const Element *use_resolve(ModelSpec *spec, Element *use, const char *name);

/* known.c: reports an unknown name, and returns false; whether all constants in a list
 * are declared somewhere; the index of a task, task_count if the model has none of that
 * name. */
bool unknown_among(const ModelSpec *spec, Loc loc, const char *what, const char *name,
                   const Names *known);
NODISCARD bool constants_known(const ModelSpec *spec, const ConstList *list);
/* Once all graphs are made: warns of constants of the recipe that nothing has needed, if
 * they are near one that could be meant. */
void constants_warn_unused(const ModelSpec *spec);
uint32_t task_index(const ModelSpec *spec, const char *name);

/* chain.c: what a recipe and those that it extends say of what they use: later attributes
 * replace earlier ones of their names; all is said anew by one that uses another. */
typedef struct ChainUse {
    const Element *element; /* its attributes are those of all parts */
    const Element **parts;  /* whose children count, in order */
    uint32_t part_count;
} ChainUse;

bool chain_has(const ModelSpec *spec, ElementKind kind);
/* False and an error if one of them says it twice, or none. */
NODISCARD bool chain_use(ModelSpec *spec, ElementKind kind, ChainUse *out);

/* methods.c: attaches, what is trained and how accurate products are. `patterns` is the
 * attribute that has them, if it is given. */
NODISCARD bool methods_resolve(ModelSpec *spec);
Selection *choice_add(ModelSpec *spec, ChoiceList *list, const Element *element,
                      const char *patterns);

/* recipe.c: what the model's element asks for. */
NODISCARD bool recipe_resolve(ModelSpec *spec, const FrontendOptions *options);

/* Names separated by blanks; interned. */
const char **words_split(ModelSpec *spec, const char *text, uint32_t *out_count);
#endif
