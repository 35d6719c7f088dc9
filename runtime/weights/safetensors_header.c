/* The header of a safetensors file.
 *
 * It is walked member by member, by brackets and quotes alone, and each member is left to
 * jansson: what is in memory at a time does not grow with the header, except for the list
 * of tensors itself. */
#include "runtime/weights/safetensors_file.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/weights/foreign_file.h"

/* The format's own limit of a header; ours of tensors, and of the text of one member and
 * of "__metadata__". */
enum {
    LARGEST_HEADER = 100 << 20,
    MOST_TENSORS = 1 << 18,
    LARGEST_MEMBER = 1 << 16,
    LARGEST_METADATA = 4 << 20
};

static const char METADATA[] = "__metadata__";

/* What the header's checks share. */
typedef struct Header {
    TensorFile *file;
    Diags *diags;
    const unsigned char *data; /* first byte after the header */
    int64_t data_bytes;
    const char *text, *end, *at; /* of the JSON; where the walk is */
    bool has_metadata;
} Header;

static Loc in_file(const TensorFile *file)
{
    return (Loc){.file = file->path};
}

static bool read_dtype(const Header *header, const json_t *entry, Tensor *tensor)
{
    const char *text = json_string_value(json_object_get(entry, "dtype"));
    if (!text) {
        diag_error(header->diags, in_file(header->file), "tensor '%s': no \"dtype\"",
                   tensor->name);
        return false;
    }
    tensor->dtype = tensor_dtype_of(text);
    if (tensor->dtype != TENSOR_OTHER) {
        tensor->type = tensor_dtype_names[tensor->dtype];
        return true;
    }
    tensor->type = arena_string(header->file->arena, text, strlen(text));
    if (!header->file->any_types)
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': element type '%s' is not supported", tensor->name, text);
    return header->file->any_types;
}

static bool read_shape(const Header *header, const json_t *entry, Tensor *tensor)
{
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape) || json_array_size(shape) > TENSOR_MAX_RANK) {
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': \"shape\" must be a list of at most %d sizes",
                   tensor->name, TENSOR_MAX_RANK);
        return false;
    }
    tensor->rank = (uint32_t)json_array_size(shape);
    tensor->elements = 1;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        const json_t *size = json_array_get(shape, i);
        tensor->dims[i] = json_integer_value(size);
        if (!json_is_integer(size) || tensor->dims[i] < 0 ||
            __builtin_mul_overflow(tensor->elements, tensor->dims[i],
                                   &tensor->elements)) {
            diag_error(header->diags, in_file(header->file),
                       "tensor '%s': impossible \"shape\"", tensor->name);
            return false;
        }
    }
    return true;
}

static bool read_offsets(const Header *header, const json_t *entry, Tensor *tensor)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    int64_t begin = json_integer_value(first), end = json_integer_value(last);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) ||
        !json_is_integer(last) || begin < 0 || end < begin) {
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': \"data_offsets\" must be [begin, end]", tensor->name);
        return false;
    }
    if (end > header->data_bytes) {
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': ends at byte %" PRId64
                   " of the data, the file has %" PRId64 ": it is cut short",
                   tensor->name, end, header->data_bytes);
        return false;
    }
    int64_t bytes = end - begin;
    if (tensor->dtype != TENSOR_OTHER &&
        (__builtin_mul_overflow(tensor->elements, tensor_dtype_bytes(tensor->dtype),
                                &bytes) ||
         bytes != end - begin)) {
        diag_error(header->diags, in_file(header->file),
                   "tensor '%s': %" PRId64 " bytes do not fit its shape and type",
                   tensor->name, end - begin);
        return false;
    }
    tensor->byte_count = bytes;
    tensor->bytes = header->data + begin;
    tensor->is_mapped = true;
    if (tensor->dtype == TENSOR_OTHER) /* of unknown size */
        tensor->elements = 0;
    return true;
}

static bool read_tensor(const Header *header, const char *name, const json_t *entry,
                        Tensor *out)
{
    if (!json_is_object(entry)) {
        diag_error(header->diags, in_file(header->file), "tensor '%s': not an object",
                   name);
        return false;
    }
    out->name = arena_string(header->file->arena, name, strlen(name));
    return read_dtype(header, entry, out) && read_shape(header, entry, out) &&
           read_offsets(header, entry, out);
}

static bool read_metadata(const Header *header, json_t *entry)
{
    TensorFile *file = header->file;
    if (!json_is_object(entry)) {
        diag_error(header->diags, in_file(file), "\"__metadata__\" is not an object");
        return false;
    }
    file->metadata = ARENA_ARRAY(file->arena, Metadata, json_object_size(entry));
    const char *key;
    json_t *value;
    json_object_foreach(entry, key, value)
    {
        const char *text = json_string_value(value);
        if (!text) {
            diag_error(header->diags, in_file(file),
                       "\"__metadata__\": '%s' is not a string", key);
            return false;
        }
        file->metadata[file->metadata_count++] =
            (Metadata){.key = arena_string(file->arena, key, strlen(key)),
                       .value = arena_string(file->arena, text, strlen(text))};
    }
    return true;
}

static int by_offset(const void *a, const void *b)
{
    const Tensor *x = a, *y = b;
    const char *x_bytes = x->bytes, *y_bytes = y->bytes;
    if (x_bytes != y_bytes)
        return x_bytes < y_bytes ? -1 : 1;
    /* Empty tensors stand before the one that begins at the same byte. */
    if (x->byte_count != y->byte_count)
        return x->byte_count < y->byte_count ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The tensors must tile the data section. */
static bool check_tiling(const Header *header)
{
    const TensorFile *file = header->file;
    const unsigned char *at = header->data;
    for (uint32_t i = 0; i < file->count; i++) {
        const Tensor *tensor = &file->tensors[i];
        const unsigned char *begin = tensor->bytes;
        if (begin < at) {
            diag_error(header->diags, in_file(file), "tensors '%s' and '%s' overlap",
                       file->tensors[i - 1].name, tensor->name);
            return false;
        }
        if (begin > at) {
            diag_error(header->diags, in_file(file), "unused bytes before tensor '%s'",
                       tensor->name);
            return false;
        }
        at = begin + tensor->byte_count;
    }
    if (at != header->data + header->data_bytes) {
        diag_error(header->diags, in_file(file),
                   "%" PRId64 " unused bytes after the last tensor",
                   (int64_t)(header->data + header->data_bytes - at));
        return false;
    }
    return true;
}

/* -- the walk -------------------------------------------------------------------- */

static bool broken(const Header *header, const char *at, const char *problem)
{
    diag_error(header->diags, in_file(header->file), "safetensors header: byte %td: %s",
               PREAMBLE_BYTES + (at - header->text), problem);
    return false;
}

/* The next byte that is no blank; 0 at the end. */
static char skip_blanks(Header *header)
{
    while (header->at < header->end && strchr(" \t\r\n", *header->at) && *header->at)
        header->at++;
    return header->at < header->end ? *header->at : '\0';
}

/* Past a string whose first quote is at `at`; NULL if it does not end. */
static const char *string_end(const Header *header, const char *at)
{
    for (at++; at < header->end && *at != '"'; at++)
        at += *at == '\\';
    return at < header->end ? at + 1 : NULL;
}

/* Past the value at `at`; NULL if it does not end. */
static const char *value_end(const Header *header, const char *at)
{
    int64_t depth = 0;
    while (at && at < header->end) {
        char byte = *at;
        bool is_close = byte == '}' || byte == ']';
        if (depth == 0 && (is_close || byte == ','))
            return at; /* a number or word ends where the next thing begins */
        at = byte == '"' ? string_end(header, at) : at + 1;
        depth += (byte == '{' || byte == '[') - is_close;
        if (depth == 0 && is_close)
            return at;
    }
    return NULL;
}

/* The bytes from `at` to header->at as JSON; NULL and an error. */
static json_t *parse(const Header *header, const char *at)
{
    json_error_t fault;
    json_t *value = json_loadb(at, (size_t)(header->at - at),
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (!value)
        broken(header, at + fault.position, fault.text);
    return value;
}

static bool take_tensor(const Header *header, const char *name, json_t *value)
{
    TensorFile *file = header->file;
    if (file->count == MOST_TENSORS) {
        diag_error(header->diags, in_file(file), "has more than %d tensors",
                   MOST_TENSORS);
        return false;
    }
    LIST_ROOM(file->tensors, (size_t)file->count + 1, file->capacity);
    Tensor *tensor = &file->tensors[file->count];
    *tensor = (Tensor){0};
    if (!read_tensor(header, name, value, tensor))
        return false;
    file->count++;
    return true;
}

static bool take_member(Header *header, const char *name, size_t bytes, json_t *value)
{
    bool is_metadata = strcmp(name, METADATA) == 0;
    if (bytes > (is_metadata ? LARGEST_METADATA : LARGEST_MEMBER)) {
        diag_error(header->diags, in_file(header->file),
                   "safetensors header: '%.80s' takes %zu bytes", name, bytes);
        return false;
    }
    if (!is_metadata)
        return take_tensor(header, name, value);
    if (header->has_metadata)
        return broken(header, header->at, "duplicate object key \"__metadata__\"");
    header->has_metadata = true;
    return read_metadata(header, value);
}

/* The name of a member, and its colon; NULL and an error. */
static json_t *walk_name(Header *header)
{
    const char *begin = header->at;
    const char *end = skip_blanks(header) == '"' ? string_end(header, begin) : NULL;
    if (!end || end - begin > LARGEST_MEMBER) {
        broken(header, begin, "the name of a tensor is expected");
        return NULL;
    }
    header->at = end;
    json_t *name = parse(header, begin);
    if (name && skip_blanks(header) == ':') {
        header->at++;
        skip_blanks(header);
        return name;
    }
    if (name)
        broken(header, header->at, "':' is expected");
    json_decref(name);
    return NULL;
}

static bool walk_value(Header *header, const char *name)
{
    const char *begin = header->at, *end = value_end(header, begin);
    if (!end)
        return broken(header, begin, "a value without an end");
    if (end - begin > LARGEST_METADATA)
        return broken(header, begin, "a value that is too long");
    header->at = end;
    json_t *value = parse(header, begin);
    bool ok = value && take_member(header, name, (size_t)(end - begin), value);
    json_decref(value);
    return ok;
}

static bool walk_members(Header *header)
{
    for (bool is_first = true; skip_blanks(header) != '}'; is_first = false) {
        if (!is_first && *header->at != ',')
            return broken(header, header->at, "',' or '}' is expected");
        header->at += !is_first;
        skip_blanks(header);
        json_t *name = walk_name(header);
        bool ok = name && walk_value(header, json_string_value(name));
        json_decref(name);
        if (!ok)
            return false;
    }
    header->at++;
    skip_blanks(header);
    return header->at == header->end ||
           broken(header, header->at, "there is more after the object");
}

static bool walk(Header *header)
{
    if (skip_blanks(header) == '{') {
        header->at++;
        return walk_members(header);
    }
    diag_error(header->diags, in_file(header->file),
               "safetensors header: not a JSON object");
    return false;
}

/* -- all of it ------------------------------------------------------------------- */

/* Whatever else stands at the beginning makes no sense as a length. */
static bool refuse_foreign(const TensorFile *file, uint64_t length, Diags *diags)
{
    ForeignFile foreign = foreign_file(file->mapping, file->mapping_bytes);
    if (foreign.kind)
        diag_error(diags, in_file(file), "not a safetensors file: it is %s",
                   foreign.kind);
    else if (length <= LARGEST_HEADER)
        diag_error(diags, in_file(file),
                   "cut short: its header of %" PRIu64
                   " bytes does not fit in a file of %zu bytes",
                   length, file->mapping_bytes);
    else
        diag_error(diags, in_file(file),
                   "not a safetensors file: header of %" PRIu64
                   " bytes, and at most %d are possible",
                   length, LARGEST_HEADER);
    if (foreign.advice)
        diag_note(diags, (Loc){0}, "%s", foreign.advice);
    else if (length <= LARGEST_HEADER)
        diag_note(diags, (Loc){0}, "fetch it again");
    return false;
}

bool header_read(TensorFile *file, Diags *diags)
{
    const unsigned char *bytes = file->mapping;
    uint64_t length = 0;
    if (file->mapping_bytes < PREAMBLE_BYTES) {
        diag_error(diags, in_file(file),
                   "not a safetensors file: it is %s: fetch it again",
                   file->mapping_bytes ? "shorter than its preamble" : "empty");
        return false;
    }
    memcpy(&length, bytes, sizeof length);
    uint64_t room = file->mapping_bytes - PREAMBLE_BYTES;
    if (length > room || length > LARGEST_HEADER)
        return refuse_foreign(file, length, diags);
    const char *text = (const char *)bytes + PREAMBLE_BYTES;
    Header header = {.file = file,
                     .diags = diags,
                     .data = bytes + PREAMBLE_BYTES + length,
                     .data_bytes = (int64_t)(room - length),
                     .text = text,
                     .at = text,
                     .end = text + length};
    if (!walk(&header))
        return false;
    if (file->count)
        qsort(file->tensors, file->count, sizeof *file->tensors, by_offset);
    return tensors_index(file, diags) && check_tiling(&header);
}
