/* The constants of a model: all that --set takes. */
#ifndef VLG_FRONTEND_CONSTANTS_H
#define VLG_FRONTEND_CONSTANTS_H

#include "frontend/frontend.h"
#include "frontend/recipe/options.h"

/* A value, and where it counts. */
typedef struct ConstantValue {
    const char *text;
    const char *tasks; /* names, if not all have it: the first of many; else NULL */
} ConstantValue;

typedef struct ConstantRow {
    const char *group; /* "settings", "model", "task NAME", "block NAME", ... */
    const char *name;
    /* What it is in the tasks, or, of a block, wherever the model uses it; none where
     * nothing asks for it. Each once. */
    ConstantValue *values;
    uint32_t value_count;
    bool more;              /* there are more values than are listed */
    const char *expression; /* as it is declared; NULL of settings and choices */
    const char *bounds;     /* "at least 0 and less than 1", or "" */
    const char *meaning;    /* "" if nothing says it */
    Loc declared;           /* without a file: known to the program */
    Loc set;                /* what gives it its value instead; without a file: nothing */
} ConstantRow;

typedef struct ConstantTable ConstantTable;

/* Reads a model, and makes its graphs without keeping them, which is how the constants of
 * blocks get their values. NULL after an error. */
ConstantTable *constants_load(const char *path, const FrontendOptions *options,
                              Diags *diags);
void constants_free(ConstantTable *table); /* NULL is allowed */
const ConstantRow *constants_rows(const ConstantTable *table, uint32_t *out_count);

#endif
