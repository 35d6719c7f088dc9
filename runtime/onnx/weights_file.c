/* Weights beside the graphs that use them. */
#include "runtime/onnx/weights_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/onnx/directory.h"

enum {
    ALIGNMENT = 4096,
    LEAST_BYTES = 1024, /* of a tensor that is worth a page of the file */
};

typedef struct WeightPlace {
    const StoreEntry *entry;
    int64_t offset;
} WeightPlace;

struct WeightsFile {
    Store *store;
    WeightPlace *placed; /* in the order of the file */
    size_t placed_count, placed_capacity;
    int64_t end;       /* of the last */
    char ***locations; /* in the messages of graphs: where the file's name goes */
    size_t location_count, location_capacity;
    char *name;
};

WeightsFile *weights_file_new(Store *store)
{
    WeightsFile *file = HEAP_ARRAY(WeightsFile, 1);
    file->store = store;
    return file;
}

void weights_file_free(WeightsFile *file)
{
    free(file->locations);
    free(file->name);
    free(file->placed);
    free(file);
}

static int64_t bytes_of(const StoreEntry *entry)
{
    return entry->elements * (int64_t)sizeof(float);
}

/* Where the file has the parameter; graphs share few enough to look through them. */
static int64_t place(WeightsFile *file, const StoreEntry *entry)
{
    for (size_t i = 0; i < file->placed_count; i++)
        if (file->placed[i].entry == entry)
            return file->placed[i].offset;
    int64_t offset = (file->end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    LIST_ROOM(file->placed, file->placed_count + 1, file->placed_capacity);
    file->placed[file->placed_count++] = (WeightPlace){entry, offset};
    file->end = offset + bytes_of(entry);
    return offset;
}

static void refer(WeightsFile *file, OnnxGraph *graph, const StoreEntry *entry,
                  Onnx__TensorProto *tensor)
{
    Arena *arena = onnx_graph_arena(graph);
    char offset[32], length[32];
    snprintf(offset, sizeof offset, "%" PRId64, place(file, entry));
    snprintf(length, sizeof length, "%" PRId64, bytes_of(entry));
    tensor->has_data_location = true;
    tensor->data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    onnx_add_entry(arena, &tensor->n_external_data, &tensor->external_data, "location",
                   "");
    LIST_ROOM(file->locations, file->location_count + 1, file->location_capacity);
    file->locations[file->location_count++] = &tensor->external_data[0]->value;
    onnx_add_entry(arena, &tensor->n_external_data, &tensor->external_data, "offset",
                   offset);
    onnx_add_entry(arena, &tensor->n_external_data, &tensor->external_data, "length",
                   length);
}

static void hold(OnnxGraph *graph, const StoreEntry *entry, Onnx__TensorProto *tensor)
{
    tensor->has_raw_data = true;
    tensor->raw_data.len = (size_t)bytes_of(entry);
    tensor->raw_data.data =
        arena_copy(onnx_graph_arena(graph), entry->data, tensor->raw_data.len);
}

bool weights_file_add(WeightsFile *file, OnnxGraph *graph, const char *name, Diags *diags)
{
    const StoreEntry *entry = store_find(file->store, name);
    int64_t bad = store_not_finite(entry);
    if (bad >= 0) {
        diag_not_finite(diags, (Loc){0}, "parameter '%s': number %" PRId64 " is %g", name,
                        bad, (double)entry->data[bad]);
        return false;
    }
    Onnx__TensorProto *tensor =
        onnx_tensor(graph, name, entry->type.rank, entry->type.dims);
    if (bytes_of(entry) < LEAST_BYTES)
        hold(graph, entry, tensor);
    else
        refer(file, graph, entry, tensor);
    return true;
}

const char *weights_file_seal(WeightsFile *file)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_64bits_reset(state) != XXH_OK)
        out_of_memory(0);
    for (size_t i = 0; i < file->placed_count; i++) {
        const WeightPlace *at = &file->placed[i];
        XXH3_64bits_update(state, &at->offset, sizeof at->offset);
        XXH3_64bits_update(state, at->entry->data, (size_t)bytes_of(at->entry));
    }
    file->name = heap_format(ONNX_WEIGHTS_STEM "%016" PRIx64 ".bin",
                             (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    for (size_t i = 0; i < file->location_count; i++)
        *file->locations[i] = file->name;
    return file->name;
}

static bool write_placed(const WeightsFile *file, int descriptor)
{
    static const char zeros[ALIGNMENT];
    int64_t end = 0;
    for (size_t i = 0; i < file->placed_count; i++) {
        const WeightPlace *at = &file->placed[i];
        if (!descriptor_write(descriptor, zeros, (size_t)(at->offset - end)) ||
            !descriptor_write(descriptor, at->entry->data, (size_t)bytes_of(at->entry)))
            return false;
        end = at->offset + bytes_of(at->entry);
    }
    return true;
}

bool weights_file_write(const WeightsFile *file, const char *path, Diags *diags)
{
    NewFile *out = new_file_open(path, diags);
    if (!out)
        return false;
    if (write_placed(file, new_file_descriptor(out)))
        return new_file_finish(out, diags);
    diag_error(diags, (Loc){.file = path}, "cannot be written: %s", strerror(errno));
    new_file_discard(out);
    return false;
}
