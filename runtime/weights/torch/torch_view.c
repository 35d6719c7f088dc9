#include "runtime/weights/torch/torch_view.h"

#include <string.h>

/* Of storages without a type, elements of the view's own type. */
static int64_t storage_elements(const TorchView *view)
{
    return view->storage->elements * view->storage->dtype->bytes / view->dtype->bytes;
}

/* The place of the last element; false if it cannot be counted. */
static bool find_last(const TorchView *view, int64_t *out)
{
    *out = view->offset;
    for (uint32_t i = 0; i < view->rank; i++) {
        int64_t span;
        if (view->strides[i] < 0 ||
            __builtin_mul_overflow(view->dims[i] - 1, view->strides[i], &span) ||
            __builtin_add_overflow(*out, span, out))
            return false;
    }
    return true;
}

const char *torch_view_check(TorchView *view)
{
    int64_t last, bytes;
    view->elements = 1;
    for (uint32_t i = 0; i < view->rank; i++)
        if (view->dims[i] < 0 ||
            __builtin_mul_overflow(view->elements, view->dims[i], &view->elements))
            return "has an impossible shape";
    if (__builtin_mul_overflow(view->elements, view->dtype->bytes, &bytes))
        return "has an impossible shape";
    if (view->offset < 0 || view->offset > storage_elements(view))
        return "begins outside of its storage";
    if (view->elements == 0)
        return NULL;
    if (!find_last(view, &last) || last >= storage_elements(view))
        return "reaches beyond its storage";
    return NULL;
}

bool torch_view_is_dense(const TorchView *view)
{
    int64_t expected = 1;
    for (uint32_t i = view->rank; i-- > 0 && view->elements > 0;) {
        if (view->dims[i] != 1 && view->strides[i] != expected)
            return false;
        expected *= view->dims[i];
    }
    return true;
}

const unsigned char *torch_view_first(const TorchView *view)
{
    return view->storage->bytes + view->offset * view->dtype->bytes;
}

/* Counts the dims up like the digits of a number, the last one fastest. */
void torch_view_copy(const TorchView *view, unsigned char *out)
{
    const size_t size = (size_t)view->dtype->bytes;
    const unsigned char *first = torch_view_first(view);
    int64_t index[TORCH_MAX_RANK] = {0}, at = 0;
    for (int64_t n = 0; n < view->elements; n++) {
        memcpy(out, first + at * view->dtype->bytes, size);
        out += size;
        for (uint32_t i = view->rank; i-- > 0;) {
            if (view->dims[i] == 1) /* its stride may be anything */
                continue;
            at += view->strides[i];
            if (++index[i] < view->dims[i])
                break;
            at -= index[i] * view->strides[i];
            index[i] = 0;
        }
    }
}
