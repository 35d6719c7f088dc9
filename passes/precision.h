/* What the precision pass decides, and its report. */
#ifndef VLG_PASSES_PRECISION_H
#define VLG_PASSES_PRECISION_H

#include "ir/graph.h"

typedef enum PrecisionReason {
#define REASON(code, meaning) PRECISION_##code,
#include "passes/precision_reasons.def"
    PRECISION_REASON_COUNT
} PrecisionReason;

/* A product of the graph that the pass made. */
typedef struct PrecisionLine {
    const Node *node;
    Precision precision;
    PrecisionReason reason;
    const PrecisionRule *rule; /* of reasons PATTERN and those of a recipe, else NULL */
    const char *not_int8;      /* where `int8` was asked for, why it is not; else NULL */
} PrecisionLine;

/* precision_report.c: products and operations by precision; unless `brief`, first a line
 * for all products of equal types, place in the model, and reason. */
void precision_report(FILE *out, const Graph *graph, const PrecisionLine *lines,
                      uint32_t count, bool brief);

#endif
