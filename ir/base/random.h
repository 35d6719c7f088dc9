/* The counter-based random numbers of dropout and initial values: every number is a hash
 * of where it is used, so that threads and micro-batches cannot change it. The
 * interpreter calls these; generated code emits the same integer arithmetic.
 *
 * mix32 is the finalizer "lowbias32" (Wellons, "Prospecting for hash functions",
 * 2018). */
#ifndef VLG_IR_BASE_RANDOM_H
#define VLG_IR_BASE_RANDOM_H

#include <stdint.h>

static inline uint32_t random_mix32(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= x >> 15;
    x *= 0x846ca68bU;
    x ^= x >> 16;
    return x;
}

/* Of an optimiser step. */
static inline uint32_t random_step_key(uint64_t seed, uint64_t step)
{
    uint32_t key = random_mix32((uint32_t)seed ^ 0x9e3779b9U);
    key = random_mix32(key + (uint32_t)(seed >> 32));
    key = random_mix32(key + (uint32_t)step);
    return random_mix32(key + (uint32_t)(step >> 32));
}

/* Of a row: `sequence` counts in the whole batch, `place` within the sequence. Rows of
 * static tensors belong to sequence 0xffffffff. */
static inline uint32_t random_row_key(uint32_t sequence, uint32_t place)
{
    return random_mix32(random_mix32(sequence) + place);
}

/* Of one use in one row: `salt` tells dropouts of a graph apart. */
static inline uint32_t random_use_key(uint32_t step_key, uint32_t row_key, uint32_t salt)
{
    return random_mix32(row_key + random_mix32(step_key ^ salt));
}

/* 32 bits for column `column`; an attention weight has column head * 65536 + key
 * place. */
static inline uint32_t random_bits(uint32_t use_key, uint32_t column)
{
    return random_mix32(use_key ^ (column * 0x9e3779b9U));
}

/* Dropped if bits < threshold(p); kept values are divided by 1 - p. */
static inline uint32_t random_threshold(double p)
{
    return (uint32_t)(p * 4294967296.0);
}

#endif
