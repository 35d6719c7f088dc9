/* Frozen weights as products read them: every product whose matrix `b`, or table of the
 * vocabulary, follows from frozen weights alone reads a packed one (op pack), which a
 * session makes once.
 *
 * A matrix lies as the first product in program order uses it, which is a forward one;
 * products that use it the other way round, as gradients do, read the same copy. There is
 * one for each precision at which it is used. Other readers, such as `gather`, read the
 * matrix as it was. A table that also has a gradient is left alone, for the kernel of
 * both reads one operand.
 *
 * Requires precisions that are decided, for they decide how numbers are packed. */
#include <inttypes.h>

#include "ir/frozen.h"
#include "ir/liveness.h"
#include "ir/lowering.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

enum { FACTOR = 1 }; /* the operand that may be packed, of all products */

typedef struct PackLine {
    const Node *packed;  /* of the result */
    uint32_t readers[2]; /* by stage */
} PackLine;

typedef struct WeightPacker {
    const bool *frozen;
    bool *is_left;                     /* by node id: a matrix that is not packed */
    uint32_t (*line)[PRECISION_COUNT]; /* by node id of the matrix: 1 + its line, or 0 */
    PackLine *lines;
    uint32_t line_count;
} WeightPacker;

static Precision precision_of(const Node *product)
{
    const AttrField *field = op_field_of(product->op, ATTR_precision);
    const void *at = (const char *)&product->attr + field->offset;
    return *(const attr_precision *)at;
}

/* Logits are of the table's rows. */
static bool is_transposed(const Node *product)
{
    return product->op != OP_matmul || product->attr.matmul.transpose_b;
}

static bool is_packed(const WeightPacker *packer, const Node *node)
{
    if (packer->frozen[node->id] || !node_has_fact(node, LOWERING_PRODUCT) ||
        !op_field_of(node->op, ATTR_precision))
        return false;
    const Node *factor = node->args[FACTOR];
    return factor->type.dtype == DTYPE_f32 && factor->type.rank == 2 &&
           value_is_frozen(factor, packer->frozen) &&
           !packer->is_left[storage_node(factor)->id];
}

/* Integers lie alike for both uses. */
static const Node *pack(Rewrite *rw, const Node *product)
{
    WeightPacker *packer = rw->state;
    const Node *factor = product->args[FACTOR];
    Precision precision = precision_of(product);
    uint32_t *line = &packer->line[factor->id][precision];
    if (!*line) {
        OpAttr attr = {
            .pack = {.transpose = precision != PRECISION_int8 && is_transposed(product),
                     .precision = precision}};
        const Node *arg = rewrite_image(rw, factor);
        const Node *packed = graph_node(
            rw->out, (BuildSite){product->loc, product->stage},
            (NodeSpec){.op = OP_pack, .attr = &attr, .args = &arg, .arg_count = 1});
        if (!packed)
            return NULL;
        packer->lines[packer->line_count++].packed = packed;
        *line = packer->line_count;
    }
    packer->lines[*line - 1].readers[product->stage]++;
    return packer->lines[*line - 1].packed;
}

static const Node *pack_node(Rewrite *rw, const Node *node)
{
    enum { MOST_ARGS = 8 };
    const Node *args[MOST_ARGS];
    if (!is_packed(rw->state, node))
        return rewrite_copy(rw, node);
    for (uint32_t i = 0; i < node->arg_count; i++)
        args[i] = i == FACTOR ? pack(rw, node) : rewrite_image(rw, node->args[i]);
    return args[FACTOR] ? graph_node(rw->out, (BuildSite){node->loc, node->stage},
                                     node_spec(node, args))
                        : NULL;
}

/* -- the report ---------------------------------------------------------------------- */

static void report_line(FILE *out, const PackLine *line)
{
    const Node *packed = line->packed;
    const char *name = node_param_name(packed);
    fprintf(out, "  %12" PRId64 "  %-8s %-10s%8u%9u  %s\n",
            type_static_rows(packed->type) * type_row_bytes(packed->type),
            precision_names[packed->attr.pack.precision],
            packed->attr.pack.precision == PRECISION_int8 ? "either"
            : packed->attr.pack.transpose                 ? "transposed"
                                                          : "as it is",
            line->readers[STAGE_forward], line->readers[STAGE_backward],
            name ? name : "computed from weights");
}

static void report(FILE *out, const Graph *graph, const WeightPacker *packer, bool brief)
{
    int64_t bytes = 0;
    uint32_t readers = 0;
    for (uint32_t i = 0; i < packer->line_count; i++) {
        const PackLine *line = &packer->lines[i];
        bytes +=
            type_static_rows(line->packed->type) * type_row_bytes(line->packed->type);
        readers += line->readers[STAGE_forward] + line->readers[STAGE_backward];
    }
    fprintf(out,
            "packed weights of @%s: %u, of %" PRId64 " bytes as f32, for %u products\n",
            graph->name, packer->line_count, bytes, readers);
    if (!brief && packer->line_count > 0)
        fprintf(out, "  %12s  %-8s %-10s%8s%9s  %s\n", "bytes", "at", "used", "forward",
                "backward", "weight");
    for (uint32_t i = 0; !brief && i < packer->line_count; i++)
        report_line(out, &packer->lines[i]);
    fputc('\n', out);
}

/* -- the pass ------------------------------------------------------------------------ */

Graph *pass_pack(const Graph *in, PassContext *ctx)
{
    Arena *arena = arena_new();
    WeightPacker packer = {
        .frozen = frozen_nodes(in, arena),
        .is_left = ARENA_ARRAY(arena, bool, in->node_count + 1),
        .line = arena_alloc(arena, (in->node_count + 1) * sizeof *packer.line),
        .lines = ARENA_ARRAY(arena, PackLine, (in->node_count + 1))};
    for (uint32_t i = 0; i < in->node_count; i++)
        if (in->nodes[i]->op == OP_cross_entropy_dtable)
            packer.is_left[storage_node(in->nodes[i]->args[FACTOR])->id] = true;
    Graph *out = rewrite_graph(in, pack_node, NULL, &packer);
    if (out && ctx->report)
        report(ctx->report, out, &packer, ctx->brief);
    arena_free(arena);
    return out;
}
