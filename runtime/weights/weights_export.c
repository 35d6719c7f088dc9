/* Exports: parameters of a store as one file. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "runtime/weights/torch/torch_write.h"
#include "runtime/weights/weights.h"

static bool is_exported(const StoreEntry *entry, uint32_t place,
                        const ExportOptions *options)
{
    return entry->param && (param_is_kept(entry->param) || options->all) &&
           !(options->omit && options->omit[place]);
}

static const float *numbers_of(const StoreEntry *entry, uint32_t place,
                               const ExportOptions *options)
{
    bool is_replaced = options->replaced && options->replaced[place];
    return is_replaced ? options->replaced[place] : entry->data;
}

static bool check_finite(Store *store, const char *path, const ExportOptions *options,
                         Diags *diags)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        StoreEntry entry = *store_at(store, i);
        entry.data = (float *)numbers_of(&entry, i, options);
        int64_t at = is_exported(&entry, i, options) ? store_not_finite(&entry) : -1;
        if (at < 0)
            continue;
        diag_not_finite(diags, (Loc){.file = path},
                        "not written: element %" PRId64 " of parameter '%s' is %g", at,
                        entry.name, (double)entry.data[at]);
        return false;
    }
    return true;
}

/* Calls `add` for each name of what is exported. */
typedef void AddTensor(void *writer, const char *name, Type type, const float *numbers);

static void each_name(Store *store, const ExportOptions *options, AddTensor *add,
                      void *writer)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        const Param *param = entry->param;
        if (!is_exported(entry, i, options))
            continue;
        bool by_all = param_is_kept(param) || options->container == EXPORT_torch;
        const float *numbers = numbers_of(entry, i, options);
        add(writer, param->name, entry->type, numbers);
        for (uint32_t a = 0; by_all && a < param->alias_count; a++)
            add(writer, param->aliases[a], entry->type, numbers);
    }
}

static void add_safetensors(void *writer, const char *name, Type type,
                            const float *numbers)
{
    tensor_writer_add(writer, name, TENSOR_F32, type.rank, type.dims, numbers);
}

static void add_torch(void *writer, const char *name, Type type, const float *numbers)
{
    torch_writer_add(writer, name, type.rank, type.dims, numbers);
}

static bool export_torch(Store *store, const char *path, const ExportOptions *options,
                         Diags *diags)
{
    TorchWriter *writer = torch_writer_new(path);
    each_name(store, options, add_torch, writer);
    return torch_writer_finish(writer, diags);
}

bool weights_export(Store *store, const char *path, const ExportOptions *options,
                    Diags *diags)
{
    if (!check_finite(store, path, options, diags))
        return false;
    if (options->container == EXPORT_torch)
        return export_torch(store, path, options, diags);
    TensorWriter *writer = tensor_writer_new(path);
    char base[24];
    snprintf(base, sizeof base, "%" PRIu64, options->weights_fingerprint);
    tensor_writer_metadata(writer, "format", "pt"); /* what others ask for */
    tensor_writer_metadata(writer, "model", store_module(store)->name);
    if (!options->all)
        tensor_writer_metadata(writer, WEIGHTS_FINGERPRINT, base);
    for (const ExportMetadata *at = options->metadata; at && at->key; at++)
        tensor_writer_metadata(writer, at->key, at->value);
    each_name(store, options, add_safetensors, writer);
    return tensor_writer_finish(writer, diags);
}
