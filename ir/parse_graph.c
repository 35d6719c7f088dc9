/* Text to graph: header, axes, nodes, outputs.
 *
 * Node names may be anything; ids follow from the order. Where a text has no module line,
 * what its graphs name (parameters, states) is entered into the module from how it is
 * used. */
#include "ir/parse_graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/list.h"
#include "ir/base/map.h"
#include "ir/text.h"

enum { MOST_ARGS = 8, DEFAULT_LONGEST = 16 };

typedef struct GraphParser {
    Parser *parser;
    Lexer *lexer;
    Graph *graph;
    Map names;          /* interned, to places in `named` */
    const Node **named; /* NULL: the line was wrong; uses of it are not reported again */
    uint32_t name_count;
    size_t name_capacity;
    bool limits_missing; /* some axis says neither longest nor capacity */
    Loc *places;         /* by node id */
    size_t place_capacity;
} GraphParser;

static void set_name(GraphParser *g, const char *name, const Node *node)
{
    LIST_ROOM(g->named, g->name_count + 1, g->name_capacity);
    g->named[g->name_count] = node;
    map_add_word(&g->names, (uintptr_t)name, g->name_count++);
}

static uint32_t known_name(const GraphParser *g, const char *name)
{
    return map_find_word(&g->names, (uintptr_t)name);
}

static const char *take_value_name(GraphParser *g)
{
    const Token *token = &g->lexer->token;
    const char *name = intern_span(g->lexer->interns, token->text, token->len);
    lex_next(g->lexer);
    return name;
}

/* A use of a value. *out is NULL if its own line was wrong. */
static bool use_value(GraphParser *g, const Node **out)
{
    Loc loc = lex_loc(g->lexer);
    if (g->lexer->token.kind != TOKEN_value)
        return lex_expected(g->lexer, "a value such as %%0");
    const char *name = take_value_name(g);
    uint32_t known = known_name(g, name);
    if (known == MAP_ABSENT)
        return lex_error(g->lexer, loc, "no value '%%%s' above this line", name);
    *out = g->named[known];
    return true;
}

/* -- attributes -------------------------------------------------------------------- */

static void set_preset(const AttrField *field, OpAttr *attr)
{
    void *at = (char *)attr + field->offset;
    switch (field->kind) {
    case ATTR_flag:
        *(attr_flag *)at = atoi(field->preset);
        break;
    case ATTR_int:
        *(attr_int *)at = strtoll(field->preset, NULL, 10);
        break;
    case ATTR_real:
        *(attr_real *)at = strtod(field->preset, NULL);
        break;
    case ATTR_name:
        *(attr_name *)at = field->preset;
        break;
    case ATTR_axis: /* the one axis that can be a preset */
        *(attr_axis *)at = AXIS_BATCH;
        break;
    case ATTR_type:
        break;
    }
}

static bool parse_attr_value(GraphParser *g, const AttrField *field, OpAttr *attr)
{
    void *at = (char *)attr + field->offset;
    int64_t flag;
    switch (field->kind) {
    case ATTR_flag:
        if (!lex_int(g->lexer, field->name, 0, 1, &flag))
            return false;
        *(attr_flag *)at = (attr_flag)flag;
        return true;
    case ATTR_int:
        return lex_int(g->lexer, field->name, INT64_MIN, INT64_MAX, at);
    case ATTR_real:
        return lex_real(g->lexer, field->name, at);
    case ATTR_name:
        return lex_string(g->lexer, field->name, at);
    case ATTR_axis:
        return lex_axis(g->lexer, g->graph, at);
    case ATTR_type:
        return lex_type(g->lexer, g->graph, at);
    }
    return false;
}

static const char *const fact_words[] = {"backward", "group", "slab", "at"};
enum { FACT_COUNT = sizeof fact_words / sizeof *fact_words, MOST_FIELDS = 16 };

static bool is_fact(const Lexer *lexer)
{
    for (int i = 0; i < FACT_COUNT; i++)
        if (lex_is_word(lexer, fact_words[i]))
            return true;
    return false;
}

static bool parse_named_attr(GraphParser *g, OpKind op, OpAttr *attr, unsigned *seen)
{
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    Loc loc = lex_loc(g->lexer);
    const char *word, *names[MOST_FIELDS];
    assert(count <= MOST_FIELDS);
    if (!lex_word(g->lexer, "an attribute", &word))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        names[i] = fields[i].name;
        if (strcmp(word, fields[i].name) != 0)
            continue;
        if (*seen >> i & 1)
            return lex_error(g->lexer, loc, "attribute '%s' is given twice", word);
        *seen |= 1u << i;
        return lex_expect_mark(g->lexer, '=') && parse_attr_value(g, &fields[i], attr);
    }
    char kind[64];
    snprintf(kind, sizeof kind, "attribute of %s named", op_info(op)->name);
    return lex_unknown(g->lexer, loc, kind, word, names, count);
}

/* A source has one attribute, which stands bare; others are name=value in any order. */
static bool parse_attrs(GraphParser *g, OpKind op, OpAttr *attr)
{
    uint32_t count;
    const AttrField *fields = op_fields(op, &count);
    if (op_info(op)->lowering == LOWER_source)
        return parse_attr_value(g, &fields[0], attr);
    unsigned seen = 0;
    while (g->lexer->token.kind == TOKEN_word && !is_fact(g->lexer))
        if (!parse_named_attr(g, op, attr, &seen))
            return false;
    for (uint32_t i = 0; i < count; i++) {
        if (seen >> i & 1)
            continue;
        if (strcmp(fields[i].preset, "REQUIRED") == 0)
            return lex_expected(g->lexer, "%s=... (%s needs it)", fields[i].name,
                                op_info(op)->name);
        set_preset(&fields[i], attr);
    }
    return true;
}

/* -- nodes ------------------------------------------------------------------------- */

/* The type of a source that says none, from its declaration. */
static const Type *declared_type(const Module *module, OpKind op, const char *name)
{
    const Param *param = NULL;
    const StateVar *state = NULL;
    if (op_info(op)->traits & TRAIT_OF_PARAM)
        param = module_find_param(module, name);
    if (op == OP_state)
        state = module_find_state(module, name);
    return param ? &param->type : state ? &state->type : NULL;
}

static void enter_state(Module *module, const char *name, Type type)
{
    const char *colon = strrchr(name, ':');
    const char *param =
        colon ? intern_span(module->interns, name, (size_t)(colon - name)) : name;
    module_add_state(module, (StateVar){.name = name, .param = param, .type = type});
}

/* What a text without declarations uses. */
static void enter_source(Module *module, OpKind op, const char *name, Type type)
{
    if (type_is_ragged(type))
        return;
    if (op_info(op)->traits & TRAIT_OF_PARAM && !module_find_param(module, name))
        module_add_param(module, (Param){.name = name,
                                         .type = type,
                                         .trained = op != OP_weight,
                                         .reason = "",
                                         .group = ""});
    if (op == OP_state && !module_find_state(module, name))
        enter_state(module, name, type);
}

typedef struct NodeText {
    OpKind op;
    OpAttr attr;
    const Node *args[MOST_ARGS];
    uint32_t arg_count;
    bool poisoned; /* an operand's own line was wrong */
    bool typed;
    Type type;
    Stage stage;
    int64_t group, offset;
    Loc loc;
} NodeText;

static bool parse_op(GraphParser *g, OpKind *out)
{
    Loc loc = lex_loc(g->lexer);
    const char *word, *names[OP_COUNT];
    if (!lex_word(g->lexer, "an op", &word))
        return false;
    *out = op_find(word);
    if (*out != OP_COUNT)
        return true;
    for (OpKind op = 0; op < OP_COUNT; op++)
        names[op] = op_info(op)->name;
    return lex_unknown(g->lexer, loc, "op", word, names, OP_COUNT);
}

static bool parse_args(GraphParser *g, NodeText *node)
{
    uint32_t most = op_info(node->op)->max_args;
    while (g->lexer->token.kind == TOKEN_value) {
        if (node->arg_count == most || node->arg_count == MOST_ARGS)
            return lex_expected(g->lexer, "at most %u operands of %s", most,
                                op_info(node->op)->name);
        if (!use_value(g, &node->args[node->arg_count]))
            return false;
        node->poisoned |= node->args[node->arg_count++] == NULL;
    }
    return true;
}

static bool parse_facts(GraphParser *g, NodeText *node)
{
    Lexer *lexer = g->lexer;
    if (lex_accept_word(lexer, "backward"))
        node->stage = STAGE_backward;
    if (lex_accept_word(lexer, "group") &&
        !lex_int(lexer, "a group", 0, INT32_MAX, &node->group))
        return false;
    if (lex_accept_word(lexer, "slab") &&
        !lex_int(lexer, "an offset", 0, INT64_MAX, &node->offset))
        return false;
    return lex_optional_loc(lexer, &node->loc);
}

/* From the op to the end of the line. */
static bool parse_node_text(GraphParser *g, NodeText *node)
{
    if (!parse_op(g, &node->op) || !parse_args(g, node) ||
        !parse_attrs(g, node->op, &node->attr))
        return false;
    node->typed = lex_accept_mark(g->lexer, ':');
    if (node->typed && !lex_type(g->lexer, g->graph, &node->type))
        return false;
    return parse_facts(g, node) && lex_expect_newline(g->lexer);
}

static void note_place(GraphParser *g, uint32_t id, Loc here)
{
    LIST_ROOM(g->places, (size_t)id + 1, g->place_capacity);
    g->places[id] = here;
}

/* Shape errors point at the text; the node remembers where in the model it came from. */
static const Node *build_node(GraphParser *g, NodeText *text, Loc here)
{
    Module *module = g->parser->module;
    bool is_source = op_info(text->op)->lowering == LOWER_source;
    const Type *given = text->typed ? &text->type : NULL;
    if (is_source && text->op != OP_constant) {
        if (!given)
            given = declared_type(module, text->op, text->attr.named.name);
        if (given && !g->parser->declared)
            enter_source(module, text->op, text->attr.named.name, *given);
    }
    Node *node = graph_append(g->graph, (BuildSite){here, text->stage},
                              (NodeSpec){.op = text->op,
                                         .attr = &text->attr,
                                         .args = text->args,
                                         .arg_count = text->arg_count,
                                         .given = given});
    if (!node) {
        g->lexer->errors++;
        return NULL;
    }
    if (given && !type_equal(*given, node->type)) {
        char said[128], is[128];
        type_print(g->graph, *given, said, sizeof said);
        type_print(g->graph, node->type, is, sizeof is);
        lex_error(g->lexer, here, "the result is said to be %s, but is %s", said, is);
    }
    note_place(g, node->id, here);
    node->loc = text->loc;
    node->group = (int32_t)text->group;
    node->offset = text->offset;
    return node;
}

static void parse_node(GraphParser *g)
{
    Loc here = lex_loc(g->lexer);
    const char *name = take_value_name(g);
    NodeText text = {.group = NO_GROUP, .offset = NO_OFFSET};
    const Node *node = NULL;
    if (known_name(g, name) != MAP_ABSENT) {
        lex_error(g->lexer, here, "value '%%%s' is defined twice", name);
        lex_skip_line(g->lexer);
        return;
    }
    if (!lex_expect_mark(g->lexer, '=') || !parse_node_text(g, &text))
        lex_skip_line(g->lexer);
    else if (!text.poisoned)
        node = build_node(g, &text, here);
    set_name(g, name, node);
}

/* -- axes, outputs ----------------------------------------------------------------- */

static const int64_t MOST_ROWS = INT64_C(1) << 40;

static bool parse_axis_kind(GraphParser *g, Axis *axis)
{
    Lexer *lexer = g->lexer;
    uint32_t kind;
    if (!lex_enum(lexer, "kind of axis", axis_kind_names, AXIS_KIND_COUNT, &kind))
        return false;
    axis->kind = (AxisKind)kind;
    switch (axis->kind) {
    case AXIS_KIND_fixed:
        return lex_int(lexer, "rows per sequence", 1, MOST_ROWS, &axis->count);
    case AXIS_KIND_join:
        return lex_axis(lexer, g->graph, &axis->of[0]) &&
               lex_axis(lexer, g->graph, &axis->of[1]);
    case AXIS_KIND_pool:
        return lex_axis(lexer, g->graph, &axis->of[0]) &&
               lex_expect_word(lexer, "images") &&
               lex_int(lexer, "images", 1, MOST_POOL, &axis->images) &&
               lex_expect_word(lexer, "side") &&
               lex_int(lexer, "side", 1, MOST_POOL, &axis->side);
    default:
        return true;
    }
}

static bool parse_axis_limit(GraphParser *g, const char *word, int64_t *out)
{
    if (lex_accept_word(g->lexer, word))
        return lex_int(g->lexer, word, 1, MOST_ROWS, out);
    g->limits_missing = true;
    return true;
}

static bool parse_axis(GraphParser *g)
{
    Lexer *lexer = g->lexer;
    Loc loc = lex_loc(lexer);
    Axis axis = {0};
    if (!lex_name(lexer, "the axis's name", &axis.name))
        return false;
    if (strcmp(axis.name, g->graph->axes[AXIS_BATCH].name) == 0)
        return parse_axis_limit(g, "capacity", &g->graph->axes[AXIS_BATCH].capacity) &&
               lex_expect_newline(lexer);
    if (graph_find_axis(g->graph, axis.name) != AXIS_STATIC)
        return lex_error(lexer, loc, "axis '%s' is defined twice", axis.name);
    if (g->graph->axis_count == MOST_AXES)
        return lex_error(lexer, loc, "more than %d axes", MOST_AXES);
    if (!parse_axis_kind(g, &axis))
        return false;
    if (axis.kind == AXIS_KIND_batch)
        return lex_error(lexer, loc, "only the axis named batch is of that kind");
    axis.longest = axis.kind == AXIS_KIND_primary ? DEFAULT_LONGEST : 0;
    if (!parse_axis_limit(g, "longest", &axis.longest) ||
        !parse_axis_limit(g, "capacity", &axis.capacity))
        return false;
    graph_axis(g->graph, axis, loc);
    return lex_expect_newline(lexer);
}

static bool parse_output(GraphParser *g)
{
    Lexer *lexer = g->lexer;
    uint32_t role;
    const char *name = "";
    const Node *value = NULL;
    Loc loc;
    if (!lex_enum(lexer, "kind of line in a graph", output_role_names, OUTPUT_ROLE_COUNT,
                  &role))
        return false;
    if (role != OUTPUT_loss && role != OUTPUT_graft &&
        !lex_string(lexer, "a name", &name))
        return false;
    if (!use_value(g, &value) || !lex_optional_loc(lexer, &loc) ||
        !lex_expect_newline(lexer))
        return false;
    if (value)
        graph_output(g->graph, (OutputRole)role, name, value, loc);
    return true;
}

static void parse_graph_line(GraphParser *g)
{
    Lexer *lexer = g->lexer;
    bool ok = true;
    if (lexer->token.kind == TOKEN_newline)
        lex_next(lexer);
    else if (lexer->token.kind == TOKEN_value)
        parse_node(g);
    else if (lex_accept_word(lexer, "axis"))
        ok = parse_axis(g);
    else if (lexer->token.kind == TOKEN_word)
        ok = parse_output(g);
    else
        ok = lex_expected(lexer, "a node, an axis, an output or '}'");
    if (!ok)
        lex_skip_line(lexer);
}

/* -- the header -------------------------------------------------------------------- */

/* The task of a graph that names none: T of @T.train. */
static const char *task_of_name(Interns *interns, const char *name)
{
    return intern_span(interns, name, strcspn(name, "."));
}

static bool parse_plan_facts(Lexer *lexer, Graph *graph)
{
    graph->fused = lex_accept_word(lexer, "fused");
    graph->planned = lex_accept_word(lexer, "planned");
    if (!graph->planned)
        return true;
    return lex_expect_word(lexer, "slab") &&
           lex_int(lexer, "slab bytes", 0, INT64_MAX, &graph->slab_bytes) &&
           lex_expect_word(lexer, "bound") &&
           lex_int(lexer, "bytes of the bound", 0, INT64_MAX, &graph->slab_bound);
}

/* @name kind task "..." host @name site "..." fused planned slab n bound n { */
static bool parse_header(GraphParser *g)
{
    Lexer *lexer = g->lexer;
    Loc loc = lex_loc(lexer);
    const char *name, *task, *host = NULL, *site = NULL;
    uint32_t kind = GRAPH_train;
    if (!lex_expect_mark(lexer, '@') || !lex_name(lexer, "the graph's name", &name))
        return false;
    if (module_find_graph(g->parser->module, name))
        return lex_error(lexer, loc, "graph '@%s' is defined twice", name);
    task = task_of_name(lexer->interns, name);
    for (uint32_t i = 0; i < GRAPH_KIND_COUNT; i++)
        if (lex_accept_word(lexer, graph_kind_names[i])) {
            kind = i;
            break;
        }
    if (lex_accept_word(lexer, "task") && !lex_string(lexer, "a task", &task))
        return false;
    if (lex_accept_word(lexer, "host") &&
        (!lex_expect_mark(lexer, '@') || !lex_name(lexer, "the host's name", &host)))
        return false;
    if (lex_accept_word(lexer, "site") && !lex_string(lexer, "a site", &site))
        return false;
    g->graph = graph_new(lexer->interns, lexer->diags, (GraphKind)kind, name, task);
    g->graph->loc = loc;
    g->graph->host = host;
    g->graph->site = site;
    module_add_graph(g->parser->module, g->graph);
    return parse_plan_facts(lexer, g->graph) && lex_expect_mark(lexer, '{');
}

void parse_graph(Parser *parser)
{
    Lexer *lexer = &parser->lexer;
    GraphParser g = {.parser = parser, .lexer = lexer};
    if (!parse_header(&g)) {
        lex_skip_line(lexer);
        if (!g.graph) /* its body still wants a place to go */
            return;
    }
    while (!lex_is_mark(lexer, '}') && lexer->token.kind != TOKEN_end &&
           lexer->errors < MOST_ERRORS_READ)
        parse_graph_line(&g);
    if (lexer->errors < MOST_ERRORS_READ && !lex_accept_mark(lexer, '}'))
        lex_expected(lexer, "'}'");
    if (g.limits_missing) {
        const Settings *settings = &parser->module->settings;
        axes_derive_limits(g.graph, settings->tokens, settings->sequences);
    }
    g.graph->places =
        arena_copy(g.graph->arena, g.places, g.graph->node_count * sizeof *g.places);
    g.graph->place_count = g.graph->node_count;
    free(g.places);
    free(g.named);
    map_free(&g.names);
}
