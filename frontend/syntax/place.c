/* Where in a file a byte of an attribute's value stands. The value was normalized: an
 * entity is one character, a line break one blank. */
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/syntax.h"

/* Bytes in UTF-8. */
static size_t character_bytes(unsigned long code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

/* Bytes of the file that the next character of the value takes, and of the value. */
static size_t step(const char *at, size_t *out_bytes)
{
    *out_bytes = 1;
    if (at[0] == '\r' && at[1] == '\n')
        return 2;
    if (at[0] != '&')
        return 1;
    size_t len = strcspn(at, ";\"'<");
    if (at[1] == '#')
        *out_bytes = character_bytes(at[2] == 'x' ? strtoul(at + 3, NULL, 16)
                                                  : strtoul(at + 2, NULL, 10));
    return at[len] == ';' ? len + 1 : 1;
}

Loc attribute_place(const Attribute *attribute, size_t at)
{
    const char *byte = attribute->written;
    if (!byte)
        return attribute->loc;
    Loc loc = attribute->written_loc;
    size_t bytes;
    for (size_t left = attribute->offset + at; left > 0 && *byte;
         left -= bytes < left ? bytes : left) {
        size_t taken = step(byte, &bytes);
        bool is_break = byte[taken - 1] == '\n';
        loc.line += is_break;
        loc.column = is_break ? 1 : loc.column + (uint32_t)taken;
        byte += taken;
    }
    return loc;
}
