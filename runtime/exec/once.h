/* What the calls that are run once (Call.is_once) compute: one memory for all lanes, and
 * for all graphs that compute the same, so that each value is made by one call.
 *
 * Values are the same if the same ops with the same attributes make them of the same
 * weights; and calls share memory if all that they write is the same. Lanes claim calls
 * in order; call i may run once the first calls[i].wait calls are done. */
#ifndef VLG_RUNTIME_EXEC_ONCE_H
#define VLG_RUNTIME_EXEC_ONCE_H

#include "codegen/program.h"

typedef struct OnceCall {
    uint32_t graph, call; /* of the module; of its program */
    int64_t wait;
} OnceCall;

typedef struct Once {
    OnceCall *calls;
    uint32_t call_count;
    void ***values; /* by graph, by node id: what these calls make; NULL: of others */
    int64_t bytes;  /* of all memory */
    Arena *arena;
    struct OnceMemory *memory;
    uint32_t memory_count;
} Once;

/* programs[i] is of module->graphs[i]. Memory is 64-byte aligned and takes no room until
 * it is written. */
Once *once_new(const Module *module, Program *const *programs);
void once_free(Once *once); /* NULL is allowed */

#endif
