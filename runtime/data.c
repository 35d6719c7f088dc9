/* Data sources by name. */
#include "runtime/data.h"

#include <string.h>

#include "runtime/data/shapes.h"

void batch_free(Batch *batch)
{
    if (batch)
        arena_free(batch->arena);
}

DataSource *data_open(const char *name, const Module *module, Diags *diags)
{
    static const char *const names[] = {"shapes"};
    if (strcmp(name, names[0]) == 0)
        return data_shapes_new(module, diags);
    const char *near = nearest_name(name, names, 1);
    if (near)
        diag_error(diags, (Loc){0}, "no data '%s'; did you mean '%s'?", name, near);
    else
        diag_error(diags, (Loc){0}, "no data '%s'; there is: shapes", name);
    return NULL;
}

void data_close(DataSource *source)
{
    if (source)
        source->free(source->state);
}
