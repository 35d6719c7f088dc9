/* Follows each chunk backwards through its filters as far as that tells its size:
 * Fletcher's checksum adds four bytes, shuffling none, deflate is undone, and the
 * scale-offset filter says how many numbers it wrote. */
#include "runtime/data/features/hdf5_chunks.h"

#include <stdlib.h>
#include <zlib.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"

enum { CHECKSUM_BYTES = 4, FILTERS_MAX = 32, VALUES_MAX = 32 };

static const char damaged[] = "the chunks of 'features' are damaged";

typedef struct Filter {
    H5Z_filter_t kind;
    size_t value_count;
    unsigned values[VALUES_MAX];
} Filter;

typedef struct Chunk {
    const Hdf5Chunks *of;
    hsize_t sizes[2];
    size_t bytes; /* when unpacked */
    Filter filters[FILTERS_MAX];
    int filter_count;
} Chunk;

bool hdf5_filter_is_read(H5Z_filter_t filter)
{
    return filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE ||
           filter == H5Z_FILTER_FLETCHER32 || filter == H5Z_FILTER_SCALEOFFSET;
}

static bool find_filters(Chunk *chunk)
{
    chunk->filter_count = H5Pget_nfilters(chunk->of->facts);
    if (chunk->filter_count < 0 || chunk->filter_count > FILTERS_MAX)
        return false;
    for (int i = 0; i < chunk->filter_count; i++) {
        Filter *filter = &chunk->filters[i];
        unsigned flags;
        filter->value_count = VALUES_MAX;
        filter->kind =
            H5Pget_filter2(chunk->of->facts, (unsigned)i, &flags, &filter->value_count,
                           filter->values, 0, NULL, NULL);
        if (filter->kind < 0)
            return false;
    }
    return true;
}

static bool find_sizes(Chunk *chunk)
{
    const Hdf5Chunks *of = chunk->of;
    hsize_t most[2], *sizes = chunk->sizes;
    if (H5Pget_chunk(of->facts, 2, sizes) != 2 ||
        H5Sget_simple_extent_dims(of->space, NULL, most) != 2 || sizes[0] == 0 ||
        sizes[1] == 0 || sizes[0] > of->elements_max ||
        sizes[1] > of->elements_max / sizes[0])
        return false;
    for (int i = 0; i < 2; i++) /* no writer makes others */
        if (most[i] != H5S_UNLIMITED && sizes[i] > most[i])
            return false;
    chunk->bytes = (size_t)(sizes[0] * sizes[1]) * of->element_bytes;
    return true;
}

/* Numbers and their bytes are the third and fifth of the filter's values. */
static bool check_scale(const Chunk *chunk, const Filter *filter)
{
    enum { COUNT = 2, BYTES = 4 };
    return filter->value_count > BYTES &&
           filter->values[COUNT] == chunk->sizes[0] * chunk->sizes[1] &&
           filter->values[BYTES] == chunk->of->element_bytes;
}

/* Whether the first `size` bytes of the stored chunk inflate to `wanted` ones. */
static bool inflates(const Chunk *chunk, const hsize_t *offset, hsize_t stored,
                     size_t size, size_t wanted)
{
    uint32_t mask;
    unsigned char *packed = heap_alloc(stored), *plain = heap_alloc(wanted + 1);
    uLongf got = (uLongf)wanted + 1;
    bool ok =
        H5Dread_chunk(chunk->of->dataset, H5P_DEFAULT, offset, &mask, packed) >= 0 &&
        uncompress(plain, &got, packed, (uLong)size) == Z_OK && got == wanted;
    free(packed);
    free(plain);
    return ok;
}

static bool check_chunk(const Chunk *chunk, hsize_t index)
{
    hsize_t offset[2], stored;
    haddr_t address;
    unsigned mask;
    if (H5Dget_chunk_info(chunk->of->dataset, chunk->of->space, index, offset, &mask,
                          &address, &stored) < 0)
        return false;
    size_t size = (size_t)stored, wanted = chunk->bytes, checksums = 0;
    for (int i = 0; i < chunk->filter_count; i++)
        checksums += chunk->filters[i].kind == H5Z_FILTER_FLETCHER32 && !(mask >> i & 1U);
    for (int i = chunk->filter_count - 1; i >= 0; i--) {
        const Filter *filter = &chunk->filters[i];
        if (mask >> i & 1U)
            continue; /* left out for this chunk */
        if (filter->kind == H5Z_FILTER_SCALEOFFSET)
            return check_scale(chunk, filter);
        if (filter->kind == H5Z_FILTER_FLETCHER32) {
            if (size < CHECKSUM_BYTES)
                return false;
            size -= CHECKSUM_BYTES;
            checksums--;
        } else if (filter->kind == H5Z_FILTER_DEFLATE) {
            return inflates(chunk, offset, stored, size,
                            wanted + checksums * CHECKSUM_BYTES);
        }
    }
    return size == wanted;
}

const char *hdf5_check_chunks(const Hdf5Chunks *chunks)
{
    Chunk chunk = {.of = chunks};
    hsize_t all = 1, written;
    if (!find_filters(&chunk) || !find_sizes(&chunk) ||
        H5Dget_num_chunks(chunks->dataset, chunks->space, &written) < 0)
        return damaged;
    for (int i = 0; i < 2; i++)
        all *= (chunks->dims[i] + chunk.sizes[i] - 1) / chunk.sizes[i];
    if (written < all)
        return "'features' were not written, or not to their end";
    for (hsize_t i = 0; i < written; i++)
        if (!check_chunk(&chunk, i))
            return damaged;
    return NULL;
}
