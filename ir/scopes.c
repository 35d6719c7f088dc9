/* Steps to parts of the model, by the dots in names of parameters. */
#include "ir/scopes.h"

#include <ctype.h>
#include <string.h>

/* The first `length` bytes of a name; no text: nothing is known yet. */
typedef struct Scope {
    const char *text;
    size_t length;
} Scope;

typedef struct ScopeFinder {
    const Graph *graph;
    const Liveness *live;
    Scope *own, *scopes; /* by step: of names alone, and of what is read as well */
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

static void add_names(ScopeFinder *finder)
{
    const Graph *graph = finder->graph;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        int32_t step = finder->live->step_of[i];
        for (uint32_t j = 0; step >= 0 && j < graph->nodes[i]->arg_count; j++) {
            const Node *value = storage_node(graph->nodes[i]->args[j]);
            if (has_name(value))
                add_scope(&finder->own[step], scope_of_name(value->attr.named.name));
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

/* Nodes stand behind what they read, so the scopes of the makers are complete. */
static void add_makers(ScopeFinder *finder)
{
    const Graph *graph = finder->graph;
    for (uint32_t i = 0; i < graph->node_count; i++) {
        int32_t step = finder->live->step_of[i];
        if (step < 0)
            continue;
        if (finder->own[step].text) {
            finder->scopes[step] = finder->own[step];
            continue;
        }
        for (uint32_t j = 0; j < graph->nodes[i]->arg_count; j++) {
            int32_t maker =
                finder->live->step_of[storage_node(graph->nodes[i]->args[j])->id];
            if (maker >= 0 && maker != step)
                add_scope(&finder->scopes[step], finder->scopes[maker]);
        }
    }
}

const char **step_scopes(const Graph *graph, const Liveness *live, Arena *arena)
{
    ScopeFinder finder = {.graph = graph,
                          .live = live,
                          .own = ARENA_ARRAY(arena, Scope, live->step_count + 1),
                          .scopes = ARENA_ARRAY(arena, Scope, live->step_count + 1)};
    add_names(&finder);
    add_makers(&finder);
    const char **texts = ARENA_ARRAY(arena, const char *, live->step_count + 1);
    for (uint32_t i = 0; i < live->step_count; i++)
        texts[i] = finder.scopes[i].text ? arena_string(arena, finder.scopes[i].text,
                                                        finder.scopes[i].length)
                                         : "";
    return texts;
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
