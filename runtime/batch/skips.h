/* Leaving out what cannot be read: counted, and the first few, or all, reported. */
#ifndef VLG_RUNTIME_BATCH_SKIPS_H
#define VLG_RUNTIME_BATCH_SKIPS_H

#include "ir/base/diag.h"

typedef struct Skips Skips;

Skips *skips_new(bool allowed);
/* Leaves out all that cannot be read, and reports each to `all`, which must outlive
 * it. */
Skips *skips_new_to(Diags *all);
void skips_free(Skips *skips); /* says on stderr how many there were, if any */

bool skips_allowed(const Skips *skips);
/* Where to report what may be left out: `diags` if nothing may, then it is at fault. */
Diags *skips_diags(Skips *skips, Diags *diags);
void skips_count(Skips *skips);

#endif
