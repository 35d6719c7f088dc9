/* Random modules for tests: every op of the table, odd names and numbers, random
 * facts. */
#ifndef VLG_TESTS_IR_RANDOM_MODULE_H
#define VLG_TESTS_IR_RANDOM_MODULE_H

#include "ir/graph.h"

typedef struct Random {
    uint32_t state;
} Random;

uint32_t random_below(Random *random, uint32_t bound);

/* With facts, nodes get groups, offsets and places that no pass would give; without, the
 * module satisfies the verifier. op_uses[OP_COUNT] counts the ops that came out. */
Module *random_module(Random *random, bool facts, uint32_t *op_uses);

#endif
