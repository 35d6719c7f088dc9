/* Batches of pictures in, features of files out; the next batch is read meanwhile. */
#include "runtime/encode/encode.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "ir/base/terminal.h"
#include "runtime/batch/reader.h"
#include "runtime/exec/fault.h"

typedef struct Encoding {
    const EncodeOptions *options;
    Run *run;
    Diags *diags;
    DataSource *source;
    Features features;       /* of the item that is being collected */
    const PictureItem *item; /* that */
    size_t capacity;         /* numbers */
    EncodeCounts counts;
    double begun;
} Encoding;

static void add_rows(Encoding *work, const float *rows, int64_t count, int64_t width)
{
    Features *features = &work->features;
    features->width = width;
    LIST_ROOM(features->rows, (size_t)((features->count + count) * width),
              work->capacity);
    memcpy(features->rows + features->count * width, rows,
           (size_t)(count * width) * sizeof *rows);
    features->count += count;
}

/* Whether a feature is a number, as it is stored: those of pictures in half precision. */
static bool is_storable(const Encoding *work, float x)
{
    const float half_rounds_to_infinity = 65520;
    return work->options->kind.is_video ? isfinite(x)
                                        : fabsf(x) < half_rounds_to_infinity;
}

static void report_number(const Encoding *work, float x, const char *stem, int64_t row,
                          int64_t column)
{
    if (isfinite(x))
        diag_not_finite(work->diags, (Loc){0},
                        "the features of '%s' do not fit half precision, in which they "
                        "are stored: row %" PRId64 ", column %" PRId64
                        " is %g, expected at most 65504",
                        stem, row, column, (double)x);
    else
        diag_not_finite(work->diags, (Loc){0},
                        "the features of '%s' are not finite: row %" PRId64
                        ", column %" PRId64 " is %g",
                        stem, row, column, (double)x);
}

static bool take_rows(Encoding *work, const NamedResult *result, int64_t sequence,
                      const PictureBatch *pictures)
{
    const PictureItem *item = pictures->items[sequence];
    int64_t width = type_width(result->type);
    int64_t first = result->starts[sequence];
    int64_t count = result->starts[sequence + 1] - first;
    const float *rows = (const float *)result->data + first * width;
    if (work->options->kind.is_video && count != 1) {
        diag_error(work->diags, (Loc){0},
                   "the plan makes %" PRId64
                   " rows of each frame; features of a video have one",
                   count);
        return false;
    }
    for (int64_t i = 0; i < count * width; i++)
        if (!is_storable(work, rows[i])) {
            report_number(work, rows[i], item->stem, i / width, i % width);
            return false;
        }
    if (work->item != item)
        work->features.count = 0; /* the file before was given up */
    work->item = item;
    for (int64_t i = 0; i < pictures->times[sequence]; i++)
        add_rows(work, rows, count, width);
    return true;
}

static bool hand_over(Encoding *work)
{
    const EncodeOptions *options = work->options;
    if (!options->kind.is_video)
        features_round_half(&work->features);
    bool is_taken =
        options->take(options->state, work->item, &work->features, work->diags);
    if (!work->features.rows)
        work->capacity = 0;
    work->features.count = 0;
    work->counts.files += is_taken;
    return is_taken;
}

static void show_progress(const Encoding *work)
{
    FILE *out = work->options->progress;
    if (!out)
        return;
    char *text =
        heap_format("%" PRId64 " of %" PRId64 " files, %.1f pictures/s",
                    work->counts.files, work->options->item_count,
                    (double)work->counts.pictures / (clock_seconds() - work->begun));
    terminal_show(out, text);
    free(text);
}

static bool do_batch(Encoding *work, const Batch *batch)
{
    const PictureBatch *pictures = (const PictureBatch *)batch;
    EvalResult result;
    if (!session_evaluate(work->run->session, batch, &result, work->diags))
        return false;
    const NamedResult *features = eval_find(&result, encoder_features);
    if (!features || !features->starts || features->type.dtype != DTYPE_f32) {
        diag_error(work->diags, (Loc){0},
                   "the result 'features' must be rows of numbers for each picture");
        return false;
    }
    for (int64_t s = 0; s < batch->sequences; s++) {
        if (!take_rows(work, features, s, pictures)) {
            if (diags_saw_not_finite(work->diags))
                fault_note(work->run->session, GRAPH_evaluate, batch, 0, work->diags);
            return false;
        }
        work->counts.pictures++;
        if (pictures->is_last[s] && !hand_over(work))
            return false;
    }
    return true;
}

static bool do_batches(Encoding *work)
{
    Reader *reader = reader_new(work->source, 0, INT64_MAX, work->diags);
    if (!reader)
        return false;
    bool ok = true;
    const Batch *batch;
    while (ok && !interrupt_is_set(work->options->interrupt) &&
           (batch = reader_next(reader))) {
        ok = do_batch(work, batch);
        show_progress(work);
    }
    reader_free(reader);
    if (work->options->progress)
        terminal_show(work->options->progress, "");
    return ok && !pictures_failed(work->source);
}

static PicturesOptions pictures_of(const EncoderPlan *plan, const EncodeOptions *options)
{
    PicturesOptions pictures = {.items = options->items,
                                .item_count = options->item_count,
                                .is_video = options->kind.is_video,
                                .interval = options->kind.interval,
                                .skip_bad = options->skip_bad,
                                .most = plan->most,
                                .side = plan->side,
                                .fit = encoder_plan_fit(plan, options->kind.is_video),
                                .task = plan->task->name,
                                .field = encoder_pixels,
                                .axis = plan->axis};
    memcpy(pictures.mean, plan->mean, sizeof pictures.mean);
    memcpy(pictures.std, plan->std, sizeof pictures.std);
    return pictures;
}

bool encode(Encoder *encoder, const EncodeOptions *options, EncodeCounts *out,
            Diags *diags)
{
    *out = (EncodeCounts){0};
    Run *run = encoder_run(encoder, diags);
    if (!run)
        return false;
    const PicturesOptions pictures = pictures_of(encoder_plan(encoder), options);
    Encoding work = {.options = options,
                     .run = run,
                     .diags = diags,
                     .source = pictures_open(&pictures),
                     .begun = clock_seconds()};
    bool ok = do_batches(&work) && weights_are_unchanged(&run->watch, diags);
    work.counts.skipped = pictures_skipped(work.source);
    work.counts.seconds = clock_seconds() - work.begun;
    *out = work.counts;
    features_free(&work.features);
    data_close(work.source);
    return ok;
}

/* -- of one file --------------------------------------------------------------------- */

static bool keep(void *state, const PictureItem *item, Features *features, Diags *diags)
{
    Features *out = state;
    (void)item;
    (void)diags;
    *out = *features;
    *features = (Features){0};
    return true;
}

bool encode_file(Encoder *encoder, const char *path, const EncodeKind *kind,
                 Features *out, Diags *diags)
{
    const PictureItem item = {.path = path, .stem = path};
    const EncodeOptions options = {
        .kind = *kind, .items = &item, .item_count = 1, .take = keep, .state = out};
    EncodeCounts counts;
    *out = (Features){0};
    if (encode(encoder, &options, &counts, diags))
        return true;
    features_free(out);
    return false;
}
