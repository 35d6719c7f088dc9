/* The source of shapes batches: examples by number, turned into words and numbers, and
 * laid end to end in the fields that the graphs ask for (runtime/data/fields.h).
 *
 * The length of a primary axis is the row count of a field that lies on it. Batches of
 * training follow the orders of runtime/data/order.h, those of evaluation the examples'
 * numbers. */
#include <inttypes.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/hash.h"
#include "runtime/data/order.h"
#include "runtime/data/fields.h"

typedef struct Shapes {
    DataSource source;
    Arena *arena;
    const Module *module;
    TaskData *tasks;
    uint32_t task_count;
    int64_t *task_steps; /* batches of each task in an epoch */
    int64_t epoch_steps;
    int64_t epoch;        /* that the orders belong to; -1: none yet */
    uint32_t *task_order; /* [epoch_steps] */
} Shapes;

typedef struct EncodedAnswer {
    int32_t words[ANSWER_WORDS];
    int32_t count;
    float score;
} EncodedAnswer;

typedef struct EncodedExample {
    Example example;
    uint32_t noise_key;
    int32_t question[QUESTION_WORDS];
    int32_t question_count;
    EncodedAnswer answers[EXAMPLE_MAX_ANSWERS];
    uint32_t target; /* the answer that is to be learnt */
} EncodedExample;

/* Every batch of this source: what the model sees, and what it should say. */
typedef struct ShapesBatch {
    Batch batch;
    EncodedExample *examples; /* [batch.sequences] */
} ShapesBatch;

/* -- examples -------------------------------------------------------------------- */

static void encode_example(const TaskData *data, Split split, int64_t number,
                           EncodedExample *out)
{
    const char *task = data->kind->task;
    uint64_t stream = hash_bytes(HASH_START, task, strlen(task)) + (uint64_t)split;
    Draws draws = {.key = random_step_key(stream, (uint64_t)number)};
    *out = (EncodedExample){.noise_key = random_mix32(draws.key)};
    data->kind->make(&draws, split, &out->example);
    char text[2 * EXAMPLE_TEXT];
    snprintf(text, sizeof text, "%s %s", data->prompt, out->example.question);
    out->question_count = words_encode(text, out->question, data->question_room);
    for (uint32_t i = 0; i < out->example.answer_count; i++) {
        EncodedAnswer *answer = &out->answers[i];
        answer->count =
            words_encode(out->example.answers[i].text, answer->words, data->answer_room);
        answer->score = out->example.answers[i].score;
    }
}

/* Draws the answer to learn with the probability that its score gives it. */
static uint32_t draw_target(const EncodedExample *example, uint64_t seed, int64_t epoch)
{
    double total = 0;
    for (uint32_t i = 0; i < example->example.answer_count; i++)
        total += (double)example->answers[i].score;
    uint32_t key = random_step_key(seed ^ example->noise_key, (uint64_t)epoch);
    double mark = total * random_bits(key, 0) * 0x1p-32;
    uint32_t target = 0;
    while (target + 1 < example->example.answer_count &&
           mark >= (double)example->answers[target].score)
        mark -= (double)example->answers[target++].score;
    return target;
}

/* -- batches --------------------------------------------------------------------- */

static const EncodedAnswer *target_of(const EncodedExample *example)
{
    return &example->answers[example->target];
}

/* Rows of a field in one sequence. */
static int64_t field_rows(const TaskData *data, FieldKind kind,
                          const EncodedExample *example)
{
    switch (kind) {
    case FIELD_features:
        return SCENE_CELLS * data->kind->images;
    case FIELD_input_ids:
        return example->question_count;
    case FIELD_decoder_input_ids:
    case FIELD_labels:
        return target_of(example)->count;
    case FIELD_scores:
        return 1;
    default:
        break;
    }
    /* Boxes may lie on any axis that follows from the primary ones. */
    const Field *boxes = &data->fields[FIELD_boxes];
    for (uint32_t i = 0; i < boxes->graph->axis_count; i++) {
        const Axis *axis = &boxes->graph->axes[i];
        if (axis->kind == AXIS_KIND_primary)
            data->axis_rows[i] =
                field_rows(data, task_field_on_axis(data, axis->name), example);
    }
    return axis_sequence_rows(boxes->graph, boxes->type.axis, data->axis_rows);
}

/* Writes one sequence's rows, of `width` numbers each; boxes stay zero. */
static void fill_rows(const TaskData *data, FieldKind kind, const EncodedExample *example,
                      int64_t width, void *rows)
{
    const EncodedAnswer *target = target_of(example);
    size_t words = sizeof *target->words;
    int32_t *ids = rows;
    Draws noise = {.key = example->noise_key};
    switch (kind) {
    case FIELD_features:
        for (uint32_t i = 0; i < data->kind->images; i++)
            scene_show(&example->example.images[i], &data->looks, &noise,
                       (float *)rows + i * SCENE_CELLS * width);
        break;
    case FIELD_input_ids:
        memcpy(ids, example->question, (size_t)example->question_count * words);
        break;
    case FIELD_decoder_input_ids:
        ids[0] = WORD_START;
        memcpy(ids + 1, target->words, (size_t)(target->count - 1) * words);
        break;
    case FIELD_labels:
        memcpy(ids, target->words, (size_t)target->count * words);
        break;
    case FIELD_scores:
        *(float *)rows = target->score;
        break;
    default:
        break;
    }
}

static void fill_field(const TaskData *data, FieldKind kind,
                       const ShapesBatch *shapes_batch, BatchField *out)
{
    const Batch *batch = &shapes_batch->batch;
    const Field *field = &data->fields[kind];
    int64_t width = type_width(field->type), rows = 0;
    for (int64_t i = 0; i < batch->sequences; i++)
        rows += field_rows(data, kind, &shapes_batch->examples[i]);
    /* i32 and f32 are both four bytes. */
    int32_t *at = ARENA_ARRAY(batch->arena, int32_t, rows * width);
    *out = (BatchField){.name = shapes_field_names[kind],
                        .axis = field->graph->axes[field->type.axis].name,
                        .dtype = shapes_field_dtypes[kind],
                        .width = width,
                        .rows = at};
    for (int64_t i = 0; i < batch->sequences; i++) {
        fill_rows(data, kind, &shapes_batch->examples[i], width, at);
        at += field_rows(data, kind, &shapes_batch->examples[i]) * width;
    }
}

static ShapesBatch *batch_new(const TaskData *data, int64_t sequences)
{
    Arena *arena = arena_new();
    ShapesBatch *out = arena_alloc(arena, sizeof *out);
    out->batch =
        (Batch){.task = data->task->name, .sequences = sequences, .arena = arena};
    out->examples = ARENA_ARRAY(arena, EncodedExample, sequences);
    return out;
}

/* Fields and lengths, once the examples are there. */
static Batch *batch_finish(const TaskData *data, ShapesBatch *out)
{
    Batch *batch = &out->batch;
    batch->axes = ARENA_ARRAY(batch->arena, BatchAxis, data->axis_count);
    batch->axis_count = data->axis_count;
    for (uint32_t a = 0; a < data->axis_count; a++) {
        int32_t *lengths = ARENA_ARRAY(batch->arena, int32_t, batch->sequences);
        for (int64_t i = 0; i < batch->sequences; i++)
            lengths[i] =
                (int32_t)field_rows(data, data->axis_fields[a], &out->examples[i]);
        batch->axes[a] = (BatchAxis){.name = data->axes[a], .lengths = lengths};
    }
    batch->fields = ARENA_ARRAY(batch->arena, BatchField, FIELD_COUNT);
    for (int kind = 0; kind < FIELD_COUNT; kind++)
        if (data->fields[kind].graph)
            fill_field(data, (FieldKind)kind, out, &batch->fields[batch->field_count++]);
    return batch;
}

/* -- the source ------------------------------------------------------------------ */

static int64_t shapes_epoch_steps(void *state)
{
    const Shapes *shapes = state;
    return shapes->epoch_steps;
}

static void enter_epoch(Shapes *shapes, int64_t epoch)
{
    if (shapes->epoch == epoch)
        return;
    shapes->epoch = epoch;
    data_task_order(epoch, shapes->task_steps, shapes->task_count, shapes->task_order);
    for (uint32_t i = 0; i < shapes->task_count; i++)
        data_example_order(epoch, shapes->tasks[i].examples, shapes->tasks[i].order);
}

static Batch *shapes_train_batch(void *state, int64_t step, Diags *diags)
{
    Shapes *shapes = state;
    (void)diags;
    enter_epoch(shapes, step / shapes->epoch_steps);
    int64_t place = step % shapes->epoch_steps, turn = 0;
    uint32_t task = shapes->task_order[place];
    for (int64_t i = 0; i < place; i++)
        turn += shapes->task_order[i] == task;
    const TaskData *data = &shapes->tasks[task];
    int64_t first = turn * data->task->sequences;
    int64_t count = data->examples - first;
    if (count > data->task->sequences)
        count = data->task->sequences;
    ShapesBatch *out = batch_new(data, count);
    for (int64_t i = 0; i < count; i++) {
        EncodedExample *example = &out->examples[i];
        encode_example(data, SPLIT_train, data->order[first + i], example);
        example->target =
            draw_target(example, (uint64_t)shapes->module->settings.seed, shapes->epoch);
    }
    return batch_finish(data, out);
}

static TaskData *find_task(Shapes *shapes, const char *task)
{
    for (uint32_t i = 0; i < shapes->task_count; i++)
        if (strcmp(shapes->tasks[i].task->name, task) == 0)
            return &shapes->tasks[i];
    return NULL;
}

static Batch *shapes_eval_batch(void *state, const char *task, Split split, int64_t index,
                                Diags *diags)
{
    const TaskData *data = find_task(state, task);
    (void)diags;
    int64_t first = data ? index * data->task->sequences : 0;
    if (!data || first >= data->evaluated)
        return NULL;
    int64_t count = data->evaluated - first;
    if (count > data->task->sequences)
        count = data->task->sequences;
    ShapesBatch *out = batch_new(data, count);
    for (int64_t i = 0; i < count; i++)
        encode_example(data, split, first + i, &out->examples[i]);
    return batch_finish(data, out);
}

/* The score of the answer that the prediction is, up to its closing word; 0 if it is
 * none. */
static double score_sequence(const EncodedExample *example, const int32_t *prediction)
{
    int32_t rows = target_of(example)->count;
    for (uint32_t i = 0; i < example->example.answer_count; i++) {
        const EncodedAnswer *answer = &example->answers[i];
        if (answer->count <= rows &&
            memcmp(answer->words, prediction,
                   (size_t)answer->count * sizeof *prediction) == 0)
            return (double)answer->score;
    }
    return 0;
}

static void shapes_score(void *state, const Batch *batch, const int32_t *prediction,
                         double *hits, int64_t *count)
{
    (void)state;
    const ShapesBatch *shapes_batch = (const ShapesBatch *)(const void *)batch;
    for (int64_t i = 0; i < batch->sequences; i++) {
        const EncodedExample *example = &shapes_batch->examples[i];
        *hits += score_sequence(example, prediction);
        prediction += target_of(example)->count;
    }
    *count += batch->sequences;
}

static const char *shapes_metric(void *state, const char *task)
{
    const TaskData *data = find_task(state, task);
    return data ? data->kind->metric : "";
}

static void shapes_free(void *state)
{
    Shapes *shapes = state;
    arena_free(shapes->arena);
}

/* A step takes one batch of one task; the last batch of an epoch may be smaller. */
static bool count_steps(Shapes *shapes, Diags *diags)
{
    shapes->task_steps = ARENA_ARRAY(shapes->arena, int64_t, shapes->task_count);
    for (uint32_t i = 0; i < shapes->task_count; i++) {
        TaskData *data = &shapes->tasks[i];
        int64_t sequences = data->task->sequences;
        if (sequences < 1) {
            diag_error(diags, data->task->loc,
                       "task '%s': %" PRId64 " sequences in a step", data->task->name,
                       sequences);
            return false;
        }
        shapes->task_steps[i] = (data->examples + sequences - 1) / sequences;
        shapes->epoch_steps += shapes->task_steps[i];
        data->order = ARENA_ARRAY(shapes->arena, int64_t, data->examples);
    }
    shapes->task_order = ARENA_ARRAY(shapes->arena, uint32_t, shapes->epoch_steps);
    return true;
}

static bool open_tasks(Shapes *shapes, Diags *diags)
{
    const Module *module = shapes->module;
    shapes->tasks = ARENA_ARRAY(shapes->arena, TaskData, module->task_count);
    for (uint32_t i = 0; i < module->task_count; i++, shapes->task_count++)
        if (!task_data_open(&shapes->tasks[i], module, &module->tasks[i], shapes->arena,
                            diags))
            return false;
    if (module->task_count == 0)
        diag_error(diags, (Loc){0}, "model '%s' has no task", module->name);
    return module->task_count > 0 && count_steps(shapes, diags);
}

DataSource *data_shapes_new(const Module *module, Diags *diags)
{
    Arena *arena = arena_new();
    Shapes *shapes = arena_alloc(arena, sizeof *shapes);
    *shapes = (Shapes){.arena = arena, .module = module, .epoch = -1};
    shapes->source = (DataSource){.state = shapes,
                                  .epoch_steps = shapes_epoch_steps,
                                  .train_batch = shapes_train_batch,
                                  .eval_batch = shapes_eval_batch,
                                  .score = shapes_score,
                                  .metric = shapes_metric,
                                  .free = shapes_free};
    if (!open_tasks(shapes, diags)) {
        arena_free(arena);
        return NULL;
    }
    return &shapes->source;
}
