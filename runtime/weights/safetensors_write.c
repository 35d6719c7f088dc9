/* Writing safetensors files: header first, then each tensor's bytes straight from where
 * they are, into a file aside that replaces the old one only when all of it is on disk.
 *
 * The header is padded so that the data begins at a multiple of 64 bytes: a reader that
 * maps the file can then use tensors whose sizes are multiples of 64 where they lie. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/weights/safetensors.h"

enum { PREAMBLE_BYTES = 8, DATA_ALIGNMENT = 64 };

typedef struct Piece {
    const void *bytes;
    int64_t byte_count;
} Piece;

struct TensorWriter {
    Arena *arena;
    const char *path;
    const char *not_text; /* what JSON cannot hold; NULL: nothing yet */
    json_t *header, *metadata;
    int64_t offset;
    Piece *pieces;
    uint32_t piece_count;
    size_t piece_capacity;
};

/* jansson fails only without memory or on text that is not UTF-8. */
static void must(int failed)
{
    if (failed) {
        fprintf(stderr, "vlgraph: out of memory\n");
        exit(1);
    }
}

TensorWriter *tensor_writer_new(const char *path)
{
    Arena *arena = arena_new();
    TensorWriter *writer = arena_alloc(arena, sizeof *writer);
    writer->arena = arena;
    writer->path = arena_string(arena, path, strlen(path));
    writer->header = json_object();
    writer->metadata = json_object();
    must(!writer->header || !writer->metadata ||
         json_object_set_new(writer->header, "__metadata__", writer->metadata));
    return writer;
}

/* Paths and names come from outside. */
static bool is_text(TensorWriter *writer, const char *text)
{
    json_t *string = json_string(text);
    if (!string && !writer->not_text)
        writer->not_text = arena_string(writer->arena, text, strlen(text));
    json_decref(string);
    return string;
}

void tensor_writer_metadata(TensorWriter *writer, const char *key, const char *value)
{
    if (!is_text(writer, key) || !is_text(writer, value))
        return;
    must(json_object_set_new(writer->metadata, key, json_string(value)));
}

void tensor_writer_add(TensorWriter *writer, const char *name, TensorDType dtype,
                       uint32_t rank, const int64_t *dims, const void *bytes)
{
    if (!is_text(writer, name))
        return;
    int64_t byte_count = tensor_dtype_bytes(dtype);
    json_t *shape = json_array();
    for (uint32_t i = 0; i < rank; i++) {
        byte_count *= dims[i];
        must(json_array_append_new(shape, json_integer(dims[i])));
    }
    json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor_dtype_names[dtype],
                              "shape", shape, "data_offsets", (json_int_t)writer->offset,
                              (json_int_t)writer->offset + (json_int_t)byte_count);
    must(!entry || json_object_set_new(writer->header, name, entry));
    writer->offset += byte_count;
    LIST_ROOM(writer->pieces, (size_t)writer->piece_count + 1, writer->piece_capacity);
    writer->pieces[writer->piece_count++] = (Piece){bytes, byte_count};
}

static bool write_header(const TensorWriter *writer, int fd)
{
    char *text = json_dumps(writer->header, JSON_COMPACT);
    must(!text);
    size_t len = strlen(text);
    size_t end =
        (PREAMBLE_BYTES + len + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT;
    char *block = heap_alloc(end);
    uint64_t length = end - PREAMBLE_BYTES;
    memset(block, ' ', end);
    memcpy(block, &length, sizeof length);
    memcpy(block + PREAMBLE_BYTES, text, len);
    bool is_written = descriptor_write(fd, block, end);
    free(block);
    free(text);
    return is_written;
}

static bool write_pieces(const TensorWriter *writer, int fd)
{
    for (uint32_t i = 0; i < writer->piece_count; i++)
        if (!descriptor_write(fd, writer->pieces[i].bytes,
                              (size_t)writer->pieces[i].byte_count))
            return false;
    return true;
}

static bool write_file(const TensorWriter *writer, Diags *diags)
{
    NewFile *file = new_file_open(writer->path, diags);
    if (!file)
        return false;
    int fd = new_file_descriptor(file);
    if (write_header(writer, fd) && write_pieces(writer, fd))
        return new_file_finish(file, diags);
    diag_error(diags, (Loc){.file = writer->path}, "cannot be written: %s",
               strerror(errno));
    new_file_discard(file);
    return false;
}

void tensor_writer_discard(TensorWriter *writer)
{
    json_decref(writer->header);
    free(writer->pieces);
    arena_free(writer->arena);
}

bool tensor_writer_finish(TensorWriter *writer, Diags *diags)
{
    bool is_written = false;
    if (writer->not_text)
        diag_error(diags, (Loc){.file = writer->path},
                   "cannot hold '%s', which is not UTF-8", writer->not_text);
    else
        is_written = write_file(writer, diags);
    tensor_writer_discard(writer);
    return is_written;
}
