/* Finds where a record begins and ends by brackets and quotes alone, and leaves what is
 * between to jansson. */
#include "runtime/data/text/json_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/file_kind.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"

enum { BUFFER_BYTES = 1 << 18, RECORD_BYTES_MAX = 1 << 22, AT_END = -1 };

typedef enum Place { PLACE_start, PLACE_first, PLACE_between, PLACE_end } Place;

struct JsonStream {
    const char *path, *member;
    FILE *file;
    Diags *diags;
    bool is_lines, is_faulty; /* reading failed */
    Place place;
    uint32_t line;
    size_t at, filled;
    Loc loc; /* of the record */
    int64_t number;
    char *record;
    size_t record_bytes, record_capacity; /* beyond RECORD_BYTES_MAX: not kept */
    char buffer[BUFFER_BYTES];
};

JsonStream *json_stream_open(const char *path, const char *member, Diags *diags)
{
    FILE *file = file_open_stream(path, diags);
    if (!file)
        return NULL;
    JsonStream *stream = heap_alloc(sizeof *stream);
    memset(stream, 0, offsetof(JsonStream, buffer));
    size_t len = strlen(path);
    stream->path = path;
    stream->member = member;
    stream->file = file;
    stream->diags = diags;
    stream->line = 1;
    stream->loc = (Loc){.file = path};
    stream->is_lines = len > 6 && strcmp(path + len - 6, ".jsonl") == 0;
    return stream;
}

void json_stream_close(JsonStream *stream)
{
    if (!stream)
        return;
    fclose(stream->file);
    free(stream->record);
    free(stream);
}

Loc json_stream_loc(const JsonStream *stream)
{
    return stream->loc;
}

int64_t json_stream_number(const JsonStream *stream)
{
    return stream->number;
}

/* -- bytes ----------------------------------------------------------------------- */

static int peek_byte(JsonStream *stream)
{
    if (stream->at == stream->filled) {
        stream->filled = fread(stream->buffer, 1, BUFFER_BYTES, stream->file);
        stream->at = 0;
        if (stream->filled == 0) {
            stream->is_faulty = ferror(stream->file) != 0;
            return AT_END;
        }
    }
    return (unsigned char)stream->buffer[stream->at];
}

static int next_byte(JsonStream *stream)
{
    int byte = peek_byte(stream);
    if (byte != AT_END)
        stream->at++;
    stream->line += byte == '\n';
    return byte;
}

static int skip_blanks(JsonStream *stream)
{
    int byte;
    while ((byte = peek_byte(stream)) == ' ' || byte == '\n' || byte == '\t' ||
           byte == '\r')
        next_byte(stream);
    return byte;
}

/* A parsed record takes some fifty times its bytes: its size bounds our memory. */
static void keep_byte(JsonStream *stream, int byte)
{
    if (stream->record_bytes < RECORD_BYTES_MAX) {
        LIST_ROOM(stream->record, stream->record_bytes + 1, stream->record_capacity);
        stream->record[stream->record_bytes] = (char)byte;
    }
    stream->record_bytes++;
}

/* -- faults ---------------------------------------------------------------------- */

/* Something else by the name of the file, as its beginning shows; only asked there. */
static const char *other_kind(JsonStream *stream)
{
    (void)peek_byte(stream);
    bool is_start = stream->number == 0 && !stream->is_faulty && stream->filled > 0;
    return is_start ? file_kind(stream->buffer, stream->filled) : NULL;
}

static JsonStep broken(JsonStream *stream, const char *wanted)
{
    const char *kind = other_kind(stream);
    Loc loc = {.file = stream->path, .line = stream->line};
    int byte = peek_byte(stream);
    stream->place = PLACE_end;
    if (stream->is_faulty)
        diag_error(stream->diags, loc, "cannot be read: %s", strerror(errno));
    else if (kind)
        diag_error(stream->diags, (Loc){.file = stream->path}, "is no JSON file, but %s",
                   kind);
    else if (byte == AT_END)
        diag_error(stream->diags, loc,
                   "the file ends in record %" PRId64 " where %s is expected",
                   stream->number, wanted);
    else if (byte >= ' ' && byte < 127)
        diag_error(stream->diags, loc, "'%c' where %s is expected", byte, wanted);
    else
        diag_error(stream->diags, loc, "byte 0x%02x where %s is expected", (unsigned)byte,
                   wanted);
    return JSON_STEP_broken;
}

/* -- values ---------------------------------------------------------------------- */

/* Passes over one value, from its first byte to its last; keeps it if `keep`. */
static bool scan_value(JsonStream *stream, bool keep)
{
    int64_t depth = 0;
    bool in_string = false, is_escaped = false;
    for (;;) {
        int byte = peek_byte(stream);
        if (byte == AT_END)
            return false;
        bool is_close = !in_string && (byte == '}' || byte == ']');
        if (depth == 0 && !in_string && (is_close || byte == ','))
            return true; /* a number or word ends where the next thing begins */
        next_byte(stream);
        if (keep)
            keep_byte(stream, byte);
        if (in_string) {
            bool was_escaped = is_escaped;
            is_escaped = !is_escaped && byte == '\\';
            if (was_escaped || byte != '"')
                continue;
            in_string = false;
        } else if (byte == '"') {
            in_string = true;
            continue;
        } else if (byte == '{' || byte == '[') {
            depth++;
            continue;
        } else if (is_close) {
            depth--;
        } else {
            continue;
        }
        if (depth == 0)
            return true;
    }
}

static bool scan_string(JsonStream *stream)
{
    stream->record_bytes = 0;
    return peek_byte(stream) == '"' && scan_value(stream, true);
}

/* Goes to the array that is a member of the outermost object. */
static JsonStep find_member(JsonStream *stream)
{
    size_t len = strlen(stream->member);
    next_byte(stream);
    for (bool is_first = true;; is_first = false) {
        int byte = skip_blanks(stream);
        if (byte == '}')
            break;
        if (!is_first) {
            if (byte != ',')
                return broken(stream, "',' or '}'");
            next_byte(stream);
            skip_blanks(stream);
        }
        if (!scan_string(stream))
            return broken(stream, "the name of a member");
        bool is_it = stream->record_bytes == len + 2 &&
                     memcmp(stream->record + 1, stream->member, len) == 0;
        if (skip_blanks(stream) != ':')
            return broken(stream, "':'");
        next_byte(stream);
        skip_blanks(stream);
        if (is_it)
            return JSON_STEP_record;
        if (!scan_value(stream, false))
            return broken(stream, "the rest of a value");
    }
    stream->place = PLACE_end;
    diag_error(stream->diags, (Loc){.file = stream->path}, "has no member \"%s\"",
               stream->member);
    return JSON_STEP_broken;
}

/* To the first record, or the end. */
static JsonStep begin(JsonStream *stream)
{
    int byte = skip_blanks(stream);
    if (byte == '{' && stream->member) {
        JsonStep step = find_member(stream);
        if (step != JSON_STEP_record)
            return step;
        byte = peek_byte(stream);
    }
    if (byte != '[')
        return broken(stream, stream->member ? "an object with an array of objects"
                                             : "an array of objects");
    next_byte(stream);
    stream->place = PLACE_first;
    return JSON_STEP_record;
}

/* -- records --------------------------------------------------------------------- */

static JsonStep parse_record(JsonStream *stream, json_t **out_record, Diags *bad)
{
    json_error_t error;
    if (stream->record_bytes > RECORD_BYTES_MAX) {
        diag_error(bad, stream->loc,
                   "record %" PRId64 " is longer than %d bytes, the most that is read",
                   stream->number, RECORD_BYTES_MAX);
        return JSON_STEP_bad;
    }
    json_t *record =
        json_loadb(stream->record, stream->record_bytes, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(record)) {
        *out_record = record;
        return JSON_STEP_record;
    }
    Loc loc = stream->loc;
    if (!record && error.line > 0)
        loc.line += (uint32_t)error.line - 1;
    diag_error(bad, loc, "record %" PRId64 ": %s", stream->number,
               record ? "is no object" : error.text);
    json_decref(record);
    return JSON_STEP_bad;
}

static JsonStep next_line(JsonStream *stream, json_t **out_record, Diags *bad)
{
    if (stream->place == PLACE_start && other_kind(stream))
        return broken(stream, "a record");
    stream->place = PLACE_first;
    if (skip_blanks(stream) == AT_END)
        return stream->is_faulty ? broken(stream, "a record") : JSON_STEP_end;
    stream->number++;
    stream->record_bytes = 0;
    stream->loc.line = stream->line;
    int byte;
    while ((byte = next_byte(stream)) != AT_END && byte != '\n')
        keep_byte(stream, byte);
    return parse_record(stream, out_record, bad);
}

/* After the last record nothing may follow but the rest of an outer object. */
static JsonStep finish(JsonStream *stream)
{
    next_byte(stream);
    stream->place = PLACE_end;
    if (!stream->member && skip_blanks(stream) != AT_END)
        return broken(stream, "the end of the file");
    return JSON_STEP_end;
}

static JsonStep next_element(JsonStream *stream, json_t **out_record, Diags *bad)
{
    if (stream->place == PLACE_start) {
        JsonStep step = begin(stream);
        if (step != JSON_STEP_record)
            return step;
    }
    int byte = skip_blanks(stream);
    if (byte == ']')
        return finish(stream);
    if (stream->place == PLACE_between) {
        if (byte != ',')
            return broken(stream, "',' or ']'");
        next_byte(stream);
        skip_blanks(stream);
    }
    stream->place = PLACE_between;
    stream->number++;
    stream->record_bytes = 0;
    stream->loc.line = stream->line;
    if (!scan_value(stream, true))
        return broken(stream, "the rest of the record");
    if (stream->record_bytes == 0)
        return broken(stream, "a record");
    return parse_record(stream, out_record, bad);
}

JsonStep json_stream_next(JsonStream *stream, json_t **out_record, Diags *bad)
{
    *out_record = NULL;
    if (stream->place == PLACE_end)
        return JSON_STEP_end;
    return stream->is_lines ? next_line(stream, out_record, bad)
                            : next_element(stream, out_record, bad);
}
