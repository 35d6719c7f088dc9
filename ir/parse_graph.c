/* Text to graph: header, axes, outputs; nodes are read in parse_node.c. */
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/parse_node.h"
#include "ir/text.h"

enum { DEFAULT_LONGEST = 16 };

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
    case AXIS_KIND_batch:
    case AXIS_KIND_primary:
    case AXIS_KIND_COUNT:
        break;
    }
    return true;
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
    if (!parse_value(g, &value) || !lex_optional_loc(lexer, &loc) ||
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
        if (!g.graph) /* its body needs a graph to be parsed into */
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
