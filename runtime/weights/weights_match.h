/* Which tensor of a set is which parameter, where a model's names and a file's differ by
 * one prefix: a file made from a part of a model lacks the name of that part, and a file
 * made from a model that has this one as a part has one more. */
#ifndef VLG_RUNTIME_WEIGHTS_WEIGHTS_MATCH_H
#define VLG_RUNTIME_WEIGHTS_WEIGHTS_MATCH_H

#include "runtime/weights/store.h"
#include "runtime/weights/tensor_set.h"

typedef struct Prefix {
    const char *text; /* its first `len` bytes, the last of them a dot; none if 0 */
    size_t len;
    bool in_set; /* the set's names have it, not the model's */
} Prefix;

/* The prefix by which the most tensors are parameters; none if it adds nothing. */
Prefix prefix_choose(const Store *store, const TensorSet *set);

/* Under the parameter's name or an alias as it is, or else with the prefix; or NULL. */
const Tensor *prefix_tensor(Prefix prefix, const TensorSet *set, const Param *param);
/* Whether all tensors under names of the parameter are the same one, or equal. An error
 * if not: whichever is taken, the others would be ignored. */
NODISCARD bool prefix_check_ties(Prefix prefix, const TensorSet *set, const Param *param,
                                 Diags *diags);
/* The parameter that the tensor of this name is; or NULL. */
const StoreEntry *prefix_entry(Prefix prefix, const Store *store, const char *name);

#endif
