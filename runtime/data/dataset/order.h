/* In which order a run sees its data: reproducible orders made with the Mersenne Twister,
 * so that other implementations of the same recipe see the same examples in the same
 * steps. */
#ifndef VLG_RUNTIME_DATA_DATASET_ORDER_H
#define VLG_RUNTIME_DATA_DATASET_ORDER_H

#include <stdint.h>

/* The order of `count` examples in an epoch: out[i] is the example at place i. */
void data_example_order(int64_t epoch, int64_t count, int64_t *out);

/* Which task each step of an epoch takes: task t appears task_steps[t] times in `out`,
 * which has room for their sum. */
void data_task_order(int64_t epoch, const int64_t *task_steps, uint32_t task_count,
                     uint32_t *out);

#endif
