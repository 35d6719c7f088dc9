/* The header of an npy array: magic, version, length, and a Python literal such as
 *
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (37, 512), }
 *
 * of which exactly these three keys, in any order, are understood. */
#include <stdlib.h>
#include <string.h>

#include "runtime/data/features/features.h"

enum { MAGIC_BYTES = 6, HEADER_MAX = 1 << 16 };

typedef struct Cursor {
    const char *at, *stop;
} Cursor;

static void skip_blanks(Cursor *cursor)
{
    while (cursor->at < cursor->stop && (*cursor->at == ' ' || *cursor->at == '\n'))
        cursor->at++;
}

static bool take(Cursor *cursor, const char *text)
{
    skip_blanks(cursor);
    size_t len = strlen(text);
    if ((size_t)(cursor->stop - cursor->at) < len || memcmp(cursor->at, text, len) != 0)
        return false;
    cursor->at += len;
    return true;
}

static bool take_number(Cursor *cursor, int64_t *out)
{
    skip_blanks(cursor);
    int64_t value = 0;
    const char *first = cursor->at;
    for (; cursor->at < cursor->stop && *cursor->at >= '0' && *cursor->at <= '9';
         cursor->at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *cursor->at - '0', &value))
            return false;
    *out = value;
    return cursor->at > first;
}

static bool take_shape(Cursor *cursor, NpyHeader *out)
{
    if (!take(cursor, "("))
        return false;
    for (out->rank = 0; !take(cursor, ")"); out->rank++) {
        if (out->rank == 2 || !take_number(cursor, &out->dims[out->rank]))
            return false;
        if (!take(cursor, ",")) {
            out->rank++;
            return take(cursor, ")") && out->rank == 2;
        }
    }
    return out->rank > 0;
}

static bool take_type(Cursor *cursor, NpyHeader *out)
{
    static const char *const names[] = {"'<f2'", "'<f4'", "'<f8'"};
    for (int i = 0; i < 3; i++)
        if (take(cursor, names[i])) {
            out->element_bytes = 2 << i;
            return true;
        }
    return false;
}

static bool take_order(Cursor *cursor, NpyHeader *out)
{
    out->is_fortran = take(cursor, "True");
    return out->is_fortran || take(cursor, "False");
}

/* What is wrong, or NULL. */
static const char *parse_literal(Cursor *cursor, NpyHeader *out)
{
    static const char *const keys[] = {"'descr'", "'fortran_order'", "'shape'"};
    static const char *const faults[] = {
        "the type is not '<f2', '<f4' or '<f8'",
        "fortran_order is not True or False",
        "the shape is not one or two numbers",
    };
    static bool (*const takes[])(Cursor *, NpyHeader *) = {take_type, take_order,
                                                           take_shape};
    unsigned seen = 0;
    if (!take(cursor, "{"))
        return "the header is no dictionary";
    while (!take(cursor, "}")) {
        int key = 0;
        while (key < 3 && !take(cursor, keys[key]))
            key++;
        if (key == 3 || seen >> key & 1U || !take(cursor, ":"))
            return "the header has an unknown key";
        seen |= 1U << key;
        if (!takes[key](cursor, out))
            return faults[key];
        if (!take(cursor, ",")) {
            if (!take(cursor, "}"))
                return "the header is no dictionary";
            break;
        }
    }
    skip_blanks(cursor);
    if (cursor->at != cursor->stop)
        return "the header has something after its dictionary";
    return seen == 7 ? NULL : "the header lacks descr, fortran_order or shape";
}

const char *npy_parse(const unsigned char *bytes, int64_t size, NpyHeader *out)
{
    *out = (NpyHeader){0};
    if (size < MAGIC_BYTES + 4 || memcmp(bytes, "\x93NUMPY", MAGIC_BYTES) != 0)
        return "is no npy array";
    unsigned version = bytes[MAGIC_BYTES];
    if (version < 1 || version > 3 || bytes[MAGIC_BYTES + 1] != 0)
        return "has a version that is not 1.0, 2.0 or 3.0";
    int64_t length = bytes[8] | bytes[9] << 8, start = 10;
    if (version > 1) {
        start = 12;
        if (size < start)
            return "ends in its header";
        length |= (int64_t)bytes[10] << 16 | (int64_t)bytes[11] << 24;
    }
    if (length > HEADER_MAX || length > size - start)
        return "ends in its header";
    Cursor cursor = {(const char *)bytes + start, (const char *)bytes + start + length};
    const char *fault = parse_literal(&cursor, out);
    if (fault)
        return fault;
    out->data_at = start + length;
    if (out->rank != 2)
        return "has one dimension, not two";
    if (out->dims[0] == 0 || out->dims[1] == 0 || out->dims[0] > FEATURES_ELEMENTS_MAX ||
        out->dims[1] > FEATURES_ELEMENTS_MAX / out->dims[0])
        return "has an impossible shape";
    if (size - out->data_at != out->dims[0] * out->dims[1] * out->element_bytes)
        return "has more or fewer bytes than its shape says";
    return NULL;
}
