/* The table of precisions as data. */
#include "ir/precision.h"

#include <string.h>

const char *const precision_names[PRECISION_COUNT] = {
#define PRECISION(name, meaning) #name,
#include "ir/precisions.def"
};

Precision precision_find(const char *name)
{
    Precision found = 0;
    while (found < PRECISION_COUNT && strcmp(precision_names[found], name) != 0)
        found++;
    return found;
}
