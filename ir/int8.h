/* Products at precision `int8`: A times a frozen matrix B, both as integers of 8 bits.
 *
 * A row of the frozen matrix as it lies in memory is `scale` times integers of -127..127:
 *
 *     largest = the largest magnitude of the row, 0 if that is below INT8_LEAST
 *     scale = largest / 127,  integer = x (127 / largest), rounded to the nearest even
 *
 * all in f32; of a row that has infinity or NaN the scale is NaN. So is a row of A, in
 * each run of INT8_RUN of k anew; where the rows of B are along k, its numbers are first
 * multiplied by their scales. Integers are summed exactly over a run; the sum, times
 * both scales, is added to C in f32, run by run. */
#ifndef VLG_IR_INT8_H
#define VLG_IR_INT8_H

#include "ir/graph.h"

enum { INT8_MOST = 127, INT8_RUN = 4096 };
/* So that 127 / largest is finite. */
#define INT8_LEAST 0x1p-120F

/* Why a product cannot be at precision `int8`; NULL if it can: a matmul of rows as they
 * lie with a frozen weight, `b`, packed or not. NULL of a packed matrix. */
const char *int8_refuse(const Node *node);

#endif
