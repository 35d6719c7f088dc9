/* Reads predictions: an array of records, a record per line, an object {name:
 * prediction}, or lines "name,prediction". */
#include "runtime/data/score_predictions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"

/* A longest common subsequence takes time with the product of two lengths. */
enum { LARGEST_FILE = 1 << 30, LONGEST_TEXT = 1 << 16, SHOWN = 3 };

typedef struct PredictionReader {
    const Layout *layout;
    const References *references;
    Prediction *predictions; /* of each subject; text is NULL where there is none yet */
    Loc loc;
    Diags *diags;
} PredictionReader;

static bool fault(const PredictionReader *reader, const char *what, const char *text)
{
    diag_error(reader->diags, reader->loc, "%s '%.80s'", what, text);
    return false;
}

/* -- one prediction ------------------------------------------------------------------ */

static bool report_unknown(const PredictionReader *reader, const char *name)
{
    uint32_t count = references_count(reader->references);
    const char **names = heap_array(count, sizeof *names);
    for (uint32_t i = 0; i < count; i++)
        names[i] = references_name(reader->references, i);
    const char *near = nearest_name(name, names, count);
    free(names);
    diag_error(reader->diags, reader->loc,
               "there is no '%.80s' among the %" PRIu32 " references%s%.80s%s", name,
               count, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return false;
}

/* A statement is true or false in any case; a choice is its number, or "a" and it. */
static bool understand(const PredictionReader *reader, const char *text, bool is_strict,
                       Prediction *out)
{
    Arena *arena = references_arena(reader->references);
    *out = (Prediction){.text = arena_string(arena, text, strlen(text))};
    if (reader->layout->answers == ANSWER_statement) {
        out->says_true = strcasecmp(text, "true") == 0;
        out->says_false = strcasecmp(text, "false") == 0;
        if (is_strict && !out->says_true && !out->says_false)
            return fault(reader, "a statement is True or False, not", text);
    }
    bool is_number = text[0] >= '0' && text[0] <= '9' && !text[1];
    if (reader->layout->answers == ANSWER_choice && is_number)
        out->text = arena_format(arena, "a%s", text);
    return true;
}

static bool add(const PredictionReader *reader, const char *name, const char *text,
                bool is_strict)
{
    Prediction said;
    uint32_t subject = references_find(reader->references, name);
    if (subject == UINT32_MAX)
        return report_unknown(reader, name);
    if (strlen(text) > LONGEST_TEXT)
        return fault(reader, "more than 65536 bytes are predicted of", name);
    if (!understand(reader, text, is_strict, &said))
        return false;
    Prediction *known = &reader->predictions[subject];
    if (known->text && strcmp(known->text, said.text) != 0)
        return fault(reader, "this is a second and other prediction of", name);
    *known = said;
    return true;
}

/* -- JSON ---------------------------------------------------------------------------- */

static const char *as_text(const json_t *value, char room[32])
{
    if (json_is_integer(value))
        snprintf(room, 32, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        snprintf(room, 32, "%s", json_is_true(value) ? "true" : "false");
    else
        return json_string_value(value);
    return room;
}

/* The first of the members that is there, as text; NULL if none is. */
static const char *first_member(const json_t *record, const char *const *keys,
                                size_t count, char room[32])
{
    for (size_t i = 0; i < count; i++) {
        const char *text = as_text(json_object_get(record, keys[i]), room);
        if (text)
            return text;
    }
    return NULL;
}

#define FIRST_MEMBER(record, keys, room)                                                 \
    first_member(record, keys, sizeof(keys) / sizeof *(keys), room)

/* A record of another task, such as vlrun generate writes of all, is passed over. */
static bool add_record(const PredictionReader *reader, const json_t *record)
{
    static const char *const names[] = {"id",       "question_id", "questionId",
                                        "qid",      "identifier",  "clip_id",
                                        "image_id", "img_id",      "filename"};
    static const char *const texts[] = {"text", "answer", "prediction", "caption"};
    char name_room[32], text_room[32];
    const char *task = json_string_value(json_object_get(record, "task"));
    if (task && strcmp(task, reader->layout->name) != 0)
        return true;
    const char *name = FIRST_MEMBER(record, names, name_room);
    const char *text = FIRST_MEMBER(record, texts, text_room);
    const json_t *descs = json_object_get(record, "descs");
    if (!text)
        text = json_string_value(json_object_get(json_array_get(descs, 0), "desc"));
    if (!name)
        return fault(reader, "a prediction should say of what it is, as in", "id");
    if (!text)
        return fault(reader, "there is no text in the prediction of", name);
    return add(reader, name, text, false);
}

static bool add_array(PredictionReader *reader, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *record = json_array_get(array, i);
        if (!json_is_object(record) || !add_record(reader, record)) {
            diag_note(reader->diags, reader->loc, "in record %zu", i + 1);
            return json_is_object(record) ? false
                                          : fault(reader, "a record should be", "{...}");
        }
    }
    return true;
}

static bool add_map(const PredictionReader *reader, json_t *map)
{
    const char *name;
    json_t *value;
    char room[32];
    json_object_foreach(map, name, value)
    {
        const char *text = as_text(value, room);
        if (!text)
            return fault(reader, "this should have text or a number:", name);
        if (!add(reader, name, text, true))
            return false;
    }
    return true;
}

static json_t *parse(const PredictionReader *reader, const char *bytes, size_t len)
{
    json_error_t error;
    json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        Loc loc = {reader->loc.file,
                   reader->loc.line ? reader->loc.line : (uint32_t)error.line,
                   (uint32_t)error.column};
        diag_error(reader->diags, loc, "%s", error.text);
    }
    return root;
}

/* -- files --------------------------------------------------------------------------- */

static bool add_line(const PredictionReader *reader, char *line, size_t len)
{
    if (line[0] == '{') {
        json_t *record = parse(reader, line, len);
        bool ok = record && add_record(reader, record);
        json_decref(record);
        return ok;
    }
    char *comma = strrchr(line, ',');
    if (!comma)
        return fault(reader, "a line should be JSON or \"name,prediction\", not", line);
    *comma = 0;
    return add(reader, line, comma + 1, true);
}

static bool add_lines(PredictionReader *reader, char *bytes, size_t len)
{
    for (char *line = bytes, *end = bytes + len; line < end;) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        char *stop = newline ? newline : end;
        char *next = newline ? newline + 1 : end;
        if (stop > line && stop[-1] == '\r')
            stop--;
        *stop = 0;
        reader->loc.line++;
        if (*line && !add_line(reader, line, (size_t)(stop - line)))
            return false;
        line = next;
    }
    return true;
}

/* Whether the first line is an object by itself that names what it is of. */
static bool has_records(const char *bytes, size_t len)
{
    const char *newline = memchr(bytes, '\n', len);
    json_t *first = json_loadb(bytes, newline ? (size_t)(newline - bytes) : len, 0, NULL);
    static const char *const names[] = {"id", "clip_id", "qid", "question_id"};
    char room[32];
    bool has = json_is_object(first) && FIRST_MEMBER(first, names, room);
    json_decref(first);
    return has;
}

static bool add_file(PredictionReader *reader, char *bytes, size_t len)
{
    char *at = bytes + strspn(bytes, " \t\r\n");
    size_t rest = len - (size_t)(at - bytes);
    if (memchr(bytes, 0, len))
        return fault(reader, "a byte is 0 in what should be", "text");
    if (*at != '[' && (*at != '{' || has_records(at, rest)))
        return add_lines(reader, bytes, len);
    json_t *root = parse(reader, at, rest);
    bool ok =
        root && (json_is_array(root) ? add_array(reader, root) : add_map(reader, root));
    json_decref(root);
    return ok;
}

static bool check_missing(const PredictionReader *reader)
{
    uint32_t missing = 0, count = references_count(reader->references);
    char shown[320] = "";
    for (uint32_t i = 0; i < count; i++) {
        if (reader->predictions[i].text)
            continue;
        size_t at = strlen(shown);
        if (missing++ < SHOWN)
            snprintf(shown + at, sizeof shown - at, "%s%.80s", at ? ", " : "",
                     references_name(reader->references, i));
    }
    if (!missing)
        return true;
    diag_error(reader->diags, (Loc){.file = reader->loc.file},
               "%" PRIu32 " of %" PRIu32 " references have no prediction: %s%s", missing,
               count, shown, missing > SHOWN ? ", ..." : "");
    return false;
}

const Prediction *predictions_read(const Layout *layout, const References *references,
                                   const char *path, Diags *diags)
{
    size_t len, count = references_count(references);
    char *bytes = file_read(path, LARGEST_FILE, &len, diags);
    if (!bytes)
        return NULL;
    PredictionReader reader = {
        .layout = layout,
        .references = references,
        .predictions = ARENA_ARRAY(references_arena(references), Prediction, count),
        .loc = {.file = path},
        .diags = diags};
    bool ok = add_file(&reader, bytes, len) && check_missing(&reader);
    free(bytes);
    return ok ? reader.predictions : NULL;
}
