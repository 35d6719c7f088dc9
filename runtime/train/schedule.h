/* The learning rate of each step. */
#ifndef VLG_RUNTIME_TRAIN_SCHEDULE_H
#define VLG_RUNTIME_TRAIN_SCHEDULE_H

#include "ir/graph.h"

/* Whether the settings name a way to decay that exists; an error if not. */
NODISCARD bool schedule_check(const Settings *settings, Diags *diags);

/* With T total steps and w = floor(warmup T), the rate of step k = 0, 1, ... is lr times
 *
 *     k / max(1, w)                                    k < w
 *     max(0, T - k) / max(1, T - w)                    linear
 *     (1 + cos(pi (k - w) / max(1, T - w))) / 2        cosine
 *     1                                                constant */
double schedule_rate(const Settings *settings, int64_t total_steps, int64_t step);

#endif
