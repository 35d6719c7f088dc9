/* Data sets as batches. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "library/parts.h"
#include "runtime/data/data.h"
#include "runtime/train/evaluate.h"

VlgData *vlg_data_open(const VlgPlan *plan, const VlgDataOptions *options,
                       VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    DataOptions how = {0};
    if (options)
        how = (DataOptions){.directory = options->directory,
                            .tokenizer = options->tokenizer,
                            .weights = options->weights};
    DataSource *source = data_open(&how, plan->module, call.diags);
    if (!call_end(&call, source))
        return NULL;
    VlgData *data = heap_alloc(sizeof *data);
    *data = (VlgData){plan, source};
    return data;
}

void vlg_data_close(VlgData *data)
{
    if (!data)
        return;
    data_close(data->source);
    free(data);
}

int64_t vlg_data_steps(const VlgData *data)
{
    return data->source->epoch_steps(data->source->state);
}

/* -- batches ------------------------------------------------------------------------- */

VlgBatch *vlg_data_step(VlgData *data, int64_t step, VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    Batch *batch = NULL;
    if (step < 0)
        diag_error(call.diags, (Loc){0}, "step %" PRId64 ": they count from 0", step);
    else
        batch = data->source->train_batch(data->source->state, step, call.diags);
    call_end(&call, batch);
    return batch ? batch_give(data->plan, batch) : NULL;
}

static bool find_split(const char *name, Split *out, Diags *diags)
{
    for (Split split = 0; split < SPLIT_COUNT; split++)
        if (strcmp(name, split_names[split]) == 0) {
            *out = split;
            return true;
        }
    const char *near = nearest_name(name, split_names, SPLIT_COUNT);
    diag_error(diags, (Loc){0},
               "there is no split '%s': expected train, valid or test%s%s%s", name,
               near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return false;
}

VlgBatch *vlg_data_batch(VlgData *data, const char *task, const char *split,
                         int64_t index, VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    Split which = SPLIT_test;
    Batch *batch = NULL;
    if (index < 0)
        diag_error(call.diags, (Loc){0}, "batch %" PRId64 ": they count from 0", index);
    else if (module_named_task(data->plan->module, task, (Loc){0}, call.diags) &&
             find_split(split, &which, call.diags))
        batch =
            data->source->eval_batch(data->source->state, task, which, index, call.diags);
    call_end(&call, diags_error_count(call.diags) == 0);
    return batch ? batch_give(data->plan, batch) : NULL;
}

/* -- words and scores ---------------------------------------------------------------- */

int64_t vlg_data_text(const VlgData *data, const int32_t *ids, int64_t count, char *out,
                      int64_t room)
{
    if (!data->source->text)
        return -1;
    char *text = NULL;
    size_t len = 0;
    FILE *stream = heap_stream(&text, &len);
    data->source->text(data->source->state, ids, count, stream);
    fclose(stream);
    if (room > 0) {
        size_t fits = len < (size_t)room ? len : (size_t)room - 1;
        memcpy(out, text, fits);
        out[fits] = 0;
    }
    free(text);
    return (int64_t)len;
}

static bool score(VlgSession *session, VlgData *data, const EvaluateOptions *options,
                  double *out, Diags *diags)
{
    Evaluation evaluation = {0};
    if (data->plan != session->plan) {
        diag_error(diags, (Loc){0}, "the data were opened for another plan");
        return false;
    }
    bool ok = evaluate(session->session, data->source, options, &evaluation, diags);
    const TaskScore *main = ok ? evaluation_main(&evaluation, options->task) : NULL;
    if (ok && !main)
        diag_error(diags, (Loc){0}, "task '%s' has no example to score", options->task);
    *out = main ? main->metric.value : 0;
    evaluation_free(&evaluation);
    return main;
}

bool vlg_score(VlgSession *session, VlgData *data, const char *task, const char *split,
               int64_t limit, double *out, VlgError *error)
{
    ApiCall call;
    call_begin(&call, error);
    EvaluateOptions options = {.task = task, .limit = limit};
    *out = 0;
    bool ok = find_split(split, &options.split, call.diags) &&
              module_named_task(data->plan->module, task, (Loc){0}, call.diags) &&
              score(session, data, &options, out, call.diags);
    return call_end(&call, ok);
}
