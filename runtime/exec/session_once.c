/* The calls that are run once, by all lanes. */
#include <stdlib.h>

#include "ir/base/clock.h"
#include "ir/base/heap.h"
#include "ir/base/terminal.h"
#include "runtime/exec/session_parts.h"
#include "runtime/lanes/spin.h"

/* Before anything is shown, and between lines: on a terminal, elsewhere. */
static const double SHOW_AFTER = 2, SHOW_TERMINAL = 0.1, SHOW_PLAIN = 5;

/* On a terminal a line that is written over, elsewhere one now and then. */
static void show_progress(Session *session)
{
    FILE *out = session->progress;
    double time = clock_seconds();
    if (!out || time < session->shown_next)
        return;
    bool is_terminal = terminal(out);
    session->shown_next = time + (is_terminal ? SHOW_TERMINAL : SHOW_PLAIN);
    session->has_shown = true;
    char *text =
        heap_format("frozen weights made ready: %lld of %u",
                    (long long)atomic_load(&session->done), session->once->call_count);
    if (is_terminal)
        terminal_show(out, text);
    else
        fprintf(out, "%s\n", text);
    free(text);
}

static void end_progress(const Session *session)
{
    if (session->has_shown && terminal(session->progress))
        terminal_show(session->progress, "");
}

/* What the call has read need not stay in memory: who else reads it, such as `gather`,
 * brings back what it touches. Given back at once, it is never there twice. */
static void release_weights(const Session *session, const OnceCall *at)
{
    const Call *call = &session->programs[at->graph]->calls[at->call];
    for (uint32_t i = 0; i < call->operand_count; i++) {
        const Node *node = call->operands[i].node;
        if (node->op == OP_weight)
            store_release(store_find(session->store, node->attr.named.name));
    }
}

static void run_once_calls(void *state, uint32_t lane)
{
    Session *session = state;
    const Once *once = session->once;
    for (;;) {
        int64_t item = atomic_fetch_add_explicit(&session->next, 1, memory_order_relaxed);
        if (item >= once->call_count)
            return;
        const OnceCall *call = &once->calls[item];
        spin_until(&session->done, call->wait);
        exec_call(session->runs[call->graph].execs[lane], call->call,
                  &session->contexts[lane]);
        release_weights(session, call);
        atomic_fetch_add_explicit(&session->done, 1, memory_order_acq_rel);
        if (lane == 0)
            show_progress(session);
    }
}

void session_compute_once(Session *session)
{
    if (session->once_is_done)
        return;
    atomic_store(&session->next, 0);
    atomic_store(&session->done, 0);
    session->shown_next = clock_seconds() + SHOW_AFTER;
    session->has_shown = false;
    lanes_run(session->lanes, run_once_calls, session);
    end_progress(session);
    session->once_is_done = true;
}

void session_weights_changed(Session *session)
{
    session->once_is_done = false;
}
