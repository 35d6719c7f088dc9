/* Records of examples, as an array, as a member and by line; the first byte tells. */
#include "fuzz.h"
#include "runtime/data/text/json_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    FuzzCase fuzz;
    fuzz_begin(&fuzz);
    const char *name = data[0] % 3 == 0 ? "fuzz.jsonl" : "fuzz.json";
    const char *path = fuzz_file(&fuzz, name, data + 1, size - 1);
    JsonStream *stream =
        json_stream_open(path, data[0] % 3 == 1 ? "images" : NULL, fuzz.diags);
    bool ok = stream;
    for (JsonStep step = JSON_STEP_record; stream && step < JSON_STEP_end;) {
        json_t *record;
        step = json_stream_next(stream, &record, fuzz.diags);
        fuzz_expect(&fuzz, !record == (step != JSON_STEP_record),
                    "a record comes if it is said");
        json_decref(record);
        ok = ok && step != JSON_STEP_bad && step != JSON_STEP_broken;
    }
    json_stream_close(stream);
    fuzz_end(&fuzz, ok);
    return 0;
}
