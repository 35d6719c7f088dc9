/* The report of the precision pass. Products are grouped by all that a line says of them,
 * in the order in which the first of each group stands. */
#include "passes/precision.h"

#include <inttypes.h>
#include <string.h>

#include "ir/base/map.h"
#include "ir/cost.h"
#include "ir/text.h"

static const char *const meanings[PRECISION_REASON_COUNT] = {
#define REASON(code, meaning) meaning,
#include "passes/precision_reasons.def"
};

typedef struct LineGroup {
    const PrecisionLine *first;
    ProductCount total;
} LineGroup;

typedef struct Groups {
    LineGroup *items;
    uint32_t count;
    Map places;
} Groups;

typedef struct GroupKey {
    const Groups *groups;
    const PrecisionLine *line;
} GroupKey;

static uint64_t hash_line(const PrecisionLine *line)
{
    const Node *node = line->node;
    uint64_t hash =
        hash_word(HASH_START, (uint64_t)node->op << 16 | line->precision << 8 |
                                  (uint64_t)line->reason);
    hash = hash_word(hash, (uint64_t)node->loc.line << 32 | node->loc.column);
    for (uint32_t i = 0; i < 2; i++)
        hash = hash_word(hash, (uint64_t)type_width(node->args[i]->type));
    return hash_word(hash, (uintptr_t)line->rule);
}

static bool is_group(uint32_t place, const void *context)
{
    const GroupKey *key = context;
    const PrecisionLine *a = key->groups->items[place].first, *b = key->line;
    const Node *x = a->node, *y = b->node;
    return x->op == y->op && a->precision == b->precision && a->reason == b->reason &&
           a->rule == b->rule && a->not_int8 == b->not_int8 && x->stage == y->stage &&
           x->loc.file == y->loc.file && x->loc.line == y->loc.line &&
           x->loc.column == y->loc.column && type_equal(x->type, y->type) &&
           type_equal(x->args[0]->type, y->args[0]->type) &&
           type_equal(x->args[1]->type, y->args[1]->type);
}

static void add_line(Groups *groups, const PrecisionLine *line, double flops)
{
    const GroupKey key = {groups, line};
    uint64_t hash = hash_line(line);
    uint32_t place = map_find(&groups->places, hash, is_group, &key);
    if (place == MAP_ABSENT) {
        place = groups->count++;
        groups->items[place].first = line;
        map_add(&groups->places, hash, place);
    }
    groups->items[place].total.products++;
    groups->items[place].total.flops += flops;
}

/* The parameter that is multiplied, or NULL. */
static const char *param_of(const Node *node)
{
    const char *first = node_param_name(node->args[0]);
    return first ? first : node_param_name(node->args[1]);
}

static void print_reason(FILE *out, const PrecisionLine *line)
{
    fputs(meanings[line->reason], out);
    if (line->rule && *line->rule->pattern)
        fprintf(out, ": %s", line->rule->pattern);
    if (line->rule && line->rule->loc.file)
        fprintf(out, " (%s:%u)", line->rule->loc.file, line->rule->loc.line);
    if (line->not_int8)
        fprintf(out, "; not int8: %s", line->not_int8);
}

static void print_group(FILE *out, const Graph *graph, const LineGroup *group)
{
    const Node *node = group->first->node;
    const char *param = param_of(node);
    char type[96], value[400];
    type_print(graph, node->type, type, sizeof type);
    int len = snprintf(value, sizeof value, "%s%s %s of", op_info(node->op)->name,
                       node->stage == STAGE_backward ? " backward" : "", type);
    for (uint32_t i = 0; i < 2; i++) {
        type_print(graph, node->args[i]->type, type, sizeof type);
        len += snprintf(value + len, sizeof value - (size_t)len, " %s", type);
    }
    fprintf(out, "  %8" PRIu32 "%12.3e  %-9s  %-72s ", group->total.products,
            group->total.flops, precision_names[group->first->precision], value);
    print_reason(out, group->first);
    if (node->loc.file)
        fprintf(out, "  %s:%u", node->loc.file, node->loc.line);
    if (param)
        fprintf(out, "  %s%s", param, group->total.products > 1 ? ", ..." : "");
    fputc('\n', out);
}

static void print_totals(FILE *out, const ProductCount *totals)
{
    double all = 0;
    for (Precision i = 0; i < PRECISION_COUNT; i++)
        all += totals[i].flops;
    for (Precision i = 0; i < PRECISION_COUNT; i++)
        if (totals[i].products)
            fprintf(out, "  %s: %" PRIu32 " product%s, %.3e FLOPs (%.1f %%)\n",
                    precision_names[i], totals[i].products,
                    totals[i].products == 1 ? "" : "s", totals[i].flops,
                    all > 0 ? 100 * totals[i].flops / all : 0);
}

void precision_report(FILE *out, const Graph *graph, const PrecisionLine *lines,
                      uint32_t count, bool brief)
{
    Arena *arena = arena_new();
    const int64_t *rows = axis_rows_of_longest_sequence(graph, arena);
    Groups groups = {.items = ARENA_ARRAY(arena, LineGroup, count + 1),
                     .places.arena = arena};
    ProductCount totals[PRECISION_COUNT] = {0};
    graph_count_products(graph, rows, totals);
    for (uint32_t i = 0; i < count && !brief; i++)
        add_line(&groups, &lines[i], node_flops(graph, lines[i].node, rows));
    fprintf(out, "precision of products of @%s, FLOPs of the longest sequence\n",
            graph->name);
    if (!brief)
        fprintf(out, "  %8s%12s  %-9s  %-72s %s\n", "products", "FLOPs", "precision",
                "product", "reason");
    for (uint32_t i = 0; i < groups.count; i++)
        print_group(out, graph, &groups.items[i]);
    print_totals(out, totals);
    fputc('\n', out);
    arena_free(arena);
}
