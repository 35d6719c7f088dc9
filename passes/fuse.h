/* What the fusion pass decides, and its report. */
#ifndef VLG_PASSES_FUSE_H
#define VLG_PASSES_FUSE_H

#include "passes/clusters.h"

typedef enum FuseVerdict {
#define ROWS(code, rule, meaning) FUSE_##code,
#define KERNEL(code, rule, meaning) FUSE_##code,
#define PRODUCT(code, rule, meaning) FUSE_##code,
#define VERDICT(code, meaning) FUSE_##code,
#include "passes/fuse_rules.def"
    FUSE_VERDICT_COUNT
} FuseVerdict;

/* Two nodes that were looked at: a producer and its reader, or two readers of one
 * value. */
typedef struct FusePair {
    const Node *a, *b;
    FuseVerdict verdict;
} FusePair;

/* fuse_report.c: how often each verdict fell, and unless `brief` every pair and group. */
void fuse_report(FILE *out, const Graph *in, const FusePair *pairs, uint32_t pair_count,
                 const Graph *fused, bool brief);

#endif
