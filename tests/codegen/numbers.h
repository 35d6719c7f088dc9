/* Made-up operands, and how far results are from what they should be. */
#ifndef VLG_TESTS_CODEGEN_NUMBERS_H
#define VLG_TESTS_CODEGEN_NUMBERS_H

#include <stdint.h>

/* Numbers between -scale and scale that depend on the seed and their place. */
void numbers_fill(float *out, int64_t count, uint32_t seed, double scale);
/* The largest difference, over the largest magnitude that is wanted (or 1 if all are
 * tiny); infinite if a result is not a number. */
double numbers_error(const float *got, const double *want, int64_t count);

/* Processors to generate for: the one at hand, and lesser ones with narrower vectors. */
extern const char *const numbers_processors[];
extern const int numbers_processor_count;

#endif
