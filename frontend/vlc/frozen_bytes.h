/* What the frozen weights of a plan take in memory. */
#ifndef VLG_FRONTEND_VLC_FROZEN_BYTES_H
#define VLG_FRONTEND_VLC_FROZEN_BYTES_H

#include "ir/graph.h"

/* Of all graphs together, once for each form in which a weight is read: integers with
 * their scales, else 4 bytes a number, which tiles of one bf16 part have half of. */
double frozen_bytes(const Module *module);

#endif
