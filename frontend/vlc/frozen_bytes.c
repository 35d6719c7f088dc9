/* A weight is kept once in each form that something reads: as integers, as other products
 * read it, and as it is, for ops such as `gather`. */
#include "frontend/vlc/frozen_bytes.h"

#include <stdlib.h>

#include "ir/base/heap.h"
#include "ir/liveness.h"
#include "ir/lowering.h"

typedef enum Form { FORM_PLAIN = 1, FORM_PRODUCTS = 2, FORM_INT8 = 4 } Form;

static Form form_of(const Node *reader, uint32_t operand)
{
    const Node *read = reader->args[operand];
    if (read->op != OP_pack)
        return FORM_PLAIN;
    return read->attr.pack.precision == PRECISION_int8 ? FORM_INT8 : FORM_PRODUCTS;
}

static void note_readers(const Module *module, const Graph *graph, unsigned *forms)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *reader = graph->nodes[i];
        for (uint32_t j = 0; j < reader->arg_count; j++) {
            const Node *weight = unpacked_node(reader->args[j]);
            if (weight->op != OP_weight || node_is_view(reader) || reader->op == OP_pack)
                continue;
            const Param *param = module_find_param(module, weight->attr.named.name);
            forms[param - module->params] |= form_of(reader, j);
        }
    }
}

static double bytes_of(Type type, unsigned forms)
{
    double numbers = (double)type_static_elements(type), bytes = 0;
    if (forms & FORM_PLAIN)
        bytes += numbers * sizeof(float);
    if (forms & FORM_PRODUCTS)
        bytes += numbers * sizeof(float);
    if (forms & FORM_INT8)
        bytes += numbers + (double)type_static_rows(type) * sizeof(float);
    return bytes;
}

double frozen_bytes(const Module *module)
{
    unsigned *forms = HEAP_ARRAY(unsigned, module->param_count + 1);
    double bytes = 0;
    for (uint32_t i = 0; i < module->graph_count; i++)
        note_readers(module, module->graphs[i], forms);
    for (uint32_t i = 0; i < module->param_count; i++)
        bytes += bytes_of(module->params[i].type, forms[i]);
    free(forms);
    return bytes;
}
