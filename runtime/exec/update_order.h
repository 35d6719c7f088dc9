/* The order in which lanes may share an update program.
 *
 * Two calls are independent unless one writes memory that the other reads or writes;
 * independent calls give the same numbers in any order. Calls get levels: one more than
 * the highest level of an earlier call they depend on. Items are the calls by level, and
 * last the copies of values that were not written in place (update_copies.h).
 * Lanes claim items in order; item i may run once the first wait[i] items are done, which
 * are all those of lower levels. */
#ifndef VLG_RUNTIME_EXEC_UPDATE_ORDER_H
#define VLG_RUNTIME_EXEC_UPDATE_ORDER_H

#include "runtime/exec/exec.h"
#include "runtime/exec/update_copies.h"

typedef struct UpdateOrder {
    Exec *exec;
    uint32_t item_count, call_count;
    uint32_t *items; /* a call, or call_count + index of a copy */
    uint32_t *wait;
    UpdateCopies copies;
    Arena *arena;
} UpdateOrder;

/* NULL and an error if a variable cannot be assigned. */
UpdateOrder *update_order_new(Exec *exec, Store *store, Diags *diags);
void update_order_free(UpdateOrder *order); /* NULL is allowed */
/* What an item is, for traces: a call, or a copy of so many bytes. */
TraceEvent update_order_event(const UpdateOrder *order, uint32_t item);
void update_order_run_item(const UpdateOrder *order, uint32_t item,
                           const LaneContext *context);

#endif
