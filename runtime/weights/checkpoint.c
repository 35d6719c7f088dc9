/* Checkpoints as safetensors files whose metadata hold the run's place. */
#include "runtime/weights/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "ir/text.h"

static const char FORMAT[] = "vlgraph checkpoint 1", ANY_VERSION[] = "vlgraph checkpoint";

enum { NUMBER_TEXT = 24, CHECKED_BYTES = 1 << 30 };

struct CheckpointFile {
    TensorFile *tensors;
    Checkpoint info;
};

uint64_t plan_fingerprint(const Module *module)
{
    size_t len;
    char *text = module_print_unnamed(module, &len);
    uint64_t hash = hash_bytes(HASH_START, text, len);
    free(text);
    return hash;
}

/* -- writing --------------------------------------------------------------------- */

static void add_number(TensorWriter *writer, const char *key, uint64_t value)
{
    char text[NUMBER_TEXT];
    snprintf(text, sizeof text, "%" PRIu64, value);
    tensor_writer_metadata(writer, key, text);
}

static bool is_kept(const StoreEntry *entry)
{
    return entry->state || param_is_kept(entry->param);
}

/* crc32 takes 32-bit lengths. */
static uLong add_bytes(uLong crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t count; len > 0; at += count, len -= count) {
        count = len < CHECKED_BYTES ? len : CHECKED_BYTES;
        crc = crc32(crc, at, (uInt)count);
    }
    return crc;
}

/* Of the numbers that decide how a run goes on. */
static uLong checksum_info(const Checkpoint *info)
{
    uLong crc = crc32(0, NULL, 0);
    crc = add_bytes(crc, &info->step, sizeof info->step);
    crc = add_bytes(crc, &info->total_steps, sizeof info->total_steps);
    crc = add_bytes(crc, &info->plan, sizeof info->plan);
    crc = add_bytes(crc, &info->weights_fingerprint, sizeof info->weights_fingerprint);
    crc = add_bytes(crc, info->weights, strlen(info->weights));
    if (info->run)
        crc = add_bytes(crc, &info->run, sizeof info->run);
    crc = add_bytes(crc, info->processor, strlen(info->processor));
    return add_bytes(crc, info->scores, strlen(info->scores));
}

static uLong checksum_store(uLong crc, Store *store)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        if (is_kept(entry))
            crc = add_bytes(crc, entry->data,
                            (size_t)entry->elements * sizeof *entry->data);
    }
    return crc;
}

static uLong checksum_file(uLong crc, const TensorFile *file)
{
    for (uint32_t i = 0; i < tensor_file_count(file); i++) {
        const Tensor *tensor = tensor_file_at(file, i);
        crc = add_bytes(crc, tensor->bytes, (size_t)tensor->byte_count);
    }
    return crc;
}

/* All that a checkpoint holds; `path`: for the message. */
static bool check_finite(Store *store, bool states, const char *path, const char *what,
                         Diags *diags)
{
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        if (!is_kept(entry) || (!states && entry->state))
            continue;
        int64_t at = store_not_finite(entry);
        if (at < 0)
            continue;
        diag_not_finite(diags, (Loc){.file = path},
                        "%s: element %" PRId64 " of %s '%s' is %g", what, at,
                        entry->state ? "state" : "parameter", entry->name,
                        (double)entry->data[at]);
        return false;
    }
    return true;
}

bool checkpoint_write(const char *path, Store *store, const Checkpoint *checkpoint,
                      Diags *diags)
{
    if (!check_finite(store, true, path, "not saved", diags))
        return false;
    TensorWriter *writer = tensor_writer_new(path);
    tensor_writer_metadata(writer, "format", FORMAT);
    tensor_writer_metadata(writer, "model", store_module(store)->name);
    add_number(writer, "step", (uint64_t)checkpoint->step);
    add_number(writer, "total_steps", (uint64_t)checkpoint->total_steps);
    add_number(writer, "seed", (uint64_t)store_module(store)->settings.seed);
    add_number(writer, "plan", checkpoint->plan);
    tensor_writer_metadata(writer, "weights", checkpoint->weights);
    add_number(writer, "weights_fingerprint", checkpoint->weights_fingerprint);
    add_number(writer, "run", checkpoint->run);
    tensor_writer_metadata(writer, "processor", checkpoint->processor);
    tensor_writer_metadata(writer, "scores", checkpoint->scores);
    add_number(writer, "crc32", checksum_store(checksum_info(checkpoint), store));
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        if (is_kept(entry))
            tensor_writer_add(writer, entry->name, TENSOR_F32, entry->type.rank,
                              entry->type.dims, entry->data);
    }
    return tensor_writer_finish(writer, diags);
}

int64_t checkpoint_bytes(Store *store)
{
    enum { HEADER = 4096, HEADER_OF_TENSOR = 256 };
    int64_t bytes = HEADER;
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        if (is_kept(entry))
            bytes += HEADER_OF_TENSOR + entry->elements * (int64_t)sizeof *entry->data;
    }
    return bytes;
}

/* -- reading --------------------------------------------------------------------- */

static bool get_text(const CheckpointFile *file, const char *key, const char **out,
                     Diags *diags)
{
    *out = tensor_file_metadata(file->tensors, key);
    if (!*out)
        diag_error(diags, (Loc){.file = tensor_file_path(file->tensors)},
                   "checkpoint without \"%s\"", key);
    return *out;
}

static bool get_number(const CheckpointFile *file, const char *key, uint64_t *out,
                       Diags *diags)
{
    const char *text;
    if (!get_text(file, key, &text, diags))
        return false;
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (end != text && !*end && !errno)
        return true;
    diag_error(diags, (Loc){.file = tensor_file_path(file->tensors)},
               "checkpoint: \"%s\" is not a number: '%s'", key, text);
    return false;
}

static bool read_info(CheckpointFile *file, Diags *diags)
{
    Checkpoint *info = &file->info;
    const char *format = tensor_file_metadata(file->tensors, "format");
    if (!format || strcmp(format, FORMAT) != 0) {
        diag_error(diags, (Loc){.file = tensor_file_path(file->tensors)},
                   "not a checkpoint of this version of vlrun");
        return false;
    }
    uint64_t step, total;
    if (!get_number(file, "step", &step, diags) ||
        !get_number(file, "total_steps", &total, diags) ||
        !get_number(file, "plan", &info->plan, diags) ||
        !get_number(file, "weights_fingerprint", &info->weights_fingerprint, diags) ||
        !get_text(file, "weights", &info->weights, diags) ||
        !get_text(file, "scores", &info->scores, diags))
        return false;
    /* Earlier versions wrote neither. */
    info->processor = tensor_file_metadata(file->tensors, "processor");
    if (!info->processor)
        info->processor = "";
    if (tensor_file_metadata(file->tensors, "run") &&
        !get_number(file, "run", &info->run, diags))
        return false;
    if (step > total || total > INT64_MAX) {
        diag_error(diags, (Loc){.file = tensor_file_path(file->tensors)},
                   "checkpoint of step %" PRIu64 " of %" PRIu64, step, total);
        return false;
    }
    info->step = (int64_t)step;
    info->total_steps = (int64_t)total;
    uint64_t crc;
    if (!get_number(file, "crc32", &crc, diags))
        return false;
    if (crc == checksum_file(checksum_info(info), file->tensors))
        return true;
    diag_error(diags, (Loc){.file = tensor_file_path(file->tensors)},
               "damaged checkpoint: its checksum does not match");
    return false;
}

bool checkpoint_is_one(const TensorFile *file)
{
    const char *format = tensor_file_metadata(file, "format");
    return format && strncmp(format, ANY_VERSION, strlen(ANY_VERSION)) == 0;
}

CheckpointFile *checkpoint_open(const char *path, Diags *diags)
{
    CheckpointFile *file = heap_alloc(sizeof *file);
    *file = (CheckpointFile){.tensors = tensor_file_open(path, diags)};
    if (!file->tensors || !read_info(file, diags)) {
        checkpoint_close(file);
        return NULL;
    }
    return file;
}

const Checkpoint *checkpoint_info(const CheckpointFile *file)
{
    return &file->info;
}

void checkpoint_close(CheckpointFile *file)
{
    if (!file)
        return;
    tensor_file_close(file->tensors);
    free(file);
}

static bool fits(const CheckpointFile *file, const StoreEntry *entry, Diags *diags)
{
    const Tensor *tensor = tensor_file_need(file->tensors, entry->name, diags);
    if (!tensor)
        return false;
    bool is_equal = tensor->dtype == TENSOR_F32 && tensor->rank == entry->type.rank &&
                    memcmp(tensor->dims, entry->type.dims,
                           entry->type.rank * sizeof *tensor->dims) == 0;
    if (!is_equal)
        diag_error(diags, (Loc){.file = tensor_file_path(file->tensors)},
                   "tensor '%s' has another shape or type than the plan's", entry->name);
    return is_equal;
}

bool checkpoint_load(const CheckpointFile *file, Store *store, bool states, Diags *diags)
{
    bool ok = true;
    for (uint32_t i = 0; i < store_count(store); i++) {
        const StoreEntry *entry = store_at(store, i);
        if (is_kept(entry) && (states || entry->param))
            ok = fits(file, entry, diags) && ok;
    }
    for (uint32_t i = 0; ok && i < store_count(store); i++) {
        StoreEntry *entry = store_at(store, i);
        if (is_kept(entry) && (states || entry->param))
            tensor_read_f32(tensor_file_find(file->tensors, entry->name), 0,
                            entry->elements, entry->data);
        entry->given = entry->given || is_kept(entry);
    }
    return ok && check_finite(store, states, tensor_file_path(file->tensors),
                              "cannot be used", diags);
}
