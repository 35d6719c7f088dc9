/* libzip reads the archive through a source of ours, over the bytes in memory. It tells
 * no one where the data of an entry begin, so we look where it reads their first. */
#include "runtime/weights/torch/torch_zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"

/* Bytes that are made: so many times the archive's, and some more for small ones. */
enum { MOST_RATIO = 16, MOST_MORE = 64 << 20, MOST_ENTRIES = 1 << 20 };

/* Where libzip reads. */
typedef struct ZipBytes {
    const unsigned char *bytes;
    size_t len, at, last; /* `last`: where the last read began */
    zip_error_t fault;
} ZipBytes;

typedef struct EntryRange {
    size_t begin, end;
    uint32_t entry;
} EntryRange;

struct TorchZip {
    Arena *arena;
    const char *path;
    ZipBytes source;
    zip_t *archive;
    Strings *names;     /* numbered as the entries are */
    EntryRange *ranges; /* of entries that were asked for */
    size_t range_count, range_capacity;
    size_t used; /* bytes of torch_zip_memory */
};

/* -- libzip's way to the bytes ----------------------------------------------------- */

static zip_int64_t source_read(ZipBytes *source, void *out, zip_uint64_t wanted)
{
    size_t left = source->len - source->at, count = wanted < left ? wanted : left;
    source->last = source->at;
    if (count)
        memcpy(out, source->bytes + source->at, count);
    source->at += count;
    return (zip_int64_t)count;
}

static zip_int64_t source_seek(ZipBytes *source, void *data, zip_uint64_t len)
{
    zip_int64_t at = zip_source_seek_compute_offset(source->at, source->len, data, len,
                                                    &source->fault);
    if (at < 0)
        return -1;
    source->at = (size_t)at;
    return 0;
}

static zip_int64_t source_status(const ZipBytes *source, void *data, zip_uint64_t len)
{
    zip_stat_t *status = data;
    if (len < sizeof *status)
        return -1;
    zip_stat_init(status);
    status->size = source->len;
    status->valid = ZIP_STAT_SIZE;
    return sizeof *status;
}

static zip_int64_t source_call(void *state, void *data, zip_uint64_t len,
                               zip_source_cmd_t command)
{
    ZipBytes *source = state;
    switch (command) {
    case ZIP_SOURCE_OPEN:
        source->at = 0;
        return 0;
    case ZIP_SOURCE_READ:
        return source_read(source, data, len);
    case ZIP_SOURCE_SEEK:
        return source_seek(source, data, len);
    case ZIP_SOURCE_TELL:
        return (zip_int64_t)source->at;
    case ZIP_SOURCE_STAT:
        return source_status(source, data, len);
    case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&source->fault, data, len);
    case ZIP_SOURCE_SUPPORTS:
        return ZIP_SOURCE_SUPPORTS_SEEKABLE;
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
        return 0;
    default:
        zip_error_set(&source->fault, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
}

/* -- opening ----------------------------------------------------------------------- */

static Loc in_file(const TorchZip *zip)
{
    return (Loc){.file = zip->path};
}

static bool open_archive(TorchZip *zip, Diags *diags)
{
    zip_error_t fault;
    zip_error_init(&fault);
    zip_source_t *source = zip_source_function_create(source_call, &zip->source, &fault);
    if (source)
        zip->archive = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &fault);
    if (!zip->archive) {
        diag_error(diags, in_file(zip),
                   "is a zip archive that is cut short or damaged: %s",
                   zip_error_strerror(&fault));
        diag_note(diags, (Loc){0}, "fetch it again");
        zip_source_free(source);
    }
    zip_error_fini(&fault);
    return zip->archive;
}

static bool list_names(TorchZip *zip, Diags *diags)
{
    zip_int64_t count = zip_get_num_entries(zip->archive, 0);
    if (count > MOST_ENTRIES) {
        diag_error(diags, in_file(zip), "has more than %d entries", MOST_ENTRIES);
        return false;
    }
    zip->names = strings_new();
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(zip->archive, (zip_uint64_t)i, ZIP_FL_ENC_RAW);
        if (!name || strings_add(zip->names, name, strlen(name)) != (uint32_t)i) {
            diag_error(diags, in_file(zip), "has two entries of the name '%s'",
                       name ? name : "");
            return false;
        }
    }
    return true;
}

TorchZip *torch_zip_open(const char *path, const void *bytes, size_t len, Diags *diags)
{
    Arena *arena = arena_new();
    TorchZip *zip = arena_alloc(arena, sizeof *zip);
    *zip =
        (TorchZip){.arena = arena, .path = path, .source = {.bytes = bytes, .len = len}};
    zip_error_init(&zip->source.fault);
    if (open_archive(zip, diags) && list_names(zip, diags))
        return zip;
    torch_zip_free(zip);
    return NULL;
}

void torch_zip_free(TorchZip *zip)
{
    if (!zip)
        return;
    if (zip->archive)
        zip_discard(zip->archive);
    zip_error_fini(&zip->source.fault);
    strings_free(zip->names);
    free(zip->ranges);
    arena_free(zip->arena);
}

uint32_t torch_zip_count(const TorchZip *zip)
{
    return strings_count(zip->names);
}

const char *torch_zip_name(const TorchZip *zip, uint32_t entry)
{
    return strings_text(zip->names, entry);
}

int64_t torch_zip_find(const TorchZip *zip, const char *name)
{
    uint32_t entry = strings_find(zip->names, name, strlen(name));
    return entry == STRING_ABSENT ? -1 : (int64_t)entry;
}

/* -- an entry's bytes -------------------------------------------------------------- */

static bool is_damaged(const TorchZip *zip, uint32_t entry, const char *how, Diags *diags)
{
    diag_error(diags, in_file(zip), "entry '%s' %s", torch_zip_name(zip, entry), how);
    return false;
}

/* Where the packed bytes of the entry lie; noted for torch_zip_check_apart. */
static bool locate(TorchZip *zip, uint32_t entry, const zip_stat_t *status,
                   size_t *out_begin, Diags *diags)
{
    unsigned char byte;
    zip_file_t *file = zip_fopen_index(zip->archive, entry, ZIP_FL_COMPRESSED);
    bool is_read = file && zip_fread(file, &byte, 1) == 1;
    size_t begin = zip->source.last;
    if (file)
        zip_fclose(file);
    if (!is_read || begin > zip->source.len ||
        status->comp_size > zip->source.len - begin || zip->source.bytes[begin] != byte)
        return is_damaged(zip, entry, "cannot be read: it is damaged", diags);
    *out_begin = begin;
    LIST_ROOM(zip->ranges, zip->range_count + 1, zip->range_capacity);
    zip->ranges[zip->range_count++] =
        (EntryRange){begin, begin + (size_t)status->comp_size, entry};
    return true;
}

void *torch_zip_memory(TorchZip *zip, size_t bytes, const char *what, Diags *diags)
{
    size_t most = size_sum(size_product(zip->source.len, MOST_RATIO), MOST_MORE);
    if (bytes > most - zip->used) {
        diag_error(diags, in_file(zip),
                   "'%s' would take too much memory: %zu bytes; in all, %zu are made of "
                   "a file of %zu",
                   what, bytes, most, zip->source.len);
        return NULL;
    }
    zip->used += bytes;
    return arena_alloc(zip->arena, bytes + 1);
}

static const void *unpack(TorchZip *zip, uint32_t entry, size_t size, Diags *diags)
{
    unsigned char *bytes = torch_zip_memory(zip, size, torch_zip_name(zip, entry), diags);
    if (!bytes)
        return NULL;
    zip_file_t *file = zip_fopen_index(zip->archive, entry, 0);
    /* Asking for one byte more makes the library check the sum over all. */
    bool is_whole = file && zip_fread(file, bytes, size) == (zip_int64_t)size &&
                    zip_fread(file, bytes + size, 1) == 0;
    if (file)
        zip_fclose(file);
    if (is_whole)
        return bytes;
    (void)is_damaged(zip, entry, "cannot be read: it is damaged", diags);
    return NULL;
}

static bool check_status(const TorchZip *zip, uint32_t entry, zip_stat_t *out,
                         Diags *diags)
{
    const zip_uint64_t wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(zip->archive, entry, 0, out) != 0 ||
        (out->valid & wanted) != wanted)
        return is_damaged(zip, entry, "has no size", diags);
    if (out->encryption_method != ZIP_EM_NONE)
        return is_damaged(zip, entry, "is encrypted", diags);
    if (out->comp_method != ZIP_CM_STORE && out->comp_method != ZIP_CM_DEFLATE)
        return is_damaged(zip, entry, "is compressed by a method other than deflate",
                          diags);
    if (out->comp_method == ZIP_CM_STORE && out->comp_size != out->size)
        return is_damaged(zip, entry, "is damaged: stored, but of two sizes", diags);
    return true;
}

const void *torch_zip_bytes(TorchZip *zip, uint32_t entry, size_t *out_len, Diags *diags)
{
    zip_stat_t status;
    size_t begin = 0;
    if (!check_status(zip, entry, &status, diags))
        return NULL;
    *out_len = (size_t)status.size;
    if (status.comp_size == 0 && status.size == 0)
        return zip->source.bytes;
    if (!locate(zip, entry, &status, &begin, diags))
        return NULL;
    if (status.comp_method == ZIP_CM_STORE)
        return zip->source.bytes + begin;
    return unpack(zip, entry, *out_len, diags);
}

const void *torch_zip_read(TorchZip *zip, uint32_t entry, size_t limit, size_t *out_len,
                           Diags *diags)
{
    zip_stat_t status;
    if (!check_status(zip, entry, &status, diags))
        return NULL;
    if (status.size > limit) {
        diag_error(diags, in_file(zip),
                   "entry '%s' has %" PRIu64 " bytes, at most %zu are read",
                   torch_zip_name(zip, entry), (uint64_t)status.size, limit);
        return NULL;
    }
    *out_len = (size_t)status.size;
    return unpack(zip, entry, *out_len, diags);
}

static int by_begin(const void *a, const void *b)
{
    const EntryRange *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

bool torch_zip_check_apart(TorchZip *zip, Diags *diags)
{
    if (zip->range_count)
        qsort(zip->ranges, zip->range_count, sizeof *zip->ranges, by_begin);
    for (size_t i = 1; i < zip->range_count; i++) {
        const EntryRange *a = &zip->ranges[i - 1], *b = &zip->ranges[i];
        if (a->end <= b->begin)
            continue;
        diag_error(diags, in_file(zip), "entries '%s' and '%s' overlap",
                   torch_zip_name(zip, a->entry), torch_zip_name(zip, b->entry));
        return false;
    }
    return true;
}
