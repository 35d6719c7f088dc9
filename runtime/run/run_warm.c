/* Taking trained parameters by name; steps and states of the optimizer begin anew. */
#include "runtime/run/run_warm.h"

#include <inttypes.h>
#include <stdlib.h>

#include "ir/base/heap.h"

WeightsChoice run_choice(const RunOptions *options)
{
    return (WeightsChoice){.ignore_mismatched = options->ignore_mismatched,
                           .skip = options->skip.items,
                           .skip_count = options->skip.count};
}

/* The weights below the parameters of the file; 0: any. False and an error if it is a
 * checkpoint that is damaged. */
static bool read_base(const char *path, uint64_t *out, Diags *diags)
{
    TensorFile *file = tensor_file_open_any(path, diags);
    if (!file)
        return false;
    const char *base = tensor_file_metadata(file, WEIGHTS_FINGERPRINT);
    bool is_checkpoint = checkpoint_is_one(file);
    *out = base ? strtoull(base, NULL, 10) : 0;
    tensor_file_close(file);
    if (!is_checkpoint)
        return true;
    CheckpointFile *checkpoint = checkpoint_open(path, diags);
    if (checkpoint)
        *out = checkpoint_info(checkpoint)->weights_fingerprint;
    checkpoint_close(checkpoint);
    return checkpoint;
}

/* Directories that are no runs are models as hubs have them. */
static bool open_set(Run *run, const char *from, uint64_t *out_base, Diags *diags)
{
    *out_base = 0;
    char *path = run_is_directory(from) && run_has_checkpoint(from)
                     ? run_checkpoint_path(from)
                     : heap_string(from);
    if (run_is_directory(path) || read_base(path, out_base, diags))
        run->init = tensor_set_open(path, diags);
    free(path);
    return run->init;
}

static bool check_finite(const Run *run, const char *path, Diags *diags)
{
    for (uint32_t i = 0; i < store_count(run->store); i++) {
        const StoreEntry *entry = store_at(run->store, i);
        bool is_kept = entry->param && param_is_kept(entry->param);
        int64_t at = is_kept ? store_not_finite(entry) : -1;
        if (at < 0)
            continue;
        diag_not_finite(diags, (Loc){.file = path},
                        "cannot be used: element %" PRId64 " of parameter '%s' is %g", at,
                        entry->name, (double)entry->data[at]);
        return false;
    }
    return true;
}

static bool take_set(Run *run, const RunOptions *options, uint64_t *out_base,
                     Diags *diags)
{
    WeightsReport report;
    WeightsChoice choice = run_choice(options);
    choice.kept_only = true;
    if (!open_set(run, options->init_from, out_base, diags) ||
        !weights_load_chosen(run->store, run->init, &choice, &report, diags) ||
        !check_finite(run, tensor_set_path(run->init), diags))
        return false;
    weights_report_kept(run->store, run->init, &report, stderr);
    return true;
}

static bool take_exchange(Run *run, const RunOptions *options, uint64_t *out_base,
                          Diags *diags)
{
    WeightsChoice choice = run_choice(options);
    choice.kept_only = true;
    ExchangeFiles *files = exchange_open(options->init_from, diags);
    if (!files)
        return false;
    *out_base = exchange_trained_over(files);
    bool ok = exchange_begin(files, run->store, &choice, stderr, diags) &&
              check_finite(run, options->init_from, diags);
    exchange_close(files);
    return ok;
}

bool run_warm(Run *run, const RunOptions *options, Diags *diags)
{
    uint64_t base;
    bool ok = exchange_is_directory(options->init_from)
                  ? take_exchange(run, options, &base, diags)
                  : take_set(run, options, &base, diags);
    if (!ok)
        return false;
    run->trained_over = base;
    bool has_none = !run->weights && options->no_session; /* nothing works over them */
    if (base && base != run->weights_fingerprint && !has_none)
        diag_warning(diags, (Loc){.file = options->init_from},
                     "was trained over other weights than those of this run");
    return true;
}
