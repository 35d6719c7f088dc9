/* Precisions of matrix products: ir/precisions.def expanded for C. */
#ifndef VLG_IR_PRECISION_H
#define VLG_IR_PRECISION_H

typedef enum Precision {
#define PRECISION(name, meaning) PRECISION_##name,
#include "ir/precisions.def"
    PRECISION_COUNT,
    PRECISION_ANY_COUNT = PRECISION_int8 /* those of any product come first */
} Precision;

extern const char *const precision_names[PRECISION_COUNT];

/* The precision of that name, or PRECISION_COUNT. */
Precision precision_find(const char *name);

#endif
