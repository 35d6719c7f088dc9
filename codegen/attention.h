/* What the parts of an attention kernel share.
 *
 * A kernel goes through sequences, then heads; all it keeps of one head of one
 * sequence is in the lane's scratch, in floats:
 *
 *     keys_t     [dh, padded]     the keys, transposed
 *     values_t   [dv, padded]     backward: the values, transposed
 *     scores     [q rows, padded] S, then the probabilities P
 *     gradient   [q rows, padded] backward: dP, then dS
 *     scales     [padded]         backward, of one row: what dropout multiplies P with
 *     distances  [heads, 2 covered - 1] the bias by key place - query place
 *     ddistances the same, its gradient
 *
 * where padded is the key rows of the sequence rounded up to whole vectors. */
#ifndef VLG_CODEGEN_ATTENTION_H
#define VLG_CODEGEN_ATTENTION_H

#include "codegen/loops.h"

enum { ATTENTION_AXIS_Q, ATTENTION_AXIS_K, ATTENTION_AXIS_BIAS, ATTENTION_AXES };

/* Everything known when the kernel is made. Offsets into the scratch are in floats. */
typedef struct AttentionLayout {
    int64_t heads, key_width, value_width; /* columns of one head: dh, dv */
    int64_t covered; /* most rows the bias covers; 0 without a table */
    int64_t buckets, max_distance;
    bool causal, bidirectional, backward;
    bool queries_last; /* k's axis ends with q's: queries are the last of the keys */
    double dropout;
    int32_t operand_dy, operand_table, operand_y; /* of the kernel, or -1 */
    int32_t operand_dq, operand_dk, operand_dv, operand_dtable;
    int64_t keys_t, values_t, scores, gradient, scales, distances, ddistances;
} AttentionLayout;

/* One head of one sequence, while it is emitted. */
typedef struct AttentionHead {
    Emit *e;
    const AttentionLayout *layout;
    LLVMValueRef scratch, salted_step;
    LLVMValueRef *operands;       /* by index */
    LLVMValueRef head;            /* i64 */
    LLVMValueRef q_begin, q_rows; /* of the sequence */
    LLVMValueRef k_begin, k_rows;
    LLVMValueRef padded;  /* k_rows in whole vectors */
    LLVMValueRef covered; /* rows of the sequence that the bias covers */
} AttentionHead;

/* attention_places.c */

/* Where the head's columns of the sequence's first row are. */
LLVMValueRef attention_q_side(const AttentionHead *h, int32_t operand,
                              int64_t head_width);
LLVMValueRef attention_k_side(const AttentionHead *h, int32_t operand,
                              int64_t head_width);
LLVMValueRef attention_scratch(const AttentionHead *h, int64_t offset);
/* A row of a matrix in the scratch: scores or gradient. */
LLVMValueRef attention_row(const AttentionHead *h, int64_t offset, LLVMValueRef row);
/* The place of query row `row` among the keys of its sequence. */
LLVMValueRef attention_place(const AttentionHead *h, LLVMValueRef row);

/* attention_scores.c. After attention_scores, `scores` holds S with the bias. */
void attention_scores(const AttentionHead *h);

/* Row `row` of the probabilities: makes the scores exp(S - max), 0 where the query may
 * not look, and returns 1 / sum. */
LLVMValueRef attention_exponents(const AttentionHead *h, LLVMValueRef row);
/* The splat of a query row's key, where there is dropout; else NULL. */
LLVMValueRef attention_row_key(const AttentionHead *h, LLVMValueRef row);
/* What dropout multiplies a vector of weights with: 1 / (1 - p), or 0 where one is
 * dropped. */
LLVMValueRef attention_scale(const AttentionHead *h, LLVMValueRef key,
                             LLVMValueRef column);

/* attention_backward.c: what is wanted of dq, dk, dv and the gradient of the
 * distances. */
void attention_backward(const AttentionHead *h);

/* attention_bias.c */
int64_t attention_distance_count(const AttentionLayout *layout);
void attention_make_distances(const AttentionHead *h); /* before the first sequence */
/* The bias, or its gradient, for query row `row` and key 0 of the head; further keys
 * follow. */
LLVMValueRef attention_distances_at(const AttentionHead *h, int64_t offset,
                                    LLVMValueRef row);
/* Keys that the bias covers in query row `row`. */
LLVMValueRef attention_covered_keys(const AttentionHead *h, LLVMValueRef row);
void attention_sum_distances(const AttentionHead *h); /* after the last: writes dtable */

#endif
