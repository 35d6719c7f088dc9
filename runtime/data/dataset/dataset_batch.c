/* Examples to sequences: features are read, texts encoded; then all sequences are laid
 * end to end in the fields that the graphs ask for. */
#include "runtime/data/dataset/dataset_batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/axis.h"
#include "runtime/data/dataset/dataset_pictures.h"

enum { VIDEO_ROWS = 64 };

typedef struct Sequence {
    Chosen chosen;
    Features images[EXAMPLE_IMAGES_MAX];
    int64_t cells;        /* rows of all images */
    int64_t rows_in_file; /* of the first */
    TokenList text, target;
} Sequence;

typedef struct DatasetBatch {
    Batch batch;
    const DatasetExample **examples; /* [batch.sequences] */
} DatasetBatch;

const DatasetExample *dataset_example(const Batch *batch, int64_t sequence)
{
    return ((const DatasetBatch *)(const void *)batch)->examples[sequence];
}

/* -- what a task's sequences look like --------------------------------------------- */

/* The stricter of two limits, where 0 is none. */
static int64_t stricter(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static int64_t target_room(const TaskFields *fields)
{
    return stricter(fields->room[FIELD_decoder_input_ids], fields->room[FIELD_labels]);
}

static bool check_model(const TaskShape *shape, const Tokenizer *tokenizer, Diags *diags)
{
    const TaskFields *fields = &shape->fields;
    const Task *task = fields->task;
    if (fields->images != 0 && fields->images != shape->texts->image_count) {
        diag_error(diags, task->loc,
                   "task '%s': the model takes %" PRId64
                   " image%s of an example, the task names %u",
                   task->name, fields->images, fields->images == 1 ? "" : "s",
                   shape->texts->image_count);
        return false;
    }
    if (fields->vocabulary < tokenizer_size(tokenizer)) {
        diag_error(diags, task->loc,
                   "task '%s': the model's vocabulary has %" PRId64
                   " rows, too few for the tokenizer's %d ids",
                   task->name, fields->vocabulary, tokenizer_size(tokenizer));
        return false;
    }
    return true;
}

bool task_shape_find(TaskShape *out, const Module *module, const TaskTexts *texts,
                     const Tokenizer *tokenizer, const DatasetEncoder *encoder,
                     Arena *arena, Diags *diags)
{
    const Task *task = texts->task;
    *out = (TaskShape){.texts = texts};
    if (!task_fields_find(&out->fields, module, task, arena, diags) ||
        !check_model(out, tokenizer, diags) ||
        !task_setting_count(task, "boxes", VIDEO_ROWS, &out->video_rows, diags) ||
        !task_setting_count(task, "input_tokens", texts->layout->input_limit,
                            &out->input_limit, diags) ||
        !task_setting_count(task, "target_tokens", texts->layout->target_limit,
                            &out->target_limit, diags))
        return false;
    if (out->video_rows == 0) {
        diag_error(diags, task->loc, "task '%s': a video needs boxes", task->name);
        return false;
    }
    out->is_encoded = encoder && dataset_is_encoded(texts);
    if (!dataset_interval(task, &out->interval, diags))
        return false;
    out->feature_folder =
        out->is_encoded
            ? dataset_encoded_folder(encoder, texts->is_video ? out->interval : 0, arena)
            : task_setting(task, "features",
                           texts->is_video ? video_features : image_features);
    out->input_limit = stricter(out->input_limit, out->fields.room[FIELD_input_ids]);
    out->target_limit = stricter(out->target_limit, target_room(&out->fields));
    return true;
}

/* -- texts ------------------------------------------------------------------------- */

static void encode(const BatchMaker *maker, Sequence *sequence, Arena *arena)
{
    const TaskShape *shape = maker->shape;
    char *text = task_texts_read(shape->texts, sequence->chosen.example, arena);
    tokenizer_encode(maker->tokenizer, text, shape->input_limit, &sequence->text);
    tokenizer_encode(maker->tokenizer, sequence->chosen.target, shape->target_limit,
                     &sequence->target);
}

/* -- features ------------------------------------------------------------------------ */

/* Rows of the boxes in a sequence with `cells` rows of features; negative if these cannot
 * be pooled to what the model wants. */
static int64_t rows_of_axis(const TaskFields *fields, const Field *field,
                            const Sequence *sequence)
{
    enum { AXES_MAX = MOST_AXES };
    int64_t rows[AXES_MAX] = {0};
    const Graph *graph = field->graph;
    for (uint32_t i = 0; i < graph->axis_count; i++) {
        if (graph->axes[i].kind != AXIS_KIND_primary)
            continue;
        switch (task_field_on_axis(fields, graph->axes[i].name)) {
        case FIELD_features:
            rows[i] = sequence->cells;
            break;
        case FIELD_input_ids:
            rows[i] = (int64_t)sequence->text.count;
            break;
        default:
            rows[i] = (int64_t)sequence->target.count;
            break;
        }
    }
    return axis_sequence_rows(graph, field->type.axis, rows);
}

static bool check_pools(const TaskFields *fields, const Sequence *sequence,
                        const char *path, Diags *diags)
{
    const Field *features = &fields->fields[FIELD_features];
    const Graph *graph = features->graph;
    for (uint32_t i = 0; i < graph->axis_count; i++) {
        Field field = *features;
        field.type.axis = (int32_t)i;
        if (graph->axes[i].kind != AXIS_KIND_pool ||
            rows_of_axis(fields, &field, sequence) >= 0)
            continue;
        diag_error(diags, (Loc){.file = path},
                   "%" PRId64
                   " rows of features are no square that the model can pool to "
                   "%" PRId64 " x %" PRId64,
                   sequence->images[0].count, graph->axes[i].side, graph->axes[i].side);
        return false;
    }
    return true;
}

static bool check_features(const TaskShape *shape, const Sequence *sequence,
                           uint32_t image, const char *path, Diags *diags)
{
    const Loc loc = {.file = path};
    const Features *features = &sequence->images[image];
    int64_t width = type_width(shape->fields.fields[FIELD_features].type);
    if (features->width != width) {
        diag_error(diags, loc, "features are %" PRId64 " wide, the model wants %" PRId64,
                   features->width, width);
        return false;
    }
    if (image > 0 && features->count != sequence->images[0].count) {
        diag_error(diags, loc,
                   "%" PRId64 " rows of features, but %" PRId64 " in the other image",
                   features->count, sequence->images[0].count);
        return false;
    }
    int64_t room = shape->fields.room[FIELD_features];
    if (room == 0 || sequence->cells <= room)
        return true;
    diag_error(diags, loc,
               "with %" PRId64
               " rows of features the sequence is longer than the model's "
               "%" PRId64,
               sequence->cells, room);
    return false;
}

/* Those just read, of the file `path`. */
static bool take_features(const BatchMaker *maker, Sequence *sequence, uint32_t image,
                          const char *path, Diags *diags)
{
    const TaskShape *shape = maker->shape;
    Features *out = &sequence->images[image];
    if (!features_check_finite(out, path, diags))
        return false;
    if (image == 0)
        sequence->rows_in_file = out->count;
    if (shape->texts->is_video)
        features_resample(out, shape->video_rows);
    sequence->cells += out->count;
    if (!check_features(shape, sequence, image, path, diags))
        return false;
    return image + 1 < shape->texts->image_count ||
           check_pools(&shape->fields, sequence, path, diags);
}

static bool is_npz(const TaskShape *shape)
{
    return shape->texts->is_video || shape->is_encoded;
}

static bool read_features(const BatchMaker *maker, Sequence *sequence, uint32_t image,
                          const char *path, Diags *diags)
{
    Features *out = &sequence->images[image];
    const char *name = sequence->chosen.example->images[image];
    if (maker->reader)
        return maker->reader->read(maker->reader->state, name, out, diags);
    const char *slash = strrchr(name, '/');
    return is_npz(maker->shape)
               ? features_read_npz(path, out, diags)
               : features_read_hdf5(maker->isolate, path, slash ? slash + 1 : name, out,
                                    diags);
}

static void sequence_free(Sequence *sequence)
{
    for (int i = 0; i < EXAMPLE_IMAGES_MAX; i++)
        features_free(&sequence->images[i]);
    token_list_free(&sequence->text);
    token_list_free(&sequence->target);
}

char *batch_features_path(const BatchMaker *maker, const char *folder, const char *name,
                          Arena *arena)
{
    const TaskShape *shape = maker->shape;
    return arena_format(arena, "%s/%s/%s/%s.%s",
                        shape->is_encoded ? maker->encoded : maker->directory, folder,
                        shape->feature_folder, name, is_npz(shape) ? "npz" : "h5");
}

static void note_wanted(const TaskShape *shape, const DatasetExample *example,
                        const char *path, Diags *diags)
{
    diag_note(diags, (Loc){0}, "task '%s' wanted it for example '%s'",
              shape->texts->task->name, example->id);
    if (dataset_is_encoded(shape->texts) && !shape->is_encoded && access(path, F_OK) != 0)
        diag_note(diags, (Loc){0},
                  "--encoder PLAN makes features of the pictures "
                  "themselves");
}

/* False and errors, which name the example, if a file is at fault. */
static bool read_images(const BatchMaker *maker, Sequence *sequence, Arena *arena,
                        Diags *diags)
{
    const TaskShape *shape = maker->shape;
    const DatasetExample *example = sequence->chosen.example;
    if (!shape->fields.fields[FIELD_features].graph)
        return true;
    for (uint32_t i = 0; i < shape->texts->image_count; i++) {
        const char *path = maker->reader ? example->images[i]
                                         : batch_features_path(maker, example->folder,
                                                               example->images[i], arena);
        if (read_features(maker, sequence, i, path, diags) &&
            take_features(maker, sequence, i, path, diags))
            continue;
        if (!maker->reader)
            note_wanted(shape, example, path, diags);
        return false;
    }
    return true;
}

bool batch_check_shown(const BatchMaker *maker, const DatasetExample *example,
                       int64_t *out_rows, Diags *diags)
{
    Sequence sequence = {.chosen = {example, "", 0}};
    Arena *arena = arena_new();
    bool ok = read_images(maker, &sequence, arena, diags);
    *out_rows = sequence.rows_in_file;
    sequence_free(&sequence);
    arena_free(arena);
    return ok;
}

/* -- fields -------------------------------------------------------------------------- */

/* Rows of a field in one sequence. */
static int64_t field_rows(const TaskFields *fields, FieldKind kind,
                          const Sequence *sequence)
{
    switch (kind) {
    case FIELD_features:
        return sequence->cells;
    case FIELD_input_ids:
        return (int64_t)sequence->text.count;
    case FIELD_decoder_input_ids:
    case FIELD_labels:
        return (int64_t)sequence->target.count;
    case FIELD_boxes: /* may lie on any axis that follows from the primary ones */
        return rows_of_axis(fields, &fields->fields[FIELD_boxes], sequence);
    default:
        return 1;
    }
}

/* Writes one sequence's rows. Boxes stay zero: grid features have none. */
static void fill_rows(FieldKind kind, const Sequence *sequence, int32_t start, void *rows)
{
    const TokenList *target = &sequence->target;
    int32_t *ids = rows;
    float *numbers = rows;
    switch (kind) {
    case FIELD_features:
        for (int i = 0; i < EXAMPLE_IMAGES_MAX && sequence->images[i].rows; i++) {
            size_t count =
                (size_t)(sequence->images[i].count * sequence->images[i].width);
            memcpy(numbers, sequence->images[i].rows, count * sizeof *numbers);
            numbers += count;
        }
        break;
    case FIELD_input_ids:
        memcpy(ids, sequence->text.ids, sequence->text.count * sizeof *ids);
        break;
    case FIELD_decoder_input_ids:
        ids[0] = start;
        memcpy(ids + 1, target->ids, (target->count - 1) * sizeof *ids);
        break;
    case FIELD_labels:
        memcpy(ids, target->ids, target->count * sizeof *ids);
        break;
    case FIELD_scores:
        numbers[0] = sequence->chosen.score;
        break;
    default:
        break;
    }
}

static void fill_field(const BatchMaker *maker, FieldKind kind, const Sequence *sequences,
                       const Batch *batch, BatchField *out)
{
    const TaskFields *fields = &maker->shape->fields;
    const Field *field = &fields->fields[kind];
    int64_t width = type_width(field->type), rows = 0;
    for (int64_t i = 0; i < batch->sequences; i++)
        rows += field_rows(fields, kind, &sequences[i]);
    /* i32 and f32 are both four bytes. */
    int32_t *at = ARENA_ARRAY(batch->arena, int32_t, rows *width);
    *out = (BatchField){.name = field_names[kind],
                        .axis = field->graph->axes[field->type.axis].name,
                        .dtype = field_dtypes[kind],
                        .width = width,
                        .rows = at};
    int32_t start = tokenizer_ids(maker->tokenizer).start;
    for (int64_t i = 0; i < batch->sequences; i++) {
        fill_rows(kind, &sequences[i], start, at);
        at += field_rows(fields, kind, &sequences[i]) * width;
    }
}

static Batch *lay_out(const BatchMaker *maker, const Sequence *sequences, int64_t count,
                      Arena *arena)
{
    const TaskFields *fields = &maker->shape->fields;
    DatasetBatch *out = arena_alloc(arena, sizeof *out);
    Batch *batch = &out->batch;
    *batch = (Batch){.task = fields->task->name, .sequences = count, .arena = arena};
    out->examples = ARENA_ARRAY(arena, const DatasetExample *, count);
    for (int64_t i = 0; i < count; i++) {
        out->examples[i] = sequences[i].chosen.example;
    }
    batch->axes = ARENA_ARRAY(arena, BatchAxis, fields->axis_count);
    batch->axis_count = fields->axis_count;
    for (uint32_t a = 0; a < fields->axis_count; a++) {
        int32_t *lengths = ARENA_ARRAY(arena, int32_t, count);
        for (int64_t i = 0; i < count; i++)
            lengths[i] =
                (int32_t)field_rows(fields, fields->axis_fields[a], &sequences[i]);
        batch->axes[a] = (BatchAxis){.name = fields->axes[a], .lengths = lengths};
    }
    batch->fields = ARENA_ARRAY(arena, BatchField, FIELD_COUNT);
    for (int kind = 0; kind < FIELD_COUNT; kind++)
        if (fields->fields[kind].graph)
            fill_field(maker, (FieldKind)kind, sequences, batch,
                       &batch->fields[batch->field_count++]);
    return batch;
}

/* -- the batch -------------------------------------------------------------------- */

Batch *batch_make(const BatchMaker *maker, const Chosen *chosen, int64_t count,
                  Diags *diags)
{
    Arena *arena = arena_new();
    Sequence *sequences = ARENA_ARRAY(arena, Sequence, count);
    int64_t made = 0;
    bool ok = true;
    for (int64_t i = 0; ok && i < count; i++) {
        Sequence *sequence = &sequences[made];
        *sequence = (Sequence){.chosen = chosen[i]};
        if (read_images(maker, sequence, arena, skips_diags(maker->skips, diags))) {
            encode(maker, sequence, arena);
            made++;
            continue;
        }
        sequence_free(sequence);
        *sequence = (Sequence){0};
        skips_count(maker->skips);
        ok = skips_allowed(maker->skips);
        if (ok && isolate_is_broken(maker->isolate)) {
            diag_error(diags, (Loc){0}, "no files of features can be read");
            ok = false;
        }
    }
    Batch *batch = ok && made > 0 ? lay_out(maker, sequences, made, arena) : NULL;
    for (int64_t i = 0; i < made; i++)
        sequence_free(&sequences[i]);
    if (!batch)
        arena_free(arena);
    return batch;
}
