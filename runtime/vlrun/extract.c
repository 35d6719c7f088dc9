/* Batches of pictures in, files of features out; the next batch is read meanwhile. */
#include "runtime/vlrun/extract.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/data/data.h"
#include "runtime/data/features/features.h"
#include "runtime/train/evaluate.h"
#include "runtime/exec/fault.h"
#include "runtime/media/pictures.h"
#include "runtime/batch/reader.h"

enum { CHANNELS = 3, SIDE_MAX = 4096 };

static const char PIXELS[] = "pixels", FEATURES[] = "features";

typedef struct Extraction {
    const ExtractOptions *options;
    Run *run;
    const Interrupt *interrupt;
    Diags *diags;
    Arena *arena;
    PictureList list;
    PicturesOptions pictures;
    DataSource *source;
    Features features;       /* of the result that is being collected */
    const PictureItem *item; /* of that result */
    size_t capacity;         /* numbers */
    int64_t written, seen;   /* files, pictures */
    double begun;
} Extraction;

/* -- what the plan says ---------------------------------------------------------- */

static bool plan_fault(const Extraction *work, const Task *task, const char *what)
{
    diag_error(work->diags, task->loc, "task '%s' cannot extract features: %s",
               task->name, what);
    return false;
}

static bool read_three(const Extraction *work, const Task *task, const char *key,
                       float *out)
{
    const char *text = task_fact(task, key);
    int end = 0;
    bool ok = text && sscanf(text, "%f %f %f%n", &out[0], &out[1], &out[2], &end) == 3 &&
              !text[end];
    for (int c = 0; ok && c < CHANNELS; c++)
        ok = isfinite(out[c]);
    if (!ok)
        diag_error(work->diags, task->loc,
                   "task '%s': data '%s' is '%s', expected three numbers", task->name,
                   key, text ? text : "missing");
    return ok;
}

static bool read_facts(Extraction *work, const Task *task)
{
    PicturesOptions *pictures = &work->pictures;
    const char *size = task_fact(task, "image_size");
    char *end = NULL;
    long side = size ? strtol(size, &end, 10) : 0;
    if (!size || *end || side < 1 || side > SIDE_MAX)
        return plan_fault(work, task, "it needs data 'image_size', a number of pixels");
    const char *fit = task_fact(task, "fit");
    if (fit && strcmp(fit, "squash") != 0 && strcmp(fit, "crop") != 0)
        return plan_fault(work, task, "its data 'fit' must be squash or crop");
    if (fit)
        pictures->fit = strcmp(fit, "crop") == 0 ? PICTURE_FIT_crop : PICTURE_FIT_squash;
    const char *interpolation = task_fact(task, "interpolation");
    if (interpolation && strcmp(interpolation, "bicubic") != 0)
        return plan_fault(work, task, "its data 'interpolation' must be bicubic");
    pictures->side = (int32_t)side;
    if (!read_three(work, task, "mean", pictures->mean) ||
        !read_three(work, task, "std", pictures->std))
        return false;
    for (int c = 0; c < CHANNELS; c++)
        if (pictures->std[c] == 0)
            return plan_fault(work, task, "its data 'std' has a zero");
    return true;
}

static const Node *find_input(const Graph *graph, const char *name)
{
    for (uint32_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i]->op == OP_input &&
            strcmp(graph->nodes[i]->attr.named.name, name) == 0)
            return graph->nodes[i];
    return NULL;
}

static bool check_input(Extraction *work, const Task *task, const Graph *graph)
{
    const Node *pixels = find_input(graph, PIXELS);
    if (!pixels)
        return plan_fault(work, task, "it has no input 'pixels'");
    int64_t rows = (int64_t)work->pictures.side * work->pictures.side;
    const Axis *axis =
        type_is_ragged(pixels->type) ? &graph->axes[pixels->type.axis] : NULL;
    if (!axis || axis->kind != AXIS_KIND_fixed || axis->count != rows ||
        type_width(pixels->type) != CHANNELS)
        return plan_fault(
            work, task,
            "its input 'pixels' must be three numbers wide, on an axis with "
            "image_size * image_size rows");
    work->pictures.field = PIXELS;
    work->pictures.axis = axis->name;
    return true;
}

static bool check_plan(Extraction *work)
{
    const Module *module = work->run->module;
    if (module->task_count != 1) {
        diag_error(work->diags, (Loc){0},
                   "the plan has %u tasks, one that extracts features is needed",
                   module->task_count);
        return false;
    }
    const Task *task = &module->tasks[0];
    char *name = heap_format("%s.evaluate", task->name);
    const Graph *graph = module_find_graph(module, name);
    free(name);
    if (!graph || !graph_find_output(graph, OUTPUT_result, FEATURES))
        return plan_fault(work, task, "it has no result 'features'");
    work->pictures.task = task->name;
    work->pictures.most = task->sequences;
    return read_facts(work, task) && check_input(work, task, graph);
}

/* -- results --------------------------------------------------------------------- */

static void add_rows(Extraction *work, const float *rows, int64_t count, int64_t width)
{
    Features *features = &work->features;
    features->width = width;
    LIST_ROOM(features->rows, (size_t)((features->count + count) * width),
              work->capacity);
    memcpy(features->rows + features->count * width, rows,
           (size_t)(count * width) * sizeof *rows);
    features->count += count;
}

/* The libraries write by name, and do not say where they failed. */
static bool write_features(Extraction *work, const char *path, const char *stem)
{
    NewFile *file = new_file_open(path, work->diags);
    const char *aside = file ? new_file_aside(file, work->diags) : NULL;
    bool is_written =
        aside && (work->pictures.is_video
                      ? features_write_npz(aside, &work->features, work->diags)
                      : features_write_hdf5(aside, stem, &work->features, work->diags));
    if (is_written)
        return new_file_finish(file, work->diags);
    if (aside)
        diag_note(work->diags, (Loc){.file = path}, "that would have become this file");
    new_file_discard(file);
    return false;
}

static bool write_result(Extraction *work, const PictureItem *item)
{
    bool is_written = write_features(work, item->result, item->stem);
    work->features.count = 0;
    work->written += is_written;
    return is_written;
}

/* Whether a feature is a number, as it is stored: those of pictures in half precision. */
static bool is_storable(const Extraction *work, float x)
{
    const float half_rounds_to_infinity = 65520;
    return work->pictures.is_video ? isfinite(x) : fabsf(x) < half_rounds_to_infinity;
}

static void report_number(const Extraction *work, float x, const char *stem, int64_t row,
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

static bool take_rows(Extraction *work, const NamedResult *result, int64_t sequence,
                      const PictureBatch *pictures)
{
    const PictureItem *item = pictures->items[sequence];
    int64_t width = type_width(result->type);
    int64_t first = result->starts[sequence];
    int64_t count = result->starts[sequence + 1] - first;
    const float *rows = (const float *)result->data + first * width;
    if (work->pictures.is_video && count != 1) {
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

static void show_progress(const Extraction *work, FILE *out)
{
    if (!out)
        return;
    fprintf(out, "\r%" PRId64 " of %" PRId64 " files, %.1f pictures/s\033[K",
            work->written, work->list.count,
            (double)work->seen / (clock_seconds() - work->begun));
    fflush(out);
}

static bool do_batch(Extraction *work, const Batch *batch)
{
    const PictureBatch *pictures = (const PictureBatch *)batch;
    EvalResult result;
    if (!session_evaluate(work->run->session, batch, &result, work->diags))
        return false;
    const NamedResult *features = eval_find(&result, FEATURES);
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
        if (pictures->is_last[s] && !write_result(work, pictures->items[s]))
            return false;
        work->seen++;
    }
    return true;
}

static ExitCode do_batches(Extraction *work)
{
    FILE *progress = terminal(stderr);
    Reader *reader = reader_new(work->source, 0, INT64_MAX, work->diags);
    if (!reader)
        return EXIT_CODE_input;
    bool ok = true;
    const Batch *batch;
    work->begun = clock_seconds();
    while (ok && !interrupt_is_set(work->interrupt) && (batch = reader_next(reader))) {
        ok = do_batch(work, batch);
        show_progress(work, progress);
    }
    reader_free(reader);
    if (progress)
        fputs("\r\033[K", progress);
    return exit_code(ok && !pictures_failed(work->source), work->diags);
}

static void conclude(const Extraction *work)
{
    double seconds = clock_seconds() - work->begun;
    int64_t skipped = pictures_skipped(work->source);
    printf("%" PRId64 " of %" PRId64 " files written to %s, %.1f pictures/s\n",
           work->written, work->list.count, work->options->out,
           seconds > 0 ? (double)work->seen / seconds : 0);
    if (work->list.done)
        printf("%" PRId64 " were there already; --overwrite makes them anew\n",
               work->list.done);
    if (work->list.ignored)
        printf("%" PRId64 " other files were ignored\n", work->list.ignored);
    if (skipped)
        printf("%" PRId64 " could not be read\n", skipped);
}

static bool list_pictures(Extraction *work)
{
    const ExtractOptions *options = work->options;
    const PictureListOptions listing = {.path = options->video ? options->video
                                                               : options->images,
                                        .is_video = work->pictures.is_video,
                                        .out = options->out,
                                        .ending = options->video ? ".npz" : ".h5",
                                        .overwrite = options->overwrite};
    if (!picture_list(&listing, work->arena, &work->list, work->diags))
        return false;
    work->pictures.items = work->list.items;
    work->pictures.item_count = work->list.count;
    return true;
}

ExitCode extract(const ExtractOptions *options, Run *run, const Interrupt *interrupt,
                 Diags *diags)
{
    bool is_video = options->video;
    Extraction work = {
        .options = options,
        .run = run,
        .interrupt = interrupt,
        .diags = diags,
        .arena = arena_new(),
        .pictures = {.is_video = is_video,
                     .fit = is_video ? PICTURE_FIT_crop : PICTURE_FIT_squash,
                     .interval = options->interval,
                     .skip_bad = options->skip_bad}};
    ExitCode code = EXIT_CODE_input;
    if (check_plan(&work) && directory_make(options->out, diags) &&
        list_pictures(&work)) {
        work.source = pictures_open(&work.pictures);
        code = do_batches(&work);
        conclude(&work);
    }
    features_free(&work.features);
    data_close(work.source);
    arena_free(work.arena);
    return code;
}
