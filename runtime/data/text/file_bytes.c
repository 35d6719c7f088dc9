/* Reads until the end: the file may grow meanwhile. */
#include "runtime/data/text/file_bytes.h"

#include <errno.h>
#include <string.h>

#include "ir/base/files.h"

bool file_bytes_read(const char *path, size_t limit, TextBuffer *out, Diags *diags)
{
    Loc loc = {.file = path};
    FILE *file = file_open_stream(path, diags);
    if (!file)
        return false;
    char block[1 << 16];
    size_t got;
    while (out->count <= limit && (got = fread(block, 1, sizeof block, file)) > 0)
        text_buffer_add(out, block, got);
    bool failed = ferror(file);
    int reason = errno;
    (void)fclose(file);
    if (failed)
        diag_error(diags, loc, "cannot be read: %s", strerror(reason));
    else if (out->count > limit)
        diag_error(diags, loc, "is larger than %zu bytes, the most that is read", limit);
    else
        return true;
    text_buffer_free(out);
    return false;
}
