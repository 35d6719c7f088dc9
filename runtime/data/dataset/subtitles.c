/* A table from video to text over a string index. */
#include "runtime/data/dataset/subtitles.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/strings.h"
#include "runtime/data/dataset/dataset_load.h"
#include "runtime/data/text/json_stream.h"
#include "runtime/data/text/lists.h"

struct Subtitles {
    const char *path;
    Strings *videos;
    const char **texts; /* by number of the video */
    size_t capacity;
};

static void add(Subtitles *subtitles, const char *video, const char *text)
{
    uint32_t number = strings_add(subtitles->videos, video, strlen(video));
    LIST_ROOM(subtitles->texts, (size_t)number + 1, subtitles->capacity);
    subtitles->texts[number] = text;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A member that is missing, and what it may have been misspelt as, or NULL. */
typedef struct Missing {
    const char *key, *near;
} Missing;

static const json_t *member(const json_t *record, const char *key, Missing *out)
{
    const json_t *value = json_object_get(record, key);
    if (!value)
        *out = (Missing){key, record_misspelt(record, key)};
    return value;
}

/* False if the record is not what it should be. */
static bool take(Subtitles *subtitles, const json_t *record, Arena *arena,
                 TextBuffer *joined, Missing *out_missing)
{
    const char *video = json_string_value(member(record, "vid_name", out_missing));
    const json_t *list = video ? member(record, "sub", out_missing) : NULL, *line;
    if (!video || !json_is_array(list))
        return false;
    joined->count = 0;
    size_t i;
    json_array_foreach(list, i, line)
    {
        const char *text = json_string_value(member(line, "text", out_missing));
        if (!text)
            return false;
        size_t len = strlen(text);
        while (len > 0 && is_blank(*text))
            text++, len--;
        while (len > 0 && is_blank(text[len - 1]))
            len--;
        if (i > 0)
            text_buffer_add(joined, " ", 1);
        text_buffer_add(joined, text, len);
    }
    add(subtitles, video,
        joined->count ? arena_string(arena, joined->bytes, joined->count) : "");
    return true;
}

static void tell(const JsonStream *stream, const Missing *missing, Diags *diags)
{
    if (missing->near)
        diag_error(diags, json_stream_loc(stream),
                   "record %" PRId64 ": has no \"%s\"; did you mean that by \"%s\"?",
                   json_stream_number(stream), missing->key, missing->near);
    else
        diag_error(diags, json_stream_loc(stream),
                   "record %" PRId64 ": subtitles need \"vid_name\", a string, and "
                   "\"sub\", an array of objects with \"text\"",
                   json_stream_number(stream));
}

static bool read_all(Subtitles *subtitles, JsonStream *stream, Arena *arena, Skips *skips,
                     Diags *diags)
{
    TextBuffer joined = {0};
    json_t *record;
    JsonStep step;
    bool ok = true;
    while (ok && (step = json_stream_next(stream, &record, skips_diags(skips, diags))) <=
                     JSON_STEP_bad) {
        Missing missing = {0};
        bool is_taken = record && take(subtitles, record, arena, &joined, &missing);
        if (record && !is_taken)
            tell(stream, &missing, skips_diags(skips, diags));
        if (!is_taken)
            skips_count(skips);
        ok = is_taken || skips_allowed(skips);
        json_decref(record);
    }
    text_buffer_free(&joined);
    return ok && step == JSON_STEP_end;
}

Subtitles *subtitles_read(const char *path, Arena *arena, Skips *skips, Diags *diags)
{
    JsonStream *stream = json_stream_open(path, NULL, diags);
    if (!stream)
        return NULL;
    Subtitles *subtitles = heap_alloc(sizeof *subtitles);
    *subtitles = (Subtitles){.path = path, .videos = strings_new()};
    bool ok = read_all(subtitles, stream, arena, skips, diags);
    json_stream_close(stream);
    if (ok)
        return subtitles;
    subtitles_free(subtitles);
    return NULL;
}

void subtitles_free(Subtitles *subtitles)
{
    if (!subtitles)
        return;
    strings_free(subtitles->videos);
    free((void *)subtitles->texts);
    free(subtitles);
}

const char *subtitles_path(const Subtitles *subtitles)
{
    return subtitles->path;
}

const char *subtitles_find(const Subtitles *subtitles, const char *video)
{
    uint32_t number = strings_find(subtitles->videos, video, strlen(video));
    return number == STRING_ABSENT ? NULL : subtitles->texts[number];
}
