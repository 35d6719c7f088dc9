/* Messages about skipped things go to diagnostics of their own, so that they are no
 * errors of the run; after the first few, to nowhere. */
#include "runtime/batch/skips.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"

enum { SHOWN = 5 };

struct Skips {
    bool allowed;
    int64_t count;
    Diags *shown, *hidden;
    Diags *all; /* to whom each is reported instead; or NULL */
};

Skips *skips_new(bool allowed)
{
    Skips *skips = heap_alloc(sizeof *skips);
    *skips = (Skips){.allowed = allowed};
    skips->shown = diags_new(stderr);
    skips->hidden = diags_new(NULL);
    return skips;
}

Skips *skips_new_to(Diags *all)
{
    Skips *skips = skips_new(true);
    skips->all = all;
    return skips;
}

void skips_free(Skips *skips)
{
    if (!skips)
        return;
    if (skips->allowed && skips->count > 0 && !skips->all)
        fprintf(stderr,
                "%" PRId64 " examples or records could not be read and were skipped\n",
                skips->count);
    diags_free(skips->shown);
    diags_free(skips->hidden);
    free(skips);
}

bool skips_allowed(const Skips *skips)
{
    return skips->allowed;
}

Diags *skips_diags(Skips *skips, Diags *diags)
{
    if (!skips->allowed)
        return diags;
    if (skips->all)
        return skips->all;
    return skips->count < SHOWN ? skips->shown : skips->hidden;
}

void skips_count(Skips *skips)
{
    skips->count++;
}
