/* Predictions: a choice, a search, or the most likely token at every place of the
 * target. */
#include "runtime/train/predict.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/exec/fault.h"

/* Only the last tokens matter. */
static void keep_last(Generated *generated)
{
    for (int64_t s = 0; s < generated->sequences; s++) {
        const int32_t *ids = generated->ids + s * generated->width;
        generated->ids[s] = ids[generated->lengths[s] - 1];
        generated->lengths[s] = 1;
    }
    generated->width = 1;
}

static bool choose(Session *session, const Batch *batch, const GenerateOptions *options,
                   const TokenChoice *choice, Generated *out, Diags *diags)
{
    const GenerateOptions only = {.start = options->start,
                                  .pad = options->pad,
                                  .end = options->end,
                                  .max_length = choice->given_count + 2,
                                  .beams = 1,
                                  .length_penalty = 1,
                                  .choice = choice,
                                  .memory = options->memory};
    if (!generate(session, batch, &only, out, diags))
        return false;
    keep_last(out);
    return true;
}

/* Of rows that stand for the places of a target: those up to the closing token, or of a
 * choice the one that is not given. */
static void take_rows(const int32_t *rows, int64_t count, const TokenChoice *choice,
                      int32_t end, Generated *out, int64_t sequence)
{
    int64_t first = choice ? choice->given_count : 0, length = 0;
    int32_t *to = out->ids + sequence * out->width;
    while (first + length < count && (!choice || length == 0)) {
        to[length] = rows[first + length];
        if (to[length++] == end)
            break;
    }
    out->lengths[sequence] = length;
}

static bool predict_rows(Session *session, const Batch *batch, const TokenChoice *choice,
                         const GenerateOptions *options, Generated *out, Diags *diags)
{
    EvalResult result;
    if (!session_evaluate(session, batch, &result, diags))
        return false;
    if (!result.is_finite) {
        diag_not_finite(diags, (Loc){0}, "the %s of examples to score is not finite",
                        isfinite(result.loss) ? "largest logit" : "loss");
        fault_note(session, GRAPH_evaluate, batch, 0, diags);
        return false;
    }
    const NamedResult *rows = eval_find(&result, "prediction");
    if (!rows || !rows->starts || rows->type.dtype != DTYPE_i32) {
        diag_error(diags, (Loc){0}, "task '%s' has no result \"prediction\" to score",
                   batch->task);
        return false;
    }
    size_t count = (size_t)batch->sequences;
    *out = (Generated){.sequences = batch->sequences, .best = 1, .width = 1};
    for (size_t s = 0; s < count; s++)
        if (rows->starts[s + 1] - rows->starts[s] > out->width)
            out->width = rows->starts[s + 1] - rows->starts[s];
    out->ids = heap_array(count * (size_t)out->width, sizeof *out->ids);
    out->lengths = heap_array(count, sizeof *out->lengths);
    out->scores = heap_array(count, sizeof *out->scores);
    out->sums = heap_array(count, sizeof *out->sums);
    for (int64_t s = 0; s < batch->sequences; s++)
        take_rows((const int32_t *)rows->data + rows->starts[s],
                  rows->starts[s + 1] - rows->starts[s], choice, options->end, out, s);
    return true;
}

bool predict(Session *session, const DataSource *source, const Batch *batch,
             const GenerateOptions *options, Generated *out, Diags *diags)
{
    TokenChoice choice;
    bool is_choice = source->choice(source->state, batch->task, &choice);
    if (!generate_can(session_module(session), batch->task))
        return predict_rows(session, batch, is_choice ? &choice : NULL, options, out,
                            diags);
    return is_choice ? choose(session, batch, options, &choice, out, diags)
                     : generate(session, batch, options, out, diags);
}
