/* Matching names by themselves and by one prefix up to the first dot. */
#include "runtime/weights_match.h"

#include <string.h>

enum { NAME_MAX_BYTES = 512, MOST_PREFIXES = 256 };

static size_t first_part(const char *name)
{
    const char *dot = strchr(name, '.');
    return dot ? (size_t)(dot - name) + 1 : 0;
}

/* `name` with the prefix in front, in `out`; NULL if it is too long to be of any use. */
static const char *lengthen(Prefix prefix, const char *name, char out[NAME_MAX_BYTES])
{
    size_t len = strlen(name);
    if (prefix.len + len >= NAME_MAX_BYTES)
        return NULL;
    memcpy(out, prefix.text, prefix.len);
    memcpy(out + prefix.len, name, len + 1);
    return out;
}

static const char *shorten(Prefix prefix, const char *name)
{
    return strncmp(name, prefix.text, prefix.len) == 0 ? name + prefix.len : NULL;
}

static const StoreEntry *find_param(const Store *store, const char *name)
{
    const StoreEntry *entry = name ? store_find(store, name) : NULL;
    return entry && entry->param ? entry : NULL;
}

static const StoreEntry *prefixed_entry(Prefix prefix, const Store *store,
                                        const char *name)
{
    char longer[NAME_MAX_BYTES];
    if (prefix.len == 0)
        return NULL;
    return find_param(store, prefix.in_set ? shorten(prefix, name)
                                           : lengthen(prefix, name, longer));
}

const StoreEntry *prefix_entry(Prefix prefix, const Store *store, const char *name)
{
    const StoreEntry *entry = find_param(store, name);
    return entry ? entry : prefixed_entry(prefix, store, name);
}

static const Tensor *prefixed_tensor(Prefix prefix, const TensorSet *set,
                                     const char *name)
{
    char longer[NAME_MAX_BYTES];
    const char *other = prefix.in_set ? lengthen(prefix, name, longer)
                                      : shorten(prefix, name);
    return other ? tensor_set_find(set, other) : NULL;
}

const Tensor *prefix_tensor(Prefix prefix, const TensorSet *set, const Param *param)
{
    const Tensor *tensor = tensor_set_find(set, param->name);
    for (uint32_t i = 0; !tensor && i < param->alias_count; i++)
        tensor = tensor_set_find(set, param->aliases[i]);
    if (tensor || prefix.len == 0)
        return tensor;
    tensor = prefixed_tensor(prefix, set, param->name);
    for (uint32_t i = 0; !tensor && i < param->alias_count; i++)
        tensor = prefixed_tensor(prefix, set, param->aliases[i]);
    return tensor;
}

/* -- choosing -------------------------------------------------------------------- */

typedef struct Choice {
    const Store *store;
    const TensorSet *set;
    Prefix best;
    uint32_t most; /* tensors that are parameters by `best` */
} Choice;

static void consider(Choice *choice, Prefix prefix)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < tensor_set_count(choice->set); i++) {
        const char *name = tensor_set_at(choice->set, i)->name;
        count += prefixed_entry(prefix, choice->store, name) != NULL;
    }
    if (count <= choice->most)
        return;
    choice->best = prefix;
    choice->most = count;
}

/* The first part that more than half of the tensors have, if there is one (Boyer and
 * Moore's vote). */
static Prefix vote(const TensorSet *set)
{
    Prefix winner = {.in_set = true};
    uint32_t votes = 0;
    for (uint32_t i = 0; i < tensor_set_count(set); i++) {
        const char *name = tensor_set_at(set, i)->name;
        size_t len = first_part(name);
        if (votes == 0) {
            winner.text = name;
            winner.len = len;
        }
        bool is_same = len == winner.len && memcmp(name, winner.text, len) == 0;
        votes = is_same ? votes + 1 : votes - 1;
    }
    return winner;
}

Prefix prefix_choose(const Store *store, const TensorSet *set)
{
    Choice choice = {.store = store, .set = set};
    for (uint32_t i = 0; i < tensor_set_count(set); i++)
        choice.most += find_param(store, tensor_set_at(set, i)->name) != NULL;
    consider(&choice, vote(set));
    const Module *module = store_module(store);
    Prefix last = {0};
    uint32_t tried = 0;
    for (uint32_t i = 0; i < module->param_count && tried < MOST_PREFIXES; i++) {
        Prefix next = {.text = module->params[i].name};
        next.len = first_part(next.text);
        if (next.len == last.len &&
            (next.len == 0 || memcmp(next.text, last.text, next.len) == 0))
            continue;
        consider(&choice, next);
        last = next;
        tried++;
    }
    return choice.best;
}
