/* Initial values, loading and exporting of parameters.
 *
 * The stream of a parameter is keyed by seed and name; element i of block b draws from
 * the key of (stream, b), so that any range can be made anywhere. Normal numbers come in
 * pairs from two draws (Box and Muller, 1958). */
#include "runtime/weights/weights.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "ir/base/random.h"
#include "runtime/lanes/lanes.h"
#include "runtime/weights/weights_choice.h"
#include "runtime/weights/weights_match.h"

enum { BLOCK = 1 << 16 };

/* -- initial values -------------------------------------------------------------- */

static uint32_t block_key(const Param *param, uint64_t seed, int64_t block)
{
    uint64_t name = hash_bytes(HASH_START, param->name, strlen(param->name));
    return random_row_key(random_step_key(seed, name), (uint32_t)block);
}

/* In (0, 1] and [0, 1). */
static float open_below(uint32_t bits)
{
    return ((float)bits + 1.0F) * 0x1p-32F;
}

static double open_above(uint32_t bits)
{
    return (double)bits * 0x1p-32;
}

/* Elements `column` (even) and `column + 1`. */
static void draw_normals(const Init *init, uint32_t key, uint32_t column, float *out)
{
    float radius = sqrtf(-2.0F * logf(open_below(random_bits(key, column))));
    float angle = (float)(2 * M_PI) * (float)open_above(random_bits(key, column + 1));
    out[0] = (float)init->a + (float)init->b * (radius * cosf(angle));
    out[1] = (float)init->a + (float)init->b * (radius * sinf(angle));
}

/* Elements [first, stop) of one block. */
static void draw_block(const Init *init, uint32_t key, uint32_t first, uint32_t stop,
                       float *out)
{
    if (init->kind == INIT_normal) {
        for (uint32_t column = first & ~1U; column < stop; column += 2) {
            float pair[2];
            draw_normals(init, key, column, pair);
            if (column >= first)
                out[column - first] = pair[0];
            if (column + 1 >= first && column + 1 < stop)
                out[column + 1 - first] = pair[1];
        }
        return;
    }
    float constant = init->kind == INIT_ones    ? 1
                     : init->kind == INIT_zeros ? 0
                                                : (float)init->a;
    for (uint32_t column = first; column < stop; column++)
        out[column - first] =
            init->kind != INIT_uniform
                ? constant
                : (float)(init->a +
                          (init->b - init->a) * open_above(random_bits(key, column)));
}

void weights_draw(const Param *param, uint64_t seed, int64_t first, int64_t count,
                  float *out)
{
    int64_t stop = first + count;
    for (int64_t i = first; i < stop;) {
        int64_t block = i / BLOCK,
                end = (block + 1) * BLOCK < stop ? (block + 1) * BLOCK : stop;
        draw_block(&param->init, block_key(param, seed, block),
                   (uint32_t)(i - block * BLOCK), (uint32_t)(end - block * BLOCK),
                   out + (i - first));
        i = end;
    }
}

/* -- a parameter in a set -------------------------------------------------------- */

/* Sizes without leading ones: [1, 50] holds what [50] does. */
static uint32_t skip_ones(const int64_t *dims, uint32_t rank)
{
    uint32_t first = 0;
    while (first + 1 < rank && dims[first] == 1)
        first++;
    return first;
}

typedef enum Fit { FIT_none, FIT_rows, FIT_whole } Fit;

static Fit fit_of(const Tensor *tensor, Type type)
{
    uint32_t a = skip_ones(tensor->dims, tensor->rank),
             b = skip_ones(type.dims, type.rank);
    uint32_t rank = type.rank - b;
    if (tensor->rank == 0)
        return type_static_elements(type) == 1 ? FIT_whole : FIT_none;
    if (tensor->rank - a != rank)
        return FIT_none;
    for (uint32_t i = 1; i < rank; i++)
        if (tensor->dims[a + i] != type.dims[b + i])
            return FIT_none;
    if (tensor->dims[a] == type.dims[b])
        return FIT_whole;
    return tensor->rank >= 2 && tensor->dims[a] < type.dims[b] ? FIT_rows : FIT_none;
}

/* All parameters and states, shared out to threads. */
typedef struct Filling {
    Store *store;
    uint64_t seed;
    const TensorSet *set; /* or NULL */
    Prefix prefix;
    _Atomic uint32_t next; /* entry */
} Filling;

static void fill_entry(StoreEntry *entry, const Filling *filling)
{
    if (entry->param) {
        const Tensor *tensor =
            filling->set ? prefix_tensor(filling->prefix, filling->set, entry->param)
                         : NULL;
        if (tensor && fit_of(tensor, entry->type) == FIT_whole)
            return;
        /* Pages are zero already, and touching them costs memory. */
        if (entry->param->init.kind != INIT_zeros)
            weights_draw(entry->param, filling->seed, 0, entry->elements, entry->data);
        return;
    }
    for (int64_t i = 0; i < entry->elements && entry->state->init != 0; i++)
        entry->data[i] = (float)entry->state->init;
}

static void fill_entries(void *state, uint32_t lane)
{
    Filling *filling = state;
    (void)lane;
    for (;;) {
        uint32_t index = atomic_fetch_add(&filling->next, 1);
        if (index >= store_count(filling->store))
            return;
        fill_entry(store_at(filling->store, index), filling);
    }
}

void weights_initialize(Store *store, uint64_t seed, const TensorSet *set)
{
    Filling filling = {.store = store, .seed = seed, .set = set};
    if (set)
        filling.prefix = prefix_choose(store, set);
    Diags *diags = diags_new(NULL); /* one thread does as well */
    Lanes *lanes = lanes_new(lanes_default_count(), diags);
    if (lanes)
        lanes_run(lanes, fill_entries, &filling);
    else
        fill_entries(&filling, 0);
    lanes_free(lanes);
    diags_free(diags);
}

/* -- loading --------------------------------------------------------------------- */

static bool is_float(TensorDType dtype)
{
    return dtype == TENSOR_F64 || dtype == TENSOR_F32 || dtype == TENSOR_F16 ||
           dtype == TENSOR_BF16;
}

void weights_print_shape(char *out, size_t size, const int64_t *dims, uint32_t rank)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (uint32_t i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%lld", i ? ", " : "",
                                 (long long)dims[i]);
    if (used < size)
        snprintf(out + used, size - used, "]");
}

static void wrong_shape(const TensorSet *set, const Tensor *tensor,
                        const StoreEntry *entry, Diags *diags)
{
    char has[96], wants[96];
    weights_print_shape(has, sizeof has, tensor->dims, tensor->rank);
    weights_print_shape(wants, sizeof wants, entry->type.dims, entry->type.rank);
    diag_error(diags, (Loc){.file = tensor_set_file(set, tensor)},
               "tensor '%s' has shape %s, the parameter '%s' has %s", tensor->name, has,
               entry->name, wants);
    diag_note(diags, entry->param->loc, "'%s' is declared here", entry->name);
}

static bool load_entry(StoreEntry *entry, const TensorSet *set, const Tensor *tensor,
                       WeightsReport *report, Diags *diags)
{
    Fit fit = fit_of(tensor, entry->type);
    if (!is_float(tensor->dtype)) {
        diag_error(diags, (Loc){.file = tensor_set_file(set, tensor)},
                   "tensor '%s' has type %s; parameters are real numbers", tensor->name,
                   tensor->type);
        return false;
    }
    if (fit == FIT_none) {
        wrong_shape(set, tensor, entry, diags);
        return false;
    }
    report->loaded++;
    report->resized += fit == FIT_rows;
    entry->given = 2 * tensor->elements >= entry->elements;
    if (fit == FIT_whole && tensor->dtype == TENSOR_F32 && tensor->is_mapped &&
        !entry->param->trained && store_map(entry, tensor->bytes)) {
        report->mapped++;
        return true;
    }
    store_own(entry); /* an earlier file may be there */
    tensor_read_f32(tensor, 0, tensor->elements, entry->data);
    return true;
}

typedef struct Loading {
    Store *store;
    const TensorSet *set;
    const WeightsChoice *choice;
    Prefix prefix;
    WeightsReport *report;
    Diags *diags;
} Loading;

/* weights_initialize has left it out, as the set has it. */
static void draw_again(const Loading *loading, StoreEntry *entry)
{
    uint64_t seed = (uint64_t)store_module(loading->store)->settings.seed;
    if (!loading->choice->kept_only)
        weights_draw(entry->param, seed, 0, entry->elements, entry->data);
}

/* A table that has grown goes on from what its first rows were; a map that is wider than
 * the one that was trained is another. */
static bool is_mismatched(const Loading *loading, const StoreEntry *entry,
                          const Tensor *tensor)
{
    Fit fit = fit_of(tensor, entry->type);
    return fit == FIT_none || (loading->choice->kept_only && fit == FIT_rows);
}

static void leave_mismatched(const Loading *loading, const StoreEntry *entry,
                             const Tensor *tensor)
{
    char has[96], wants[96];
    loading->report->mismatched++;
    if (loading->choice->is_filled_later)
        return;
    weights_print_shape(has, sizeof has, tensor->dims, tensor->rank);
    weights_print_shape(wants, sizeof wants, entry->type.dims, entry->type.rank);
    diag_warning(loading->diags, (Loc){.file = tensor_set_file(loading->set, tensor)},
                 "tensor '%s' has shape %s, the parameter '%s' has %s: it keeps its "
                 "initial values",
                 tensor->name, has, entry->name, wants);
}

static bool take_entry(const Loading *loading, StoreEntry *entry)
{
    WeightsReport *report = loading->report;
    const Tensor *tensor = prefix_tensor(loading->prefix, loading->set, entry->param);
    bool is_kept = param_is_kept(entry->param);
    if (!tensor) {
        report->missing++;
        report->frozen_missing += !is_kept;
        return true;
    }
    if (!is_kept && loading->choice->kept_only) {
        report->left++;
        return true;
    }
    if (is_kept && weights_is_skipped(loading->choice, entry->param)) {
        report->skipped++;
        draw_again(loading, entry);
        return true;
    }
    if (is_kept && is_mismatched(loading, entry, tensor)) {
        const WeightsChoice *choice = loading->choice;
        bool is_left = choice->ignore_mismatched || choice->is_filled_later;
        if (is_left)
            leave_mismatched(loading, entry, tensor);
        else
            wrong_shape(loading->set, tensor, entry, loading->diags);
        return is_left;
    }
    return prefix_check_ties(loading->prefix, loading->set, entry->param,
                             loading->diags) &&
           load_entry(entry, loading->set, tensor, report, loading->diags);
}

bool weights_load_chosen(Store *store, const TensorSet *set, const WeightsChoice *choice,
                         WeightsReport *out_report, Diags *diags)
{
    const Loading loading = {store,      set,  choice, prefix_choose(store, set),
                             out_report, diags};
    bool ok = true;
    *out_report = (WeightsReport){0};
    for (uint32_t i = 0; i < store_count(store); i++) {
        StoreEntry *entry = store_at(store, i);
        ok = (!entry->param || take_entry(&loading, entry)) && ok;
    }
    for (uint32_t i = 0; i < tensor_set_count(set); i++) {
        const char *name = tensor_set_at(set, i)->name;
        out_report->unexpected += !prefix_entry(loading.prefix, store, name);
    }
    if (ok && out_report->loaded == 0) {
        diag_error(diags, (Loc){.file = tensor_set_path(set)},
                   "has no %sparameter of model '%s'%s",
                   choice->kept_only ? "trained " : "", store_module(store)->name,
                   out_report->skipped + out_report->mismatched ? " that is taken" : "");
        return false;
    }
    return ok;
}

bool weights_load(Store *store, const TensorSet *set, WeightsReport *out_report,
                  Diags *diags)
{
    const WeightsChoice all = {0};
    return weights_load_chosen(store, set, &all, out_report, diags);
}

bool weights_load_trained(Store *store, const TensorSet *set, Diags *diags)
{
    Prefix prefix = prefix_choose(store, set);
    WeightsReport report = {0};
    bool ok = true;
    for (uint32_t i = 0; ok && i < store_count(store); i++) {
        StoreEntry *entry = store_at(store, i);
        const Tensor *tensor =
            entry->param ? prefix_tensor(prefix, set, entry->param) : NULL;
        if (tensor) {
            ok = prefix_check_ties(prefix, set, entry->param, diags) &&
                 load_entry(entry, set, tensor, &report, diags);
        } else if (entry->param && param_is_kept(entry->param)) {
            const char *near = tensor_set_nearest(set, entry->name);
            diag_error(diags, (Loc){.file = tensor_set_path(set)}, "has no %s '%s'%s%s%s",
                       entry->param->trained ? "trained parameter" : "buffer",
                       entry->name, near ? "; it has '" : "", near ? near : "",
                       near ? "'" : "");
            ok = false;
        }
    }
    return ok;
}
