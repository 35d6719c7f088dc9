/* Matching names by themselves and by one prefix up to the first dot. */
#include "runtime/weights/weights_match.h"

#include <string.h>

enum { NAME_MAX_BYTES = 512, MOST_PREFIXES = 256, DEEPEST = 4, MOST_NAMES = 16 };

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
    const char *other =
        prefix.in_set ? lengthen(prefix, name, longer) : shorten(prefix, name);
    return other ? tensor_set_find(set, other) : NULL;
}

/* Tensors under any name of the parameter, in the order of prefix_tensor. */
static uint32_t list_tensors(Prefix prefix, const TensorSet *set, const Param *param,
                             const Tensor **out, uint32_t room)
{
    uint32_t count = 0;
    for (int prefixed = 0; prefixed < (prefix.len ? 2 : 1); prefixed++)
        for (uint32_t i = 0; i <= param->alias_count && count < room; i++) {
            const char *name = i ? param->aliases[i - 1] : param->name;
            out[count] = prefixed ? prefixed_tensor(prefix, set, name)
                                  : tensor_set_find(set, name);
            count += out[count] != NULL;
        }
    return count;
}

static bool are_equal(const Tensor *a, const Tensor *b)
{
    return a == b || (strcmp(a->type, b->type) == 0 && a->byte_count == b->byte_count &&
                      (a->bytes == b->bytes ||
                       memcmp(a->bytes, b->bytes, (size_t)a->byte_count) == 0));
}

bool prefix_check_ties(Prefix prefix, const TensorSet *set, const Param *param,
                       Diags *diags)
{
    const Tensor *found[MOST_NAMES];
    uint32_t count = list_tensors(prefix, set, param, found, MOST_NAMES);
    for (uint32_t i = 1; i < count; i++) {
        if (are_equal(found[0], found[i]))
            continue;
        diag_error(
            diags, (Loc){.file = tensor_set_file(set, found[i])},
            "tensors '%s' and '%s' differ, and are one parameter of the plan, '%s'",
            found[0]->name, found[i]->name, param->name);
        diag_note(diags, param->loc, "a plan that ties them cannot use both");
        return false;
    }
    return true;
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

typedef struct PrefixChoice {
    const Store *store;
    const TensorSet *set;
    Prefix best;
    uint32_t most; /* tensors that are parameters by `best` */
} PrefixChoice;

static void consider(PrefixChoice *choice, Prefix prefix)
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

/* The next part after `outer` that more than half of the tensors with that have, if there
 * is one (Boyer and Moore's vote). */
static Prefix vote(const TensorSet *set, Prefix outer)
{
    Prefix winner = {.in_set = true};
    uint32_t votes = 0;
    for (uint32_t i = 0; i < tensor_set_count(set); i++) {
        const char *name = tensor_set_at(set, i)->name;
        if (!shorten(outer, name))
            continue;
        size_t len = outer.len + first_part(name + outer.len);
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
    PrefixChoice choice = {.store = store, .set = set};
    for (uint32_t i = 0; i < tensor_set_count(set); i++)
        choice.most += find_param(store, tensor_set_at(set, i)->name) != NULL;
    Prefix outer = {.text = "", .in_set = true};
    for (int depth = 0; depth < DEEPEST; depth++) { /* "base_model.model." */
        Prefix inner = vote(set, outer);
        if (inner.len <= outer.len)
            break;
        consider(&choice, inner);
        outer = inner;
    }
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
