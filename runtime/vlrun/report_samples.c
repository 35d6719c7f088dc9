/* Samples: a run is opened, asked and closed before the next. */
#include "runtime/vlrun/report_samples.h"

#include "ir/base/terminal.h"
#include "runtime/encode/encode_data.h"
#include "runtime/vlrun/generate_show.h"

/* The first batch of the task, cut to as many examples. */
static bool add_batch(Page *page, Run *run, DataSource *source, Batch *batch,
                      int64_t count, Diags *diags)
{
    Asking asking = {.batch = batch, .best = 1};
    if (batch->sequences > count)
        batch->sequences = count;
    if (!generate_settings(run->module, batch->task, &asking.options, diags))
        return false;
    Arena *arena = arena_new();
    ModelAnswers *said = ARENA_ARRAY(arena, ModelAnswers, batch->sequences);
    bool ok = answer(run->session, source, &asking, arena, said, diags);
    page_cards_begin(page);
    for (int64_t s = 0; ok && s < batch->sequences; s++) {
        const ShownExample shown =
            shown_example(source, batch, s, &said[s].items[0], arena);
        shown_card(page, source, &shown, NULL, arena);
    }
    page_cards_end(page);
    arena_free(arena);
    return ok;
}

static bool add_tasks(Page *page, Run *run, DataSource *source, int64_t count,
                      const Interrupt *interrupt, Diags *diags)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < run->module->task_count; i++) {
        uint32_t errors = diags_error_count(diags);
        if (interrupt_is_set(interrupt))
            break;
        Batch *batch = source->eval_batch(source->state, run->module->tasks[i].name,
                                          SPLIT_test, 0, diags);
        ok = diags_error_count(diags) == errors;
        if (!batch)
            continue;
        page_text(page, "%s", run->module->tasks[i].name);
        ok = ok && add_batch(page, run, source, batch, count, diags);
        batch_free(batch);
    }
    return ok;
}

static bool add_run(Page *page, const ReportRun *shown, int64_t count,
                    const Interrupt *interrupt, Diags *diags)
{
    const RunOptions options = {.plan = shown->directory};
    Run run;
    page_subheading(page, shown->name);
    bool ok = run_open(&run, &options, diags);
    if (ok) {
        DataOptions data = {.weights = run_weights_path(&run),
                            .interrupt = interrupt,
                            .has_no_training = true};
        EncodeDataOptions encoding = {.limit = count,
                                      .interrupt = interrupt,
                                      .talk = stderr,
                                      .progress = terminal(stderr)};
        encoding.splits[SPLIT_test] = true;
        DataSource *source = encode_open_data(&run, &encoding, &data, NULL, NULL, diags);
        ok = source && add_tasks(page, &run, source, count, interrupt, diags);
        data_close(source);
        run_close(&run);
    }
    if (!ok)
        page_warning(page, "%s cannot be asked now: vlrun generate %s says why.",
                     shown->name, shown->directory);
    return ok;
}

bool report_add_samples(Page *page, const ReportRuns *runs, int64_t count,
                        const Interrupt *interrupt, Diags *diags)
{
    bool ok = true;
    page_heading(page, "Samples");
    page_text(page,
              "The first examples of the test split, each answer with the probability "
              "that the run gives it.");
    for (uint32_t i = 0; i < runs->count && !interrupt_is_set(interrupt); i++)
        ok = add_run(page, &runs->items[i], count, interrupt, diags) && ok;
    return ok;
}
