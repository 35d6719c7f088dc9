/* A profile as a file that Perfetto (ui.perfetto.dev) and Chrome (about:tracing) show. */
#ifndef VLG_RUNTIME_VLRUN_PROFILE_TRACE_H
#define VLG_RUNTIME_VLRUN_PROFILE_TRACE_H

#include "runtime/vlrun/profile_facts.h"

/* In the Trace Event Format, as JSON: one track per lane. An event is complete ("X"), its
 * name a kernel's label, its category forward, backward or update; its arguments tell
 * step, micro-batch, call, class, scope, place in the model, operations and bytes.
 * Events of one micro-batch lie within one that is named after it, of the category
 * "micro-batch". */
typedef struct ProfileTrace ProfileTrace;

/* NULL and an error if `path` cannot be written. */
NODISCARD ProfileTrace *profile_trace_open(const char *path, const char *processor,
                                           uint32_t lanes, Diags *diags);
/* What a lane did in a step, the step being the last that the facts' session ran. */
void profile_trace_lane(ProfileTrace *trace, ProfileFacts *facts, int64_t step,
                        uint32_t lane, const LaneTrace *events);
/* Finishes the file, and frees `trace`. False and an error if not all is written. */
NODISCARD bool profile_trace_finish(ProfileTrace *trace, Diags *diags);
/* Leaves no file, and frees `trace`. NULL is allowed. */
void profile_trace_discard(ProfileTrace *trace);

#endif
