/* Waits in short turns, so that an interrupt ends the waiting. */
#include "runtime/vlrun/line_reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/list.h"

enum { CHUNK = 1 << 16, TURN_MILLISECONDS = 100 };

static bool wait_for_bytes(const LineReader *reader)
{
    struct pollfd waited = {.fd = reader->descriptor, .events = POLLIN};
    while (!interrupt_is_set(reader->interrupt)) {
        int ready = poll(&waited, 1, TURN_MILLISECONDS);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true; /* reading says what is wrong */
    }
    return false;
}

static bool read_more(LineReader *reader, Diags *diags)
{
    if (reader->taken > 0) {
        reader->count -= reader->taken;
        memmove(reader->bytes, reader->bytes + reader->taken, reader->count);
        reader->taken = 0;
    }
    if (reader->count > LINE_BYTES_MAX) {
        diag_error(diags, (Loc){reader->name, reader->line + 1, 0},
                   "a line has more than %d bytes", LINE_BYTES_MAX);
        return false;
    }
    LIST_ROOM(reader->bytes, reader->count + CHUNK + 1, reader->room);
    if (!wait_for_bytes(reader))
        return false;
    ssize_t got = read(reader->descriptor, reader->bytes + reader->count, CHUNK);
    if (got < 0)
        diag_error(diags, (Loc){.file = reader->name}, "cannot be read: %s",
                   strerror(errno));
    reader->is_at_end = got == 0;
    reader->count += got > 0 ? (size_t)got : 0;
    return got >= 0;
}

char *line_next(LineReader *reader, size_t *out_len, Diags *diags)
{
    for (;;) {
        size_t left = reader->count - reader->taken;
        char *line = left > 0 ? reader->bytes + reader->taken : NULL;
        char *end = line ? memchr(line, '\n', left) : NULL;
        if (!end && !reader->is_at_end) {
            if (!read_more(reader, diags))
                return NULL;
            continue;
        }
        if (!line)
            return NULL;
        *out_len = end ? (size_t)(end - line) : left;
        reader->taken += *out_len + (end ? 1 : 0);
        reader->line++;
        line[*out_len] = 0;
        if (*out_len > 0 && line[*out_len - 1] == '\r')
            line[--*out_len] = 0;
        return line;
    }
}
