/* Batches end; names of splits. */
#include "runtime/batch/batch.h"

#include <string.h>

void batch_free(Batch *batch)
{
    if (batch)
        arena_free(batch->arena);
}

const char *const split_names[SPLIT_COUNT] = {"train", "valid", "test"};

bool split_find(const char *name, const char *command, Split *out)
{
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (strcmp(name, split_names[i]) == 0) {
            *out = (Split)i;
            return true;
        }
    const char *near = nearest_name(name, split_names, SPLIT_COUNT);
    fprintf(stderr, "vlrun %s: no split '%s'; %s%s\n", command, name,
            near ? "did you mean " : "there are train, valid and ", near ? near : "test");
    return false;
}
