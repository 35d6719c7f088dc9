/* Reading files: regular, of bounded size, valid UTF-8. */
#include "frontend/syntax/source.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"

/* Bytes of the UTF-8 sequence at `at`, or 0. Overlong forms, surrogates and 0 are
 * none. */
static size_t sequence_length(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80)
        return at[0] != 0;
    size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

static void find_lines(Source *source, Arena *arena)
{
    uint32_t count = 1;
    for (size_t i = 0; i < source->len; i++)
        count += source->bytes[i] == '\n';
    source->line_starts = ARENA_ARRAY(arena, uint32_t, count);
    for (size_t i = 0; i < source->len; i++)
        if (source->bytes[i] == '\n')
            source->line_starts[++source->line_count] = (uint32_t)i + 1;
    source->line_count++;
}

Source *source_new(const char *name, const char *bytes, size_t len, Arena *arena,
                   Interns *interns, Diags *diags)
{
    bytes = arena_string(arena, bytes, len);
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        len -= 3;
    }
    Source *source = arena_alloc(arena, sizeof *source);
    *source = (Source){.path = intern(interns, name), .bytes = bytes, .len = len};
    find_lines(source, arena);
    for (size_t i = 0, step; i < len; i += step) {
        step = sequence_length((const unsigned char *)bytes + i, len - i);
        if (step == 0) {
            diag_error(diags, source_loc(source, i), "not UTF-8 text: byte 0x%02x",
                       (unsigned)(unsigned char)bytes[i]);
            return NULL;
        }
    }
    diags_add_source(diags, source->path, bytes, len);
    return source;
}

Source *source_read(const char *path, Loc from, Arena *arena, Interns *interns,
                    Diags *diags)
{
    size_t len;
    char *text = file_read_from(path, from, SOURCE_MOST_BYTES, &len, diags);
    Source *source = text ? source_new(path, text, len, arena, interns, diags) : NULL;
    free(text);
    return source;
}

Loc source_loc(const Source *source, size_t offset)
{
    uint32_t low = 0, high = source->line_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return (Loc){source->path, low + 1,
                 (uint32_t)(offset - source->line_starts[low]) + 1};
}
