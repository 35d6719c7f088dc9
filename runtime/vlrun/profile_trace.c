/* JSON, written as it comes: a profile may have millions of events. */
#include "runtime/vlrun/profile_trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/data/text/unicode.h"

/* Shorter waits are not written: there is one before every sum. */
static const double LEAST_WAIT = 1e-6;

struct ProfileTrace {
    NewFile *file;
    FILE *out;
    double begun; /* clock_seconds at 0 of the file */
};

/* -- JSON -------------------------------------------------------------------------- */

/* Bytes that are no UTF-8 become U+FFFD, as in all of JSON there is nothing else. */
static void write_string(FILE *out, const char *text)
{
    size_t length = strlen(text), taken;
    putc('"', out);
    for (size_t i = 0; i < length; i += taken) {
        char bytes[UTF8_MAX];
        uint32_t code = utf8_decode(text + i, length - i, &taken);
        if (code < ' ' || code == '"' || code == '\\')
            fprintf(out, "\\u%04" PRIx32, code);
        else
            fwrite(bytes, 1, utf8_encode(code, bytes), out);
    }
    putc('"', out);
}

static void write_member(FILE *out, const char *key, const char *text)
{
    fprintf(out, ",\"%s\":", key);
    write_string(out, text);
}

static void write_metadata(FILE *out, const char *what, uint32_t lane, const char *name)
{
    fprintf(out, "{\"ph\":\"M\",\"pid\":0,\"tid\":%" PRIu32 ",\"name\":\"%s\",\"args\":{",
            lane, what);
    fputs("\"name\":", out);
    write_string(out, name);
    fputs("}}", out);
}

/* -- the file ---------------------------------------------------------------------- */

ProfileTrace *profile_trace_open(const char *path, const char *processor, uint32_t lanes,
                                 Diags *diags)
{
    NewFile *file = new_file_open(path, diags);
    if (!file)
        return NULL;
    ProfileTrace *trace = HEAP_ARRAY(ProfileTrace, 1);
    *trace = (ProfileTrace){
        .file = file, .out = new_file_stream(file), .begun = clock_seconds()};
    fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"computed on\":", trace->out);
    write_string(trace->out, processor);
    fputs("},\n\"traceEvents\":[\n", trace->out);
    write_metadata(trace->out, "process_name", 0, "vlrun");
    for (uint32_t lane = 0; lane < lanes; lane++) {
        char name[32];
        snprintf(name, sizeof name, "lane %" PRIu32, lane);
        fputs(",\n", trace->out);
        write_metadata(trace->out, "thread_name", lane, name);
    }
    return trace;
}

bool profile_trace_finish(ProfileTrace *trace, Diags *diags)
{
    fputs("\n]}\n", trace->out);
    bool ok = new_file_finish(trace->file, diags);
    free(trace);
    return ok;
}

void profile_trace_discard(ProfileTrace *trace)
{
    if (!trace)
        return;
    new_file_discard(trace->file);
    free(trace);
}

/* -- events ------------------------------------------------------------------------ */

/* Up to its arguments, in microseconds. */
static void write_span(const ProfileTrace *trace, uint32_t lane, double begun,
                       double ended)
{
    fprintf(trace->out,
            ",\n{\"ph\":\"X\",\"pid\":0,\"tid\":%" PRIu32 ",\"ts\":%.3f,\"dur\":%.3f",
            lane, 1e6 * (begun - trace->begun), 1e6 * (ended - begun));
}

static void write_event(const ProfileTrace *trace, ProfileFacts *facts, int64_t step,
                        uint32_t lane, const TraceEvent *event)
{
    const ProfileSubject *subject = profile_subject(facts, event);
    StepCost cost = profile_cost(facts, event);
    FILE *out = trace->out;
    write_span(trace, lane, event->begun, event->ended);
    write_member(out, "name", subject->name);
    write_member(out, "cat", subject->texts[PROFILE_pass]);
    fprintf(out, ",\"args\":{\"step\":%" PRId64 ",\"micro-batch\":%" PRId64, step,
            event->microbatch);
    write_member(out, "call", subject->id);
    write_member(out, "class", subject->texts[PROFILE_class]);
    write_member(out, "scope", subject->scope);
    if (subject->value)
        write_member(out, "value", subject->value);
    if (subject->loc.file) {
        char *place = heap_format("%s:%u:%u", subject->loc.file, subject->loc.line,
                                  subject->loc.column);
        write_member(out, "place", place);
        free(place);
    }
    fprintf(out, ",\"flops\":%.0f,\"bytes\":%.0f}}", cost.flops, cost.bytes);
}

/* Whether both are part of the same micro-batch, update, or check of gradients. */
static bool is_together(const TraceEvent *a, const TraceEvent *b)
{
    return a->graph == b->graph && a->microbatch == b->microbatch &&
           (a->kind == TRACE_check) == (b->kind == TRACE_check);
}

static void write_frame(const ProfileTrace *trace, const ProfileFacts *facts,
                        int64_t step, uint32_t lane, const TraceEvent *first,
                        const TraceEvent *last)
{
    const Graph *graph = profile_graph(facts, first);
    char *name =
        first->kind == TRACE_check ? heap_format("@%s: check", graph->name)
        : graph->kind == GRAPH_update
            ? heap_format("@%s", graph->name)
            : heap_format("@%s micro-batch %" PRId64, graph->name, first->microbatch);
    write_span(trace, lane, first->begun, last->ended);
    write_member(trace->out, "name", name);
    write_member(trace->out, "cat", "micro-batch");
    fprintf(trace->out, ",\"args\":{\"step\":%" PRId64 "}}", step);
    free(name);
}

void profile_trace_lane(ProfileTrace *trace, ProfileFacts *facts, int64_t step,
                        uint32_t lane, const LaneTrace *events)
{
    for (uint32_t i = 0; i < events->count; i++) {
        const TraceEvent *event = &events->events[i];
        if (i == 0 || !is_together(event, event - 1)) {
            uint32_t last = i;
            while (last + 1 < events->count &&
                   is_together(event, &events->events[last + 1]))
                last++;
            write_frame(trace, facts, step, lane, event, &events->events[last]);
        }
        if (event->kind != TRACE_wait || event->ended - event->begun >= LEAST_WAIT)
            write_event(trace, facts, step, lane, event);
    }
}
