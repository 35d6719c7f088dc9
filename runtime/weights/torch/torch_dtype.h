/* Element types by the names that they have in a pickle. */
#ifndef VLG_RUNTIME_WEIGHTS_TORCH_DTYPE_H
#define VLG_RUNTIME_WEIGHTS_TORCH_DTYPE_H

#include <stdint.h>

typedef struct TorchDtype {
    const char *name, *storage; /* of module torch; "" if no class of storages has it */
    const char *type;           /* as safetensors files call it */
    int64_t bytes;
} TorchDtype;

/* Of storages without a type, which are counted in bytes. */
extern const TorchDtype torch_untyped;

/* NULL if there is none. */
const TorchDtype *torch_dtype_of_name(const char *name);
const TorchDtype *torch_dtype_of_storage(const char *storage);

#endif
