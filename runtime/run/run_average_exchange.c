/* The average of adapters that are directories of another library's: their tensors, then
 * our files, each by run_average; both bear one hash, so that files of two averages are
 * not taken for one. */
#include <inttypes.h>
#include <stdlib.h>

#include "ir/base/files.h"
#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "runtime/exchange/exchange.h"
#include "runtime/run/run_average.h"
#include "runtime/weights/fingerprint.h"

typedef struct Adapters {
    const AverageOptions *options;
    ExchangeFiles **files;
    char hash[24];
    Diags *diags;
} Adapters;

static bool open_all(const Adapters *adapters)
{
    const AverageOptions *options = adapters->options;
    for (uint32_t i = 0; i < options->count; i++) {
        const char *path = options->inputs[i];
        if (!exchange_is_directory(path)) {
            diag_error(adapters->diags, (Loc){.file = path},
                       "is no directory of another library's, as other inputs are: "
                       "`vlrun import` makes exports of those");
            return false;
        }
        adapters->files[i] = exchange_open(path, adapters->diags);
        if (!adapters->files[i] ||
            !exchange_check_alike(adapters->files[0], adapters->files[i],
                                  adapters->diags))
            return false;
    }
    return true;
}

static void hash_all(Adapters *adapters)
{
    const AverageOptions *options = adapters->options;
    uint64_t hash = HASH_START;
    for (uint32_t i = 0; i < options->count; i++) {
        uint64_t one = weights_fingerprint(exchange_tensors(adapters->files[i]));
        hash = hash_bytes(hash, &one, sizeof one);
    }
    if (options->coefficients)
        hash = hash_bytes(hash, options->coefficients,
                          options->count * sizeof *options->coefficients);
    snprintf(adapters->hash, sizeof adapters->hash, "%016" PRIx64, hash);
}

/* One file of each, to the file of that name in the output. */
static bool average_files(const Adapters *adapters,
                          const TensorSet *(*set_of)(const ExchangeFiles *),
                          const char *name)
{
    const AverageOptions *options = adapters->options;
    const char **paths = HEAP_ARRAY(const char *, options->count);
    for (uint32_t i = 0; i < options->count; i++)
        paths[i] = tensor_set_path(set_of(adapters->files[i]));
    const char *task = tensor_set_metadata(set_of(adapters->files[0]), EXCHANGE_TASK);
    const ExportMetadata metadata[] = {{EXCHANGE_HASH, adapters->hash},
                                       {task ? EXCHANGE_TASK : NULL, task},
                                       {NULL, NULL}};
    char *out = heap_format("%s/%s", options->out, name);
    const AverageOptions files = {.inputs = paths,
                                  .count = options->count,
                                  .coefficients = options->coefficients,
                                  .out = out,
                                  .metadata = metadata};
    bool ok = run_average(&files, adapters->diags);
    free(out);
    free(paths);
    return ok;
}

static bool write_all(const Adapters *adapters)
{
    const ExchangeFiles *first = adapters->files[0];
    const ExchangeInfo *info = exchange_info(exchange_format_of(first));
    return directory_make(adapters->options->out, adapters->diags) &&
           average_files(adapters, exchange_tensors, info->tensors) &&
           (!exchange_rest(first) ||
            average_files(adapters, exchange_rest, EXCHANGE_REST)) &&
           exchange_write_config(first, adapters->options->out, adapters->diags);
}

bool run_average_exchange(const AverageOptions *options, Diags *diags)
{
    if (options->best) {
        diag_error(diags, (Loc){0}, "--best goes with runs");
        return false;
    }
    Adapters adapters = {.options = options,
                         .files = HEAP_ARRAY(ExchangeFiles *, options->count),
                         .diags = diags};
    bool ok = open_all(&adapters);
    if (ok) {
        hash_all(&adapters);
        ok = write_all(&adapters);
    }
    for (uint32_t i = 0; i < options->count; i++)
        exchange_close(adapters.files[i]);
    free(adapters.files);
    return ok;
}
