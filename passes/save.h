/* What the save pass decides, and its report. */
#ifndef VLG_PASSES_SAVE_H
#define VLG_PASSES_SAVE_H

#include "ir/graph.h"

typedef enum SaveReason {
#define REASON(code, verdict, meaning) SAVE_##code,
#include "passes/save_reasons.def"
    SAVE_REASON_COUNT
} SaveReason;

/* A forward value that the backward pass needs. */
typedef struct SaveLine {
    const Node *node;
    SaveReason reason;
    bool was_read; /* by the backward pass, before this one */
    bool is_kept;
} SaveLine;

/* save_report.c: what is kept against what was read, and unless `brief` every value. */
void save_report(FILE *out, const Graph *graph, const SaveLine *lines, uint32_t count,
                 bool brief);

#endif
