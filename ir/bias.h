/* Buckets of relative attention bias: near distances have one each, far ones share,
 * the more the farther, and beyond max_distance all share the last. */
#ifndef VLG_IR_BIAS_H
#define VLG_IR_BIAS_H

#include <stdbool.h>
#include <stdint.h>

/* The row of the bias table for `relative` = place of the key - place of the query.
 * Bidirectional tables keep their upper half for keys after the query; otherwise those
 * count as distance 0. At least 4 buckets, max_distance at least 1. */
int64_t relative_bucket(int64_t relative, bool bidirectional, int64_t buckets,
                        int64_t max_distance);

#endif
