/* Which tensors of a pickle are parameters, and what they are called. */
#ifndef VLG_RUNTIME_WEIGHTS_TORCH_NAMES_H
#define VLG_RUNTIME_WEIGHTS_TORCH_NAMES_H

#include "runtime/weights/torch/pickle.h"

typedef struct TorchNamed {
    const char *name;
    const TorchView *view;
} TorchNamed;

typedef struct TorchNames {
    TorchNamed *items; /* in the order of the pickle; in the arena */
    size_t count, capacity;
} TorchNames;

/* The tensors of a dict, under their keys; or those of an object of TorchScript, under
 * the names of its attributes, "visual.conv1.weight". Where the root is a dict of such
 * dicts, as training writes, `member` says which is meant, "model" or "model.ema", and
 * "." is the root itself; NULL: the only one that there is. False and an error that
 * lists what there is if that is none or several. */
NODISCARD bool torch_names_collect(const PickleValue *root, const char *path,
                                   const char *member, Arena *arena, TorchNames *out,
                                   Diags *diags);

#endif
