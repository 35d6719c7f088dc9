/* A dictionary of tensors, pickled by hand: what is written is always of one form. */
#include "runtime/weights/torch/torch_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/map.h"

/* One memory, which one or more tensors have. */
typedef struct Storage {
    const float *numbers;
    int64_t count;
} Storage;

struct TorchWriter {
    Arena *arena;
    const char *path;
    FILE *pickle;
    char *text;
    size_t len;
    Map by_memory; /* places in `storages` by address */
    Storage *storages;
    uint32_t storage_count;
    size_t storage_capacity;
};

/* -- the pickle ---------------------------------------------------------------------- */

static void put(TorchWriter *writer, const char *bytes, size_t len)
{
    fwrite(bytes, 1, len, writer->pickle);
}

static void put_word(TorchWriter *writer, uint64_t word, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(word >> 8 * i & 0xff), writer->pickle);
}

/* GLOBAL: a class or function by its module and name. */
static void put_global(TorchWriter *writer, const char *module, const char *name)
{
    fprintf(writer->pickle, "c%s\n%s\n", module, name);
}

/* BINUNICODE */
static void put_text(TorchWriter *writer, const char *text)
{
    size_t len = strlen(text);
    fputc('X', writer->pickle);
    put_word(writer, len, 4);
    put(writer, text, len);
}

/* BININT where it has room, else LONG1 of eight bytes; never negative. */
static void put_integer(TorchWriter *writer, int64_t number)
{
    bool is_short = number <= INT32_MAX;
    put(writer, is_short ? "J" : "\x8a\x08", is_short ? 1 : 2);
    put_word(writer, (uint64_t)number, is_short ? 4 : 8);
}

/* MARK, integers, TUPLE */
static void put_integers(TorchWriter *writer, const int64_t *numbers, uint32_t count)
{
    fputc('(', writer->pickle);
    for (uint32_t i = 0; i < count; i++)
        put_integer(writer, numbers[i]);
    fputc('t', writer->pickle);
}

/* OrderedDict(): GLOBAL, EMPTY_TUPLE, REDUCE */
static void put_dictionary(TorchWriter *writer)
{
    put_global(writer, "collections", "OrderedDict");
    put(writer, ")R", 2);
}

/* ("storage", FloatStorage, key, "cpu", count), BINPERSID */
static void put_storage(TorchWriter *writer, uint32_t key, int64_t count)
{
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, key);
    fputc('(', writer->pickle);
    put_text(writer, "storage");
    put_global(writer, "torch", "FloatStorage");
    put_text(writer, text);
    put_text(writer, "cpu");
    put_integer(writer, count);
    put(writer, "tQ", 2);
}

static uint32_t storage_of(TorchWriter *writer, const float *numbers, int64_t count)
{
    uint32_t place = map_find_word(&writer->by_memory, (uintptr_t)numbers);
    if (place != MAP_ABSENT)
        return place;
    place = writer->storage_count++;
    LIST_ROOM(writer->storages, writer->storage_count, writer->storage_capacity);
    writer->storages[place] = (Storage){numbers, count};
    map_add_word(&writer->by_memory, (uintptr_t)numbers, place);
    return place;
}

/* -- the writer ---------------------------------------------------------------------- */

/* PROTO 2, the dictionary, and MARK before what is in it. */
TorchWriter *torch_writer_new(const char *path)
{
    Arena *arena = arena_new();
    TorchWriter *writer = arena_alloc(arena, sizeof *writer);
    *writer =
        (TorchWriter){.arena = arena, .path = arena_string(arena, path, strlen(path))};
    writer->pickle = heap_stream(&writer->text, &writer->len);
    put(writer, "\x80\x02", 2);
    put_dictionary(writer);
    fputc('(', writer->pickle);
    return writer;
}

/* name, _rebuild_tensor_v2(storage, 0, dims, strides, False, OrderedDict()) */
void torch_writer_add(TorchWriter *writer, const char *name, uint32_t rank,
                      const int64_t *dims, const float *numbers)
{
    int64_t strides[16], count = 1;
    for (uint32_t i = rank; i-- > 0; count *= dims[i])
        strides[i] = count;
    put_text(writer, name);
    put_global(writer, "torch._utils", "_rebuild_tensor_v2");
    fputc('(', writer->pickle);
    put_storage(writer, storage_of(writer, numbers, count), count);
    put_integer(writer, 0);
    put_integers(writer, dims, rank);
    put_integers(writer, strides, rank);
    put(writer, "\x89", 1); /* NEWFALSE: it needs no gradient */
    put_dictionary(writer);
    put(writer, "tR", 2);
}

/* -- the archive --------------------------------------------------------------------- */

static bool add_entry(zip_t *archive, const char *name, const void *bytes, size_t len)
{
    zip_source_t *source = zip_source_buffer(archive, bytes, len, 0);
    zip_int64_t place =
        source ? zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (source && place < 0)
        zip_source_free(source);
    return place >= 0 &&
           zip_set_file_compression(archive, (zip_uint64_t)place, ZIP_CM_STORE, 0) == 0;
}

static bool add_entries(const TorchWriter *writer, zip_t *archive)
{
    static const char order[] = "little", version[] = "3\n";
    bool ok = add_entry(archive, "archive/data.pkl", writer->text, writer->len) &&
              add_entry(archive, "archive/byteorder", order, sizeof order - 1);
    for (uint32_t i = 0; ok && i < writer->storage_count; i++) {
        char name[40];
        snprintf(name, sizeof name, "archive/data/%" PRIu32, i);
        ok = add_entry(archive, name, writer->storages[i].numbers,
                       (size_t)writer->storages[i].count * sizeof(float));
    }
    return ok && add_entry(archive, "archive/version", version, sizeof version - 1);
}

static bool write_archive(const TorchWriter *writer, const char *path, Diags *diags)
{
    int code = 0;
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    if (archive && add_entries(writer, archive) && zip_close(archive) == 0)
        return true;
    zip_error_t fault;
    zip_error_init_with_code(&fault, code);
    diag_error(diags, (Loc){.file = writer->path}, "cannot be written: %s",
               archive ? zip_strerror(archive) : zip_error_strerror(&fault));
    zip_error_fini(&fault);
    if (archive)
        zip_discard(archive);
    return false;
}

bool torch_writer_finish(TorchWriter *writer, Diags *diags)
{
    put(writer, "u.", 2); /* SETITEMS, STOP */
    fclose(writer->pickle);
    NewFile *file = new_file_open(writer->path, diags);
    const char *aside = file ? new_file_aside(file, diags) : NULL;
    bool ok = aside && write_archive(writer, aside, diags);
    if (ok)
        ok = new_file_finish(file, diags);
    else
        new_file_discard(file);
    free(writer->text);
    free(writer->storages);
    map_free(&writer->by_memory);
    arena_free(writer->arena);
    return ok;
}
