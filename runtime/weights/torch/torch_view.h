/* A tensor as PyTorch has it: a view of a storage by an offset and strides. */
#ifndef VLG_RUNTIME_WEIGHTS_TORCH_VIEW_H
#define VLG_RUNTIME_WEIGHTS_TORCH_VIEW_H

#include "runtime/weights/torch/torch_storage.h"

enum { TORCH_MAX_RANK = 8 };

typedef struct TorchView {
    const TorchStorage *storage;
    const TorchDtype *dtype;
    uint32_t rank;
    int64_t dims[TORCH_MAX_RANK], strides[TORCH_MAX_RANK]; /* strides in elements */
    int64_t offset, elements;
} TorchView;

/* Computes `elements`; what is wrong with a view that leaves its storage or counts more
 * than can be counted, or NULL. */
NODISCARD const char *torch_view_check(TorchView *view);

/* Whether its elements lie end to end in row-major order. */
bool torch_view_is_dense(const TorchView *view);
const unsigned char *torch_view_first(const TorchView *view); /* its first byte */
/* Row-major copy; `out` has room for all elements. */
void torch_view_copy(const TorchView *view, unsigned char *out);

#endif
