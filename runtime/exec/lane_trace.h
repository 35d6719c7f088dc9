/* What lanes did, and when: for profiles. Nothing is noted, and no clock read, until
 * session_set_traces. */
#ifndef VLG_RUNTIME_EXEC_LANE_TRACE_H
#define VLG_RUNTIME_EXEC_LANE_TRACE_H

#include <stdint.h>

#include "ir/base/clock.h"
#include "ir/base/list.h"

/* TRACE(name, index, meaning): what an event is, and what its index counts. */
#define TRACE_KINDS                                                                      \
    TRACE(call, "call of the program", "a kernel or a matrix product")                   \
    TRACE(accumulate, "output of the graph", "a gradient or loss is added to its sum")   \
    TRACE(check, "output of the graph", "a gradient is looked at: is it finite?")        \
    TRACE(copy, "copy of the update", "a new value is copied to its variable")           \
    TRACE(wait, "as of what comes next", "another lane must be done first")

typedef enum TraceKind {
#define TRACE(name, index, meaning) TRACE_##name,
    TRACE_KINDS
#undef TRACE
        TRACE_KIND_COUNT
} TraceKind;

typedef struct TraceEvent {
    TraceKind kind;
    uint32_t graph; /* of the module */
    uint32_t index;
    int64_t microbatch;  /* 0 in update graphs */
    int64_t bytes;       /* read and written; 0 for calls: ir/estimate.h tells */
    double begun, ended; /* clock_seconds */
} TraceEvent;

/* Of one lane; all zero it is empty. Only that lane adds to it. */
typedef struct LaneTrace {
    TraceEvent *events;
    uint32_t count;
    size_t capacity;
} LaneTrace;

/* Nothing, if `trace` is NULL. */
static inline double lane_trace_begin(const LaneTrace *trace)
{
    return trace ? clock_seconds() : 0;
}

/* An event that ends now; `event.begun` is what lane_trace_begin returned. */
static inline void lane_trace_end(LaneTrace *trace, TraceEvent event)
{
    if (!trace)
        return;
    event.ended = clock_seconds();
    LIST_ROOM(trace->events, trace->count + 1, trace->capacity);
    trace->events[trace->count++] = event;
}

#endif
