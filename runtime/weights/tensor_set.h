/* The tensors of one model, in one file or in several, of safetensors or of PyTorch: a
 * directory as downloaded from the hub, an index that says which file has which tensor,
 * or a file. */
#ifndef VLG_RUNTIME_WEIGHTS_TENSOR_SET_H
#define VLG_RUNTIME_WEIGHTS_TENSOR_SET_H

#include "runtime/weights/safetensors.h"

typedef struct TensorSet TensorSet;

/* `path` is a directory with model.safetensors, model.safetensors.index.json, or else
 * pytorch_model.bin or its index, such an index (its name ends in .json), or a file for
 * tensor_file_open_any. An index names files beside it only. NULL and an error that names
 * the file at fault. */
TensorSet *tensor_set_open(const char *path, Diags *diags);
void tensor_set_close(TensorSet *set); /* unmaps: no Tensor may be used after; or NULL */
const char *tensor_set_path(const TensorSet *set); /* as it was given */

uint32_t tensor_set_file_count(const TensorSet *set);
const TensorFile *tensor_set_file_at(const TensorSet *set, uint32_t index);

/* In the order of names: however a model is split into files, its set is the same. */
uint32_t tensor_set_count(const TensorSet *set);
const Tensor *tensor_set_at(const TensorSet *set, uint32_t index);
const Tensor *tensor_set_find(const TensorSet *set, const char *name); /* or NULL */
/* The name in the set that is nearest to one that is not; or NULL. */
const char *tensor_set_nearest(const TensorSet *set, const char *name);
/* Of the first file; or NULL. */
const char *tensor_set_metadata(const TensorSet *set, const char *key);
/* The file that has the tensor. */
const char *tensor_set_file(const TensorSet *set, const Tensor *tensor);

#endif
