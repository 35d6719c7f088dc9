/* A session at work on a batch. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "ir/base/heap.h"
#include "library/parts.h"
#include "runtime/exec/fault.h"
#include "runtime/exec/generate.h"

/* A call about a batch. */
typedef struct BatchCall {
    ApiCall call;
    Arena *arena;
    Batch batch;
    bool ok; /* so far */
} BatchCall;

static void begin(BatchCall *call, const VlgSession *session, const VlgBatch *batch,
                  VlgError *error)
{
    call_begin(&call->call, error);
    call->arena = arena_new();
    call->ok =
        batch_take(session->plan, batch, call->arena, &call->batch, call->call.diags);
}

static bool end(BatchCall *call)
{
    arena_free(call->arena);
    return call_end(&call->call, call->ok);
}

/* -- training ------------------------------------------------------------------------ */

static bool check_rate(double rate, Diags *diags)
{
    bool is_right = isfinite(rate) && rate >= 0;
    if (!is_right)
        diag_error(diags, (Loc){0}, "a learning rate of %g: expected a number from 0",
                   rate);
    return is_right;
}

static bool check_finite(const VlgSession *session, const Batch *batch,
                         const StepResult *result, Diags *diags)
{
    if (isfinite(result->loss) && isfinite(result->gradient_norm))
        return true;
    diag_not_finite(diags, (Loc){0}, "step %" PRId64 ", task '%s': %s is not finite",
                    session->steps, batch->task,
                    isfinite(result->loss) ? "the gradients' norm" : "the loss");
    fault_note_step(session->session, batch, (uint64_t)session->steps, diags);
    return false;
}

bool vlg_step(VlgSession *session, const VlgBatch *batch, double rate, VlgStep *out,
              VlgError *error)
{
    BatchCall call;
    StepResult result = {0};
    begin(&call, session, batch, error);
    Diags *diags = call.call.diags;
    call.ok = call.ok && check_rate(rate, diags) &&
              session_train_step(session->session, &call.batch, (uint64_t)session->steps,
                                 rate, &result, diags) &&
              check_finite(session, &call.batch, &result, diags);
    session->steps += call.ok;
    *out = (VlgStep){result.loss, result.gradient_norm, session->steps};
    return end(&call);
}

bool vlg_gradients(VlgSession *session, const VlgBatch *batch, double *out_loss,
                   VlgError *error)
{
    BatchCall call;
    *out_loss = 0;
    begin(&call, session, batch, error);
    call.ok =
        call.ok && session_gradients(session->session, &call.batch,
                                     (uint64_t)session->steps, out_loss, call.call.diags);
    return end(&call);
}

bool vlg_update(VlgSession *session, const char *task, double rate, VlgStep *out,
                VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    *out = (VlgStep){.steps = session->steps};
    bool ok =
        check_rate(rate, call.diags) &&
        module_named_task(session->plan->module, task, (Loc){0}, call.diags) &&
        session_update(session->session, task, rate, &out->gradient_norm, call.diags);
    session->steps += ok;
    out->steps = session->steps;
    return call_end(&call, ok);
}

/* -- results ------------------------------------------------------------------------- */

static VlgResult give_result(const NamedResult *result)
{
    return (VlgResult){.name = result->name,
                       .type = result->type.dtype == DTYPE_i32 ? VLG_I32 : VLG_F32,
                       .rows = result->rows,
                       .width = type_width(result->type),
                       .starts = result->starts,
                       .data = result->data};
}

bool vlg_evaluate(VlgSession *session, const VlgBatch *batch, VlgResults *out,
                  VlgError *error)
{
    BatchCall call;
    EvalResult result = {0};
    begin(&call, session, batch, error);
    call.ok = call.ok &&
              session_evaluate(session->session, &call.batch, &result, call.call.diags);
    if (call.ok && !result.is_finite) {
        diag_not_finite(call.call.diags, (Loc){0},
                        "task '%s': the loss or a logit is not finite", call.batch.task);
        (void)fault_note(session->session, GRAPH_evaluate, &call.batch, 0,
                         call.call.diags);
        call.ok = false;
    }
    uint32_t count = call.ok ? result.result_count : 0;
    session->results = heap_grow(session->results, count + 1, sizeof *session->results);
    for (uint32_t i = 0; i < count; i++)
        session->results[i] = give_result(&result.results[i]);
    *out = (VlgResults){call.ok ? result.loss : 0, session->results, count};
    return end(&call);
}

/* -- generation ---------------------------------------------------------------------- */

static bool generate_options(const VlgSession *session, const VlgGenerate *given,
                             const char *task, GenerateOptions *out, Diags *diags)
{
    if (!generate_settings(session->plan->module, task, out, diags))
        return false;
    if (!given)
        return true;
    if (given->beams < 0 || given->max_length < 0 || given->no_repeat < 0 ||
        given->best < 0) {
        diag_error(diags, (Loc){0},
                   "generation: beams, max_length, no_repeat and best are not below 0");
        return false;
    }
    if (given->beams)
        out->beams = given->beams;
    if (given->max_length)
        out->max_length = given->max_length;
    if (given->no_repeat)
        out->no_repeat = given->no_repeat;
    out->best = given->best;
    if (out->best > out->beams)
        diag_error(diags, (Loc){0},
                   "generation: %" PRId64 " hypotheses of %" PRId64
                   " beams: expected no more than beams",
                   out->best, out->beams);
    return out->best <= out->beams;
}

bool vlg_generate(VlgSession *session, const VlgBatch *batch, const VlgGenerate *options,
                  VlgGenerated *out, VlgError *error)
{
    BatchCall call;
    GenerateOptions how;
    Generated said = {0};
    begin(&call, session, batch, error);
    Diags *diags = call.call.diags;
    call.ok = call.ok &&
              generate_options(session, options, call.batch.task, &how, diags) &&
              generate(session->session, &call.batch, &how, &said, diags);
    *out = (VlgGenerated){0};
    if (call.ok)
        *out = (VlgGenerated){.sequences = said.sequences,
                              .best = said.best,
                              .width = said.width,
                              .ids = said.ids,
                              .lengths = said.lengths,
                              .scores = said.scores,
                              .sums = said.sums};
    return end(&call);
}

void vlg_generated_clear(VlgGenerated *generated)
{
    if (!generated)
        return;
    Generated said = {.ids = generated->ids,
                      .lengths = generated->lengths,
                      .scores = generated->scores,
                      .sums = generated->sums};
    generated_free(&said);
    *generated = (VlgGenerated){0};
}
