/* What tells one model's weights from another's: a hash of every tensor's name, type,
 * shape and bytes, however they are split into files. */
#ifndef VLG_RUNTIME_WEIGHTS_FINGERPRINT_H
#define VLG_RUNTIME_WEIGHTS_FINGERPRINT_H

#include "runtime/weights/tensor_set.h"

uint64_t weights_hash(const TensorSet *set); /* reads all bytes */
/* Reads all bytes, unless the user's cache remembers the result for these very files:
 * device, inode, size, and times of the last change. 0 is the fingerprint of nothing. */
uint64_t weights_fingerprint(const TensorSet *set);

#endif
