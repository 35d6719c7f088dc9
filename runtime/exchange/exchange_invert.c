/* From a tensor of another library's back to the parameter that it is made of:
 *
 *     tensor = parameter * factor     =>     parameter = tensor / factor
 *
 * where the factor is made of frozen parameters alone. */
#include <inttypes.h>

#include "runtime/exchange/exchange_parts.h"

typedef struct Inversion {
    const Graph *graph;
    Store *store;
    const float *wanted;
    Arena *arena;
    Loc loc;
    Diags *diags;
} Inversion;

static StoreEntry *trained_entry(const Inversion *in, const Node *value)
{
    StoreEntry *entry = exchange_entry(in->store, value);
    return entry && param_is_kept(entry->param) ? entry : NULL;
}

static bool is_frozen(const Inversion *in, const Node *value)
{
    const bool *needed = exchange_needed(in->graph, value, in->arena);
    for (uint32_t i = 0; i <= value->id; i++)
        if (needed[i] && trained_entry(in, in->graph->nodes[i]))
            return false;
    return true;
}

/* Whether files give all that the factor is made of. */
static bool check_given(const Inversion *in, const Node *factor)
{
    const bool *needed = exchange_needed(in->graph, factor, in->arena);
    for (uint32_t i = 0; i <= factor->id; i++) {
        const Node *node = in->graph->nodes[i];
        const StoreEntry *entry =
            needed[i] && node->op == OP_param ? exchange_entry(in->store, node) : NULL;
        if (!entry || entry->given)
            continue;
        diag_error(in->diags, in->loc,
                   "its tensors are made with '%s', which no file gives: --weights PATH",
                   entry->name);
        return false;
    }
    return true;
}

static bool divide(const Inversion *in, StoreEntry *entry, const Node *factor)
{
    float *by = ARENA_ARRAY(in->arena, float, (size_t)entry->elements + 1);
    exchange_compute(in->graph, in->store, factor, by);
    for (int64_t i = 0; i < entry->elements; i++)
        if (by[i] == 0 && in->wanted[i] != 0) {
            diag_error(in->diags, in->loc,
                       "element %" PRId64 " of '%s', times 0, would be %g", i,
                       entry->name, (double)in->wanted[i]);
            return false;
        }
    store_own(entry);
    for (int64_t i = 0; i < entry->elements; i++)
        if (by[i] != 0) /* else any number would do */
            entry->data[i] = in->wanted[i] / by[i];
    entry->given = true;
    return true;
}

static StoreEntry *invert_factor(const Inversion *in, const Node *param,
                                 const Node *factor)
{
    StoreEntry *entry = trained_entry(in, param);
    if (!entry || entry->elements != type_static_elements(factor->type) ||
        !is_frozen(in, factor))
        return NULL;
    return check_given(in, factor) && divide(in, entry, factor) ? entry : NULL;
}

StoreEntry *exchange_invert(const Graph *graph, Store *store, const Node *value,
                            const float *wanted, Loc loc, Diags *diags)
{
    while (value->op == OP_reshape)
        value = value->args[0];
    if (value->op != OP_mul)
        return NULL;
    Arena *arena = arena_new();
    const Inversion in = {graph, store, wanted, arena, loc, diags};
    const Node *a = value->args[0], *b = value->args[1];
    uint32_t errors = diags_error_count(diags);
    StoreEntry *entry = NULL;
    if (type_static_elements(value->type) == type_static_elements(a->type)) {
        entry = invert_factor(&in, a, b);
        if (!entry && diags_error_count(diags) == errors)
            entry = invert_factor(&in, b, a);
    }
    arena_free(arena);
    return entry;
}
