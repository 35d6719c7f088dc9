/* What the parts of generation share: generate.c runs the graphs, generate_fields.c makes
 * the batch of each step of the last one's results. */
#ifndef VLG_RUNTIME_EXEC_GENERATE_PARTS_H
#define VLG_RUNTIME_EXEC_GENERATE_PARTS_H

#include <stdatomic.h>

#include "runtime/exec/generate.h"
#include "runtime/exec/search.h"

typedef enum CarryKind { CARRY_kept, CARRY_cache, CARRY_token } CarryKind;

/* An input of the decode graph. */
typedef struct Carry {
    const Node *input;
    CarryKind kind;
    const char *name;
    int64_t row_bytes;
    /* kept: [sequences + 1] rows of the encode graph's result, or NULL */
    const int64_t *starts;
    void *memory; /* of the field's rows, unless they lie where they were made */
    int64_t room; /* its bytes */
} Carry;

typedef struct Generation {
    Session *session;
    const Batch *batch;
    const GenerateOptions *options;
    const Graph *encode, *decode; /* encode may be NULL: nothing is kept */
    int64_t vocabulary;
    Carry *carries;
    uint32_t carry_count;
    bool is_shared;  /* beams of a sequence share the rows of what is kept */
    Batch step;      /* what the decode graph reads; fields are in the order of carries */
    CarryKind *axes; /* by axis of `step`: whose length it is */
    uint32_t *axis_of;    /* by axis of `step`: a kept carry on it */
    BatchLayout *layout;  /* of the batch in the encode graph */
    int64_t first, count; /* sequences at hand */
    Search *search;
    Generated *out;
    Arena *arena;
    Diags *diags;
} Generation;

/* A step that was made, and the sequences that it was made for. */
typedef struct GenerationStep {
    Generation *g;
    const EvalResult *decoded;
    const int64_t *before;
    int64_t count;
    _Atomic uint32_t next; /* carry to claim */
} GenerationStep;

/* How often the rows of what is kept of a sequence stand in the step's batch. */
int64_t generation_copies(const Generation *g);
void generation_keep(Generation *g, const EvalResult *encoded);
/* The batch of the first step. Caches are empty, and have room for all steps. */
void generation_first_fields(Generation *g);
/* The batch of the next step, by all lanes. */
void generation_next_fields(GenerationStep *step);

#endif
