/* Reads the JSON beside a case with jansson, and cuts the padding off its tensors. */
#include "runtime/check/case.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/files.h"

enum { IGNORED_LABEL = -100, BOX_NUMBERS = 4, SETTINGS_BYTES_MAX = 1 << 24 };

/* -- the JSON beside ---------------------------------------------------------------- */

static const char *copy_text(Arena *arena, const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? arena_string(arena, text, strlen(text)) : NULL;
}

static int64_t whole(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_true(value) ? 1 : json_integer_value(value);
}

/* Rules that are not recorded do not apply. */
static void read_generation(RecordedCase *recorded, const json_t *root)
{
    const json_t *rules = json_object_get(root, "generation");
    const json_t *architecture = json_object_get(root, "architecture");
    const json_t *penalty = json_object_get(rules, "length_penalty");
    recorded->start_token = (int32_t)whole(architecture, "decoder_start_token_id");
    recorded->generation =
        (GenerateOptions){.start = recorded->start_token,
                          .pad = (int32_t)whole(architecture, "pad_token_id"),
                          .end = (int32_t)whole(architecture, "eos_token_id"),
                          .no_repeat = whole(rules, "no_repeat_ngram_size"),
                          .early_stopping = whole(rules, "early_stopping") != 0,
                          .forced_end = whole(rules, "forced_end") != 0,
                          .length_penalty = penalty ? json_number_value(penalty) : 1};
}

static bool read_steps(RecordedCase *recorded, const json_t *root, const char *path,
                       Diags *diags)
{
    const json_t *steps = json_object_get(root, "steps");
    recorded->step_count = (uint32_t)json_array_size(steps);
    recorded->steps = ARENA_ARRAY(recorded->arena, CaseStep, recorded->step_count);
    for (uint32_t i = 0; i < recorded->step_count; i++) {
        const json_t *step = json_array_get(steps, i);
        const json_t *norm = json_object_get(step, "grad_norm_before_clip");
        recorded->steps[i] = (CaseStep){
            .batch = copy_text(recorded->arena, json_object_get(step, "batch")),
            .task = copy_text(recorded->arena, json_object_get(step, "task")),
            .loss = json_number_value(json_object_get(step, "loss")),
            .lr = json_number_value(json_object_get(step, "lr")),
            .gradient_norm = norm ? json_number_value(norm) : -1};
        if (!recorded->steps[i].batch || !recorded->steps[i].task) {
            diag_error(diags, (Loc){.file = path}, "step %u needs a batch and a task", i);
            return false;
        }
    }
    if (recorded->step_count == 0)
        diag_error(diags, (Loc){.file = path}, "there are no steps");
    return recorded->step_count > 0;
}

static char *settings_path(Arena *arena, const char *path)
{
    const char *dot = strrchr(path, '.');
    int stem = dot ? (int)(dot - path) : (int)strlen(path);
    return arena_format(arena, "%.*s.json", stem, path);
}

/* The settings' outermost object; NULL and an error. */
static json_t *read_settings(const char *path, Diags *diags)
{
    size_t len;
    json_error_t error;
    char *text = file_read(path, SETTINGS_BYTES_MAX, &len, diags);
    json_t *root = text ? json_loadb(text, len, 0, &error) : NULL;
    if (text && !root)
        diag_error(diags,
                   (Loc){.file = path,
                         .line = error.line > 0 ? (uint32_t)error.line : 0,
                         .column = error.column > 0 ? (uint32_t)error.column : 0},
                   "%s", error.text);
    free(text);
    return root;
}

RecordedCase *case_open(const char *path, Diags *diags)
{
    Arena *arena = arena_new();
    RecordedCase *recorded = arena_alloc(arena, sizeof *recorded);
    recorded->arena = arena;
    recorded->path = arena_string(arena, path, strlen(path));
    const char *settings = settings_path(arena, path);
    json_t *root = read_settings(settings, diags);
    if (root)
        read_generation(recorded, root);
    bool is_read = root && read_steps(recorded, root, settings, diags);
    json_decref(root);
    if (is_read)
        recorded->file = tensor_file_open(recorded->path, diags);
    if (recorded->file)
        return recorded;
    arena_free(arena);
    return NULL;
}

void case_close(RecordedCase *recorded)
{
    if (!recorded)
        return;
    tensor_file_close(recorded->file);
    arena_free(recorded->arena);
}

/* -- batches ------------------------------------------------------------------------ */

typedef struct CaseMaker {
    const RecordedCase *recorded;
    const CaseStep *step;
    const Graph *graph;
    Batch *batch;
    Diags *diags;
} CaseMaker;

static const Tensor *find(const RecordedCase *recorded, const CaseStep *step,
                          const char *name)
{
    char full[256];
    snprintf(full, sizeof full, "%s/%s", step->batch, name);
    return tensor_file_find(recorded->file, full);
}

/* A tensor of at least `rank` dimensions, the first being the sequences. */
static const Tensor *need(CaseMaker *maker, const char *name, uint32_t rank)
{
    char full[256];
    snprintf(full, sizeof full, "%s/%s", maker->step->batch, name);
    const Tensor *tensor = tensor_file_need(maker->recorded->file, full, maker->diags);
    if (!tensor)
        return NULL;
    bool fits =
        tensor->rank >= rank && tensor->rank <= 4 && tensor->elements > 0 &&
        (maker->batch->sequences == 0 || tensor->dims[0] == maker->batch->sequences);
    if (!fits)
        diag_error(maker->diags, (Loc){.file = maker->recorded->path},
                   "%s has the wrong shape: %u dimensions, %lld sequences", full,
                   tensor->rank, (long long)(tensor->rank > 0 ? tensor->dims[0] : 0));
    return fits ? tensor : NULL;
}

static BatchField *add_field(CaseMaker *maker, const char *name, const char *axis,
                             DType dtype, int64_t width, int64_t most_rows)
{
    Batch *batch = maker->batch;
    BatchField *field = &batch->fields[batch->field_count++];
    *field = (BatchField){.name = name, .axis = axis, .dtype = dtype, .width = width};
    field->rows = arena_array(batch->arena, (size_t)(most_rows * width + 1), 4);
    return field;
}

static int32_t *add_axis(CaseMaker *maker, const char *name)
{
    BatchAxis *axis = &maker->batch->axes[maker->batch->axis_count++];
    axis->name = name;
    axis->lengths = ARENA_ARRAY(maker->batch->arena, int32_t, maker->batch->sequences);
    return axis->lengths;
}

static int32_t *read_integers(CaseMaker *maker, const Tensor *tensor)
{
    int32_t *values = ARENA_ARRAY(maker->batch->arena, int32_t, tensor->elements);
    if (tensor_read_i32(tensor, 0, tensor->elements, values))
        return values;
    diag_error(maker->diags, (Loc){.file = maker->recorded->path},
               "%s has numbers that do not fit in 32 bits", tensor->name);
    return NULL;
}

static float *read_numbers(CaseMaker *maker, const Tensor *tensor)
{
    float *values = ARENA_ARRAY(maker->batch->arena, float, tensor->elements);
    tensor_read_f32(tensor, 0, tensor->elements, values);
    return values;
}

/* Text rows are those the attention mask shows; without one, all up to the padding. */
static bool add_text(CaseMaker *maker)
{
    const Tensor *ids = need(maker, "input_ids", 2);
    bool has_mask = find(maker->recorded, maker->step, "attention_mask") != NULL;
    const Tensor *mask = has_mask ? need(maker, "attention_mask", 2) : NULL;
    const int32_t *values = ids ? read_integers(maker, ids) : NULL;
    if (!values || (has_mask && !(mask && mask->elements == ids->elements)))
        return false;
    const float *shown = mask ? read_numbers(maker, mask) : NULL;
    int32_t pad = maker->recorded->generation.pad;
    BatchField *field =
        add_field(maker, "input_ids", "text", DTYPE_i32, 1, ids->elements);
    int32_t *lengths = add_axis(maker, "text"), *next = field->rows;
    int64_t extent = ids->dims[1];
    for (int64_t s = 0; s < maker->batch->sequences; s++)
        for (int64_t at = s * extent; at < (s + 1) * extent; at++) {
            if (shown ? shown[at] == 0 : values[at] == pad)
                break;
            *next++ = values[at];
            lengths[s]++;
        }
    return true;
}

/* A row per target; the decoder reads the start token, then all targets but the last. */
static bool add_targets(CaseMaker *maker)
{
    const Tensor *ids = need(maker, "target_ids", 2);
    const int32_t *values = ids ? read_integers(maker, ids) : NULL;
    if (!values)
        return false;
    int32_t *labels =
        add_field(maker, "labels", "dec", DTYPE_i32, 1, ids->elements)->rows;
    int32_t *inputs =
        add_field(maker, "decoder_input_ids", "dec", DTYPE_i32, 1, ids->elements)->rows;
    int32_t *lengths = add_axis(maker, "dec");
    int64_t extent = ids->dims[1];
    for (int64_t s = 0; s < maker->batch->sequences; s++)
        for (int64_t i = 0; i < extent && values[s * extent + i] != IGNORED_LABEL; i++) {
            *inputs++ =
                i == 0 ? maker->recorded->start_token : values[s * extent + i - 1];
            *labels++ = values[s * extent + i];
            lengths[s]++;
        }
    return true;
}

static const Axis *pool_axis(const Graph *graph)
{
    for (uint32_t a = 0; a < graph->axis_count; a++)
        if (graph->axes[a].kind == AXIS_KIND_pool)
            return &graph->axes[a];
    return NULL;
}

/* The first side * side boxes of each image, with the number that the reference calls
 * area. */
static bool add_boxes(CaseMaker *maker, int64_t grids, int64_t cells)
{
    const Axis *pool = pool_axis(maker->graph);
    const Tensor *boxes = need(maker, "boxes", 3);
    if (!boxes || !pool)
        return false;
    int64_t kept = pool->side * pool->side;
    if (kept > cells || boxes->elements != grids * cells * BOX_NUMBERS) {
        diag_error(
            maker->diags, (Loc){.file = maker->recorded->path},
            "%s: %lld boxes of an image are too few, or not as many as its features",
            boxes->name, (long long)cells);
        return false;
    }
    const float *values = read_numbers(maker, boxes);
    float *rows =
        add_field(maker, "boxes", "image", DTYPE_f32, BOX_NUMBERS + 1, grids * kept)
            ->rows;
    for (int64_t grid = 0; grid < grids; grid++)
        for (int64_t i = 0; i < kept; i++, rows += BOX_NUMBERS + 1) {
            const float *box = values + (grid * cells + i) * BOX_NUMBERS;
            memcpy(rows, box, BOX_NUMBERS * sizeof *rows);
            rows[BOX_NUMBERS] = (box[3] - box[2]) * (box[1] - box[0]);
        }
    return true;
}

static bool add_images(CaseMaker *maker)
{
    const Tensor *features = need(maker, "vis_feats", 3);
    if (!features)
        return false;
    int64_t sequences = maker->batch->sequences,
            width = features->dims[features->rank - 1];
    int64_t cells = features->dims[features->rank - 2];
    int64_t images = features->rank == 4 ? features->dims[1] : 1;
    BatchField *field = add_field(maker, "features", "grid", DTYPE_f32, width,
                                  sequences * images * cells);
    tensor_read_f32(features, 0, features->elements, field->rows);
    int32_t *lengths = add_axis(maker, "grid");
    for (int64_t s = 0; s < sequences; s++)
        lengths[s] = (int32_t)(images * cells);
    return add_boxes(maker, sequences * images, cells);
}

static bool add_scores(CaseMaker *maker)
{
    if (!find(maker->recorded, maker->step, "scores"))
        return true; /* most tasks have none */
    const Tensor *scores = need(maker, "scores", 1);
    if (!scores || scores->elements != maker->batch->sequences)
        return false;
    BatchField *field =
        add_field(maker, "scores", "batch", DTYPE_f32, 1, scores->elements);
    tensor_read_f32(scores, 0, scores->elements, field->rows);
    return true;
}

static bool add_text_and_images(CaseMaker *maker)
{
    const Tensor *ids = need(maker, "input_ids", 2);
    if (!ids)
        return false;
    maker->batch->sequences = ids->dims[0];
    return add_text(maker) && add_targets(maker) && add_images(maker) &&
           add_scores(maker);
}

/* Rows of a sequence in a tensor [sequences, rows, width], or one of [sequences, width]
 * on the axis `batch`; all sequences have as many. */
static bool add_input(CaseMaker *maker, const Node *input)
{
    const char *name = input->attr.named.name;
    const Axis *axis = &maker->graph->axes[input->type.axis];
    bool is_batch = axis->kind == AXIS_KIND_batch;
    const Tensor *tensor = need(maker, name, is_batch ? 1 : 2);
    if (!tensor)
        return false;
    Batch *batch = maker->batch;
    int64_t rows = is_batch ? 1 : tensor->dims[1], width = type_width(input->type);
    if (input->type.dtype == DTYPE_i32)
        width = 1;
    batch->sequences = tensor->dims[0];
    bool fits = tensor->elements == batch->sequences * rows * width &&
                (axis->kind != AXIS_KIND_fixed || rows == axis->count) &&
                rows <= INT32_MAX;
    if (!fits) {
        diag_error(maker->diags, (Loc){.file = maker->recorded->path},
                   "%s has %lld rows and %lld numbers of a sequence; input '%s' has "
                   "rows of %lld on axis '%s'",
                   tensor->name, (long long)rows,
                   (long long)(tensor->elements / batch->sequences), name,
                   (long long)width, axis->name);
        return false;
    }
    BatchField *field = add_field(maker, name, axis->name, input->type.dtype, width,
                                  batch->sequences * rows);
    if (axis->kind == AXIS_KIND_primary) {
        int32_t *lengths = add_axis(maker, axis->name);
        for (int64_t s = 0; s < batch->sequences; s++)
            lengths[s] = (int32_t)rows;
    }
    if (input->type.dtype == DTYPE_f32) {
        tensor_read_f32(tensor, 0, tensor->elements, field->rows);
        return true;
    }
    const int32_t *values = read_integers(maker, tensor);
    if (values)
        memcpy(field->rows, values, (size_t)tensor->elements * sizeof *values);
    return values != NULL;
}

static bool add_inputs(CaseMaker *maker)
{
    for (uint32_t i = 0; i < maker->graph->node_count; i++)
        if (maker->graph->nodes[i]->op == OP_input &&
            !add_input(maker, maker->graph->nodes[i]))
            return false;
    return maker->batch->sequences > 0;
}

/* Whether the recording has texts, padded; else it has the inputs as the graph names
 * them. */
static bool is_padded(const RecordedCase *recorded, const CaseStep *step)
{
    return find(recorded, step, "input_ids") && find(recorded, step, "attention_mask");
}

Batch *case_batch(const RecordedCase *recorded, const CaseStep *step, const Graph *graph,
                  Diags *diags)
{
    enum { AXES = 3, FIELDS = 6 };
    Arena *arena = arena_new();
    Batch *batch = arena_alloc(arena, sizeof *batch);
    *batch = (Batch){.task = graph->task, .arena = arena};
    batch->axes = ARENA_ARRAY(arena, BatchAxis, AXES + graph->axis_count);
    batch->fields = ARENA_ARRAY(arena, BatchField, FIELDS + graph->node_count);
    CaseMaker maker = {recorded, step, graph, batch, diags};
    if (is_padded(recorded, step) ? add_text_and_images(&maker) : add_inputs(&maker))
        return batch;
    if (diags_error_count(diags) == 0)
        diag_error(diags, (Loc){.file = recorded->path},
                   "the tensors of batch '%s' do not fit", step->batch);
    arena_free(arena);
    return NULL;
}

/* -- places in the recording -------------------------------------------------------- */

/* The input whose rows are on the axis tells. */
static int64_t plain_length(const RecordedCase *recorded, const CaseStep *step,
                            const Graph *graph, int32_t axis)
{
    for (uint32_t i = 0; i < graph->node_count; i++) {
        const Node *node = graph->nodes[i];
        const Tensor *tensor = node->op == OP_input && node->type.axis == axis
                                   ? find(recorded, step, node->attr.named.name)
                                   : NULL;
        if (tensor && tensor->rank >= 2)
            return tensor->dims[1];
    }
    return 0;
}

static int64_t padded_length(const RecordedCase *recorded, const CaseStep *step,
                             const Graph *graph, int32_t axis)
{
    if (!is_padded(recorded, step))
        return plain_length(recorded, step, graph, axis);
    bool is_text = strcmp(graph->axes[axis].name, "text") == 0;
    const Tensor *tensor = find(recorded, step, is_text ? "input_ids" : "target_ids");
    return tensor ? tensor->dims[1] : 0;
}

int64_t case_extent(const RecordedCase *recorded, const CaseStep *step,
                    const Graph *graph, int32_t axis)
{
    const Axis *of = &graph->axes[axis];
    switch (of->kind) {
    case AXIS_KIND_primary:
        return padded_length(recorded, step, graph, axis);
    case AXIS_KIND_fixed:
        return of->count;
    case AXIS_KIND_pool:
        return of->images * of->side * of->side;
    case AXIS_KIND_join:
        return case_extent(recorded, step, graph, of->of[0]) +
               case_extent(recorded, step, graph, of->of[1]);
    case AXIS_KIND_batch:
    case AXIS_KIND_COUNT:
        break;
    }
    return 1;
}

static int64_t rows_of(const Graph *graph, const Batch *batch, int32_t axis,
                       int64_t sequence)
{
    Arena *arena = arena_new();
    int64_t *primary = ARENA_ARRAY(arena, int64_t, graph->axis_count);
    for (uint32_t i = 0; i < batch->axis_count; i++) {
        int32_t a = graph_find_axis(graph, batch->axes[i].name);
        if (a != AXIS_STATIC)
            primary[a] = batch->axes[i].lengths[sequence];
    }
    int64_t rows = axis_sequence_rows(graph, axis, primary);
    arena_free(arena);
    return rows;
}

int64_t case_place(const RecordedCase *recorded, const CaseStep *step, const Graph *graph,
                   const Batch *batch, int32_t axis, int64_t sequence, int64_t place)
{
    const Axis *of = &graph->axes[axis];
    if (of->kind != AXIS_KIND_join)
        return place;
    int64_t first = rows_of(graph, batch, of->of[0], sequence);
    if (place < first)
        return case_place(recorded, step, graph, batch, of->of[0], sequence, place);
    return case_extent(recorded, step, graph, of->of[0]) +
           case_place(recorded, step, graph, batch, of->of[1], sequence, place - first);
}
