/* Batches end; names of splits. */
#include "runtime/batch/batch.h"

void batch_free(Batch *batch)
{
    if (batch)
        arena_free(batch->arena);
}

const char *const split_names[SPLIT_COUNT + 1] = {"train", "valid", "test"};
