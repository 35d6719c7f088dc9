/* Steps to parts of the model, by the dots in names of parameters. */
#include "ir/scopes.h"

#include <ctype.h>
#include <string.h>

#include "ir/lowering.h"

/* The first `length` bytes of a name; no text: nothing is known yet. */
typedef struct Scope {
    const char *text;
    size_t length;
} Scope;

typedef struct ScopeFinder {
    const Graph *graph;
    const Liveness *live;
    bool *is_shared; /* by node id */
    /* By step: of names; of names that other steps read, too; of what makes what is
     * read. */
    Scope *own, *shared, *makers;
} ScopeFinder;

/* Of a parameter "a.b.weight", and of its variable "a.b.weight:m": "a.b". A name without
 * dots is its own. */
static Scope scope_of_name(const char *name)
{
    size_t length = strcspn(name, ":");
    for (size_t i = length; i > 0; i--)
        if (name[i - 1] == '.')
            return (Scope){name, i - 1};
    return (Scope){name, length};
}

static bool ends_part(Scope scope, size_t length)
{
    return length == scope.length || scope.text[length] == '.';
}

/* The parts that both begin with. */
static Scope scope_common(Scope a, Scope b)
{
    if (!a.text || !b.text)
        return a.text ? a : b;
    size_t common = 0;
    for (size_t i = 0;; i++) {
        if (ends_part(a, i) && ends_part(b, i))
            common = i;
        if (i == a.length || i == b.length || a.text[i] != b.text[i])
            return (Scope){a.text, common};
    }
}

static void add_scope(Scope *into, Scope scope)
{
    *into = scope_common(*into, scope);
}

/* That of a parameter, or of a variable that the optimizer keeps for one. */
static bool has_name(const Node *node)
{
    return op_info(node->op)->traits & (TRAIT_OF_PARAM | TRAIT_STORED);
}

/* Parameters that several steps of the forward pass read, such as a table of biases for
 * all layers. Steps that are run once are no readers: what they make is read. */
static void find_shared(ScopeFinder *finder, Arena *arena)
{
    const Graph *graph = finder->graph;
    int32_t *reader = ARENA_ARRAY(arena, int32_t, graph->node_count + 1); /* 1 + step */
    finder->is_shared = ARENA_ARRAY(arena, bool, graph->node_count + 1);
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        int32_t step = finder->live->step_of[i];
        for (uint32_t j = 0; step >= 0 && j < node->arg_count; j++) {
            const Node *value = unpacked_node(node->args[j]);
            if (!node_is_param(value) || node->stage != STAGE_forward ||
                finder->live->is_once[step])
                continue;
            if (reader[value->id] && reader[value->id] != step + 1)
                finder->is_shared[value->id] = true;
            reader[value->id] = step + 1;
        }
    }
}

static void add_names(ScopeFinder *finder)
{
    const Graph *graph = finder->graph;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        int32_t step = finder->live->step_of[i];
        for (uint32_t j = 0; step >= 0 && j < graph->nodes[i]->arg_count; j++) {
            const Node *value = unpacked_node(graph->nodes[i]->args[j]);
            Scope *scopes = finder->is_shared[value->id] ? finder->shared : finder->own;
            if (has_name(value))
                add_scope(&scopes[step], scope_of_name(value->attr.named.name));
        }
    }
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Output *output = &graph->outputs[i];
        int32_t step = finder->live->step_of[storage_node(output->value)->id];
        if (step >= 0 &&
            (output->role == OUTPUT_gradient || output->role == OUTPUT_assign))
            add_scope(&finder->own[step], scope_of_name(output->name));
    }
}

/* Names that are a step's own say most. Those that it shares with others may be of
 * another layer: makers that have anything in common with them know better. */
static Scope scope_of_step(const ScopeFinder *finder, int32_t step)
{
    Scope shared = finder->shared[step], makers = finder->makers[step];
    if (finder->own[step].text)
        return finder->own[step];
    bool is_shared =
        shared.text && (!makers.text || scope_common(shared, makers).length == 0);
    return is_shared ? shared : makers;
}

/* Nodes stand behind what they read, so all is known of their makers. */
static void add_makers(ScopeFinder *finder)
{
    const Graph *graph = finder->graph;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        int32_t step = finder->live->step_of[i];
        for (uint32_t j = 0; step >= 0 && j < graph->nodes[i]->arg_count; j++) {
            int32_t maker =
                finder->live->step_of[storage_node(graph->nodes[i]->args[j])->id];
            if (maker >= 0 && maker != step)
                add_scope(&finder->makers[step], scope_of_step(finder, maker));
        }
    }
}

const char **step_scopes(const Graph *graph, const Liveness *live, Arena *arena)
{
    ScopeFinder finder = {.graph = graph,
                          .live = live,
                          .own = ARENA_ARRAY(arena, Scope, live->step_count + 1),
                          .shared = ARENA_ARRAY(arena, Scope, live->step_count + 1),
                          .makers = ARENA_ARRAY(arena, Scope, live->step_count + 1)};
    find_shared(&finder, arena);
    add_names(&finder);
    add_makers(&finder);
    const char **texts = ARENA_ARRAY(arena, const char *, live->step_count + 1);
    for (uint32_t i = 0; i < live->step_count; i++) {
        Scope scope = scope_of_step(&finder, (int32_t)i);
        texts[i] = scope.text ? arena_string(arena, scope.text, scope.length) : "";
    }
    return texts;
}

const char *scope_of_parameter(const char *name, Arena *arena)
{
    Scope scope = scope_of_name(name);
    return arena_string(arena, scope.text, scope.length);
}

/* The length of the part at `text`, and whether it is a number. */
static size_t part_length(const char *text, bool *out_is_number)
{
    size_t length = strcspn(text, ".");
    *out_is_number = length > 0;
    for (size_t i = 0; i < length; i++)
        *out_is_number &= isdigit((unsigned char)text[i]) != 0;
    return length;
}

const char *scope_layer(const char *scope, Arena *arena)
{
    for (const char *at = scope; *at;) {
        bool is_number;
        at += part_length(at, &is_number);
        if (is_number)
            return arena_string(arena, scope, (size_t)(at - scope));
        at += *at == '.';
    }
    return scope;
}

const char *scope_pattern(const char *scope, Arena *arena)
{
    char *pattern = arena_string(arena, "", 0);
    for (const char *at = scope; *at;) {
        bool is_number;
        size_t length = part_length(at, &is_number);
        pattern = arena_format(arena, "%s%.*s%s", pattern, is_number ? 1 : (int)length,
                               is_number ? "*" : at, at[length] ? "." : "");
        at += length + (at[length] == '.');
    }
    return pattern;
}
