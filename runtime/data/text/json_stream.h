/* The records of a file of examples, one at a time: however large the file, only one
 * record of it is in memory. A file is an array of objects, an object that holds such an
 * array as a member, or an object per line. */
#ifndef VLG_RUNTIME_DATA_TEXT_JSON_STREAM_H
#define VLG_RUNTIME_DATA_TEXT_JSON_STREAM_H

#include <jansson.h>

#include "ir/base/diag.h"

typedef struct JsonStream JsonStream;

typedef enum JsonStep {
    JSON_STEP_record,
    JSON_STEP_bad, /* no object that can be read, and said so; the next may be good */
    JSON_STEP_end,
    JSON_STEP_broken, /* nothing more can be read, and said so */
} JsonStep;

/* Names ending in ".jsonl" have an object per line. Otherwise the file is an array, or
 * with `member` an object with an array of that name. NULL and an error if it cannot be
 * opened. `path` must outlive the stream and every Loc made from it. */
JsonStream *json_stream_open(const char *path, const char *member, Diags *diags);
void json_stream_close(JsonStream *stream); /* NULL is allowed */

/* The caller decrefs *out_record, which is set for JSON_STEP_record alone and NULL
 * otherwise. What is wrong with a single record is told to `bad`. */
JsonStep json_stream_next(JsonStream *stream, json_t **out_record, Diags *bad);

/* Of the record last returned: where it begins, and its number, counted from 1. */
Loc json_stream_loc(const JsonStream *stream);
int64_t json_stream_number(const JsonStream *stream);

#endif
