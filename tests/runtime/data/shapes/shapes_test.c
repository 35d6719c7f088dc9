/* The shapes data, written as files and read back: what batches hold, that splits share
 * no scene, that answers are right, and that everything is a function of seed and
 * step. */
#include <stdlib.h>
#include <string.h>

#include "ir/axis.h"
#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "runtime/data/data.h"
#include "runtime/data/dataset/dataset.h"
#include "runtime/data/features/hdf5_read.h"
#include "runtime/data/shapes/shapes.h"
#include "tests/check.h"
#include "tests/scratch.h"

enum {
    VOCABULARY = 343,
    WIDTH = 12,
    SIDE = 3,
    SEQUENCES = 7,
    EXAMPLES = 30,
    ON_DISK = 40,
    EVALUATED = 3,
    WORD_END = 1,
    WORD_UNKNOWN = 2,
    WORD_START = 0
};

/* -- a module that asks for everything ------------------------------------------- */

static void add_graph(Module *module, const char *task, GraphKind kind, int64_t images)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", task, graph_kind_names[kind]);
    Graph *graph = graph_new(module->interns, NULL, kind, intern(module->interns, name),
                             intern(module->interns, task));
    const BuildSite site = {0};
    const char *names[] = {"text", "grid", "image", "dec"};
    int32_t axes[4];
    Axis declared[] = {
        {.kind = AXIS_KIND_primary, .longest = 20},
        {.kind = AXIS_KIND_primary, .longest = images * SCENE_CELLS},
        {.kind = AXIS_KIND_pool, .images = images, .side = SIDE},
        {.kind = AXIS_KIND_primary, .longest = 12},
    };
    for (int i = 0; i < 4; i++) {
        declared[i].name = intern(module->interns, names[i]);
        if (declared[i].kind == AXIS_KIND_pool)
            declared[i].of[0] = axes[1];
        axes[i] = graph_axis(graph, declared[i], (Loc){0});
    }
    graph_source(graph, site, OP_input, "input_ids", type_index(axes[0]));
    graph_source(graph, site, OP_input, "features", type_rows(DTYPE_f32, axes[1], WIDTH));
    graph_source(graph, site, OP_input, "boxes", type_rows(DTYPE_f32, axes[2], 5));
    graph_source(graph, site, OP_input, "decoder_input_ids", type_index(axes[3]));
    graph_source(graph, site, OP_input, "scores", type_rows(DTYPE_f32, AXIS_BATCH, 1));
    const Node *args[] = {
        graph_source(graph, site, OP_param, "x", type_vector(DTYPE_f32, WIDTH)),
        graph_source(graph, site, OP_param, "table",
                     type_matrix(DTYPE_f32, VOCABULARY, WIDTH)),
        graph_source(graph, site, OP_input, "labels", type_index(axes[3])),
    };
    args[0] = graph_expand(graph, site, args[0], type_rows(DTYPE_f32, axes[3], WIDTH));
    const OpAttr attr = {.chunked = {.chunk = 8}};
    graph_output(graph, OUTPUT_result, "token_loss",
                 graph_node(graph, site,
                            (NodeSpec){.op = OP_cross_entropy,
                                       .attr = &attr,
                                       .args = args,
                                       .arg_count = 3}),
                 (Loc){0});
    module_add_graph(module, graph);
}

static Module *module_for(const char *const *tasks, uint32_t count)
{
    static DataSetting settings[] = {{.key = "examples", .value = "30"},
                                     {.key = "evaluated", .value = "3"}};
    Module *module = module_new("shapes_test");
    for (uint32_t i = 0; i < count; i++) {
        int64_t images = strcmp(tasks[i], "nlvr") == 0 ? 2 : 1;
        module_add_task(module, (Task){.name = intern(module->interns, tasks[i]),
                                       .sequences = SEQUENCES,
                                       .data = settings,
                                       .data_count = 2});
        add_graph(module, tasks[i], GRAPH_train, images);
        add_graph(module, tasks[i], GRAPH_evaluate, images);
    }
    return module;
}

static const char *const tasks[] = {"vqa", "gqa", "nlvr", "caption"};

/* -- batches --------------------------------------------------------------------- */

static const BatchField *field(const Batch *batch, const char *name)
{
    for (uint32_t i = 0; i < batch->field_count; i++)
        if (strcmp(batch->fields[i].name, name) == 0)
            return &batch->fields[i];
    return NULL;
}

static const int32_t *lengths(const Batch *batch, const char *axis)
{
    for (uint32_t i = 0; i < batch->axis_count; i++)
        if (strcmp(batch->axes[i].name, axis) == 0)
            return batch->axes[i].lengths;
    return NULL;
}

static uint64_t batch_hash(const Batch *batch)
{
    uint64_t hash = hash_bytes(HASH_START, batch->task, strlen(batch->task));
    static const char *const names[] = {"input_ids", "features", "labels", "scores"};
    static const char *const axes[] = {"text", "grid", "dec", NULL};
    for (int i = 0; i < 4; i++) {
        const BatchField *it = field(batch, names[i]);
        int64_t rows = 0;
        for (int64_t s = 0; s < batch->sequences; s++)
            rows += axes[i] ? lengths(batch, axes[i])[s] : 1;
        hash = hash_bytes(hash, it->rows, (size_t)(rows * it->width) * 4);
    }
    return hash;
}

static void check_sequence(Check *check, const Batch *batch, int64_t s,
                           const int32_t *ids, const int32_t *inputs,
                           const int32_t *labels)
{
    int32_t text = lengths(batch, "text")[s], dec = lengths(batch, "dec")[s];
    int32_t images = strcmp(batch->task, "nlvr") == 0 ? 2 : 1;
    CHECK(check, lengths(batch, "grid")[s] == images * SCENE_CELLS, "grid of %s",
          batch->task);
    CHECK(check, text >= 2 && text <= 20 && ids[text - 1] == WORD_END, "text ends");
    CHECK(check, dec >= 2 && dec <= 12 && labels[dec - 1] == WORD_END, "labels end");
    CHECK(check, inputs[0] == WORD_START, "decoding starts");
    CHECK(check, memcmp(inputs + 1, labels, (size_t)(dec - 1) * sizeof *labels) == 0,
          "decoder inputs are shifted labels");
    for (int32_t i = 0; i < text; i++)
        CHECK(check, ids[i] != WORD_UNKNOWN && ids[i] < VOCABULARY - 200,
              "a question's word");
    for (int32_t i = 0; i < dec; i++)
        CHECK(check, labels[i] != WORD_UNKNOWN && labels[i] < VOCABULARY - 200,
              "an answer's word");
    if (images == 2)
        CHECK(check, dec == 2, "true or false");
}

static void check_batch(Check *check, const Batch *batch)
{
    const int32_t *ids = field(batch, "input_ids")->rows;
    const int32_t *inputs = field(batch, "decoder_input_ids")->rows;
    const int32_t *labels = field(batch, "labels")->rows;
    const float *scores = field(batch, "scores")->rows;
    CHECK(check, field(batch, "features")->width == WIDTH,
          "features are as wide as asked");
    CHECK(check, field(batch, "boxes")->width == 5, "boxes too");
    CHECK(check, batch->axis_count == 3, "a length for each primary axis");
    for (int64_t s = 0; s < batch->sequences; s++) {
        check_sequence(check, batch, s, ids, inputs, labels);
        CHECK(check, scores[s] > 0 && scores[s] <= 1, "score %g", (double)scores[s]);
        ids += lengths(batch, "text")[s];
        inputs += lengths(batch, "dec")[s];
        labels += lengths(batch, "dec")[s];
    }
}

static void test_training(Check *check, const DataOptions *data, Diags *diags)
{
    Module *module = module_for(tasks, 4);
    DataSource *source = data_open(data, module, diags), *other;
    other = data_open(data, module, diags);
    CHECK(check, source && other, "open");
    int64_t steps = source->epoch_steps(source->state);
    CHECK(check, steps == 4 * ((EXAMPLES + SEQUENCES - 1) / SEQUENCES), "%d steps",
          (int)steps);
    uint64_t *hashes = heap_array(2 * (size_t)steps, sizeof *hashes);
    int64_t seen[4] = {0};
    for (int64_t step = 0; step < 2 * steps; step++) {
        Batch *batch = source->train_batch(source->state, step, diags);
        check_batch(check, batch);
        for (int t = 0; t < 4; t++)
            seen[t] += strcmp(batch->task, tasks[t]) == 0 ? batch->sequences : 0;
        hashes[step] = batch_hash(batch);
        batch_free(batch);
    }
    for (int t = 0; t < 4; t++)
        CHECK(check, seen[t] == 2 * EXAMPLES, "%s: every example once per epoch",
              tasks[t]);
    /* Another source, in another order. */
    for (int64_t step = 2 * steps; step-- > 0;) {
        Batch *batch = other->train_batch(other->state, step, diags);
        CHECK(check, batch_hash(batch) == hashes[step], "step %d is the same", (int)step);
        batch_free(batch);
    }
    free(hashes);
    data_close(source);
    data_close(other);
    module_free(module);
}

/* Scores of the right answers, or of words that mean nothing, in their place. */
static double score_labels(Check *check, DataSource *source, const char *task,
                           bool is_right)
{
    TokenChoice choice;
    bool is_choice = source->choice(source->state, task, &choice);
    Scores *scores = source->scores_new(source->state, task);
    Batch *batch;
    Diags *diags = diags_new(stderr);
    for (int64_t i = 0;
         (batch = source->eval_batch(source->state, task, SPLIT_test, i, diags)); i++) {
        check_batch(check, batch);
        int32_t *ids = field(batch, "labels")->rows;
        for (int64_t s = 0; s < batch->sequences; s++) {
            int64_t count = lengths(batch, "dec")[s];
            for (int64_t row = 0; !is_right && row < count; row++)
                ids[row] = WORD_UNKNOWN;
            source->scores_add(scores, batch, s, ids, is_choice ? 1 : count);
            ids += count;
        }
        batch_free(batch);
    }
    uint32_t count;
    const Metric *metrics = source->scores_finish(scores, &count);
    CHECK(check, count > 0 && metrics[0].examples == EVALUATED, "%s: %d", task,
          (int)metrics[0].examples);
    double value = metrics[0].value;
    source->scores_free(scores);
    diags_free(diags);
    return value;
}

/* Predicting the labels is right; predicting nonsense is not. */
static void test_scores(Check *check, const DataOptions *data, Diags *diags)
{
    Module *module = module_for(tasks, 4);
    DataSource *source = data_open(data, module, diags);
    for (int t = 0; t < 4; t++) {
        double right = score_labels(check, source, tasks[t], true);
        double wrong = score_labels(check, source, tasks[t], false);
        CHECK(check, right > 80 && wrong == 0, "%s: %g, and %g for nonsense", tasks[t],
              right, wrong);
    }
    data_close(source);
    module_free(module);
}

/* -- scenes ---------------------------------------------------------------------- */

static uint64_t scene_hash(const Scene *scene)
{
    uint64_t hash = HASH_START;
    for (uint32_t i = 0; i < scene->count; i++)
        hash = hash_bytes(hash, &scene->objects[i], sizeof scene->objects[i]);
    return hash;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void test_disjoint(Check *check)
{
    enum { SCENES = 20000 };
    uint64_t *hashes[SPLIT_COUNT];
    Draws draws = {.key = 1};
    for (int split = 0; split < SPLIT_COUNT; split++) {
        hashes[split] = heap_array(SCENES, sizeof(uint64_t));
        for (int i = 0; i < SCENES; i++) {
            Scene scene = scene_draw(&draws, 1, (Split)split);
            hashes[split][i] = scene_hash(&scene);
        }
        qsort(hashes[split], SCENES, sizeof(uint64_t), by_value);
    }
    int common = 0, repeated = 0;
    for (int i = 0; i < SCENES; i++) {
        common += bsearch(&hashes[0][i], hashes[1], SCENES, 8, by_value) != NULL;
        common += bsearch(&hashes[0][i], hashes[2], SCENES, 8, by_value) != NULL;
        common += bsearch(&hashes[1][i], hashes[2], SCENES, 8, by_value) != NULL;
        repeated += i > 0 && hashes[1][i] == hashes[1][i - 1];
    }
    CHECK(check, common == 0, "%d scenes are in two splits", common);
    CHECK(check, repeated > SCENES / 2, "there are few scenes of one object: %d repeat",
          repeated);
    for (int split = 0; split < SPLIT_COUNT; split++)
        free(hashes[split]);
}

/* How far the nearest object is from a cell, in steps of a king. */
static uint32_t nearest_object(const Scene *scene, int cell)
{
    uint32_t nearest = SCENE_SIDE;
    for (uint32_t i = 0; i < scene->count; i++) {
        int rows = abs(cell / SCENE_SIDE - (int)scene->objects[i].row);
        int columns = abs(cell % SCENE_SIDE - (int)scene->objects[i].column);
        uint32_t steps = (uint32_t)(rows > columns ? rows : columns);
        nearest = steps < nearest ? steps : nearest;
    }
    return nearest;
}

static void check_cell(Check *check, const Scene *scene, int cell, const float *feature)
{
    float largest = 0, smallest = 1;
    for (int k = 0; k < WIDTH; k++) {
        largest = feature[k] > largest ? feature[k] : largest;
        smallest = feature[k] < smallest ? feature[k] : smallest;
    }
    uint32_t steps = nearest_object(scene, cell);
    CHECK(check, smallest >= 0, "features are not negative");
    CHECK(check, (largest > 0.1F) == (steps < 2), "cell %d, %u from an object: %g", cell,
          steps, (double)largest);
}

static void test_scene(Check *check)
{
    Arena *arena = arena_new();
    Looks looks = looks_new(arena, WIDTH);
    float *features = ARENA_ARRAY(arena, float, SCENE_CELLS *WIDTH);
    Draws draws = {.key = 7}, noise = {.key = 8};
    for (int i = 0; i < 200; i++) {
        Scene scene = scene_draw(&draws, 1 + (uint32_t)i % 4, SPLIT_train);
        scene_show(&scene, &looks, &noise, features);
        for (int cell = 0; cell < SCENE_CELLS; cell++)
            check_cell(check, &scene, cell, features + cell * WIDTH);
        for (uint32_t k = 1; k < scene.count; k++) {
            const Object *a = &scene.objects[k - 1], *b = &scene.objects[k];
            CHECK(check,
                  a->row < b->row || (a->row == b->row && a->column + 1 < b->column),
                  "reading order");
        }
    }
    arena_free(arena);
}

static const char *answer_of(uint32_t seed, const char *kind, Example *out)
{
    Draws draws = {.key = random_mix32(seed)};
    *out = (Example){.answer_count = 0};
    example_make(kind, &draws, SPLIT_train, out);
    return out->answers[0].text;
}

static void test_balance(Check *check)
{
    static const char *const pairs[][3] = {
        {"vqa", "yes", "no"}, {"gqa", "yes", "no"}, {"nlvr", "true", "false"}};
    for (int p = 0; p < 3; p++) {
        const char *kind = pairs[p][0];
        int first = 0, second = 0;
        for (uint32_t i = 0; i < 4000; i++) {
            Example example;
            const char *answer = answer_of(i, kind, &example);
            first += strcmp(answer, pairs[p][1]) == 0;
            second += strcmp(answer, pairs[p][2]) == 0;
        }
        double share = (double)first / (first + second);
        CHECK(check, share > 0.45 && share < 0.55, "%s: %s in %g of cases", pairs[p][0],
              pairs[p][1], share);
    }
}

/* A caption names what is in its scene. */
static void test_captions(Check *check)
{
    const char *kind = "caption";
    for (uint32_t i = 0; i < 200; i++) {
        Example example;
        const char *text = answer_of(i, kind, &example);
        const Scene *scene = &example.images[0];
        for (uint32_t k = 0; k < scene->count; k++) {
            char part[64];
            snprintf(part, sizeof part, "a %s %s", colour_names[scene->objects[k].colour],
                     shape_names[scene->objects[k].shape]);
            CHECK(check, strstr(text, part), "'%s' names %s", text, part);
        }
    }
}

/* -- what does not fit ----------------------------------------------------------- */

static void check_refused(Check *check, Module *module, const DataOptions *data,
                          const char *message)
{
    Messages messages;
    messages_open(&messages);
    DataSource *source = data_open(data, module, messages.diags);
    data_close(source);
    CHECK(check, !source && messages_have(&messages, message), "should say '%s': %s",
          message, messages.text);
    messages_close(&messages);
    module_free(module);
}

static void test_refusals(Check *check, const DataOptions *data)
{
    static const char *const unknown[] = {"vqaa"};
    DataOptions nowhere = *data;
    nowhere.directory = "no such place";
    check_refused(check, module_for(tasks, 1), &nowhere, "is no directory of data sets");
    check_refused(check, module_for(unknown, 1), data, "did you mean 'vqa'");
    check_refused(check, module_for(tasks, 0), data, "has no task");
    Module *module = module_for(tasks, 1);
    graph_source(module->graphs[0], (BuildSite){0}, OP_input, "lables", type_index(1));
    check_refused(check, module, data, "did you mean 'labels'");
    module = module_for(tasks, 1);
    Axis axis = {.name = intern(module->interns, "sound"),
                 .kind = AXIS_KIND_primary,
                 .longest = 4};
    graph_axis(module->graphs[1], axis, (Loc){0});
    check_refused(check, module, data, "how long axis 'sound' is");
}

/* The same options give the same files. */
static void test_writing(Check *check, const Scratch *scratch,
                         const ShapesOptions *options, Diags *diags)
{
    static const char *const names[] = {
        "vqa/karpathy_val.json", "COCO/dataset_coco.json", "video/ann/tv_subtitles.jsonl",
        "nlvr/clip_features/data_clip_RN101_att/dev-0-0-img1.h5",
        "video/vis_features/tv/clip-vit/tvc_val_release_000000.npz"};
    ShapesOptions again = *options;
    again.directory = scratch_path(scratch, "again");
    CHECK(check, shapes_write(&again, diags), "write");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t one, two;
        char *a = scratch_read(
            scratch, arena_format(scratch->arena, "%s/%s", options->directory, names[i]),
            &one);
        char *b = scratch_read(
            scratch, arena_format(scratch->arena, "%s/%s", again.directory, names[i]),
            &two);
        CHECK(check, a && b && one == two && memcmp(a, b, one) == 0, "%s is the same",
              names[i]);
    }
}

int main(int argc, char **argv)
{
    static const IsolateHandler *const readers[] = {&hdf5_handler};
    isolate_serve(argc, argv, readers, 1);
    Check check = {0};
    Diags *diags = diags_new(stderr);
    Scratch scratch = scratch_new();
    const ShapesOptions options = {.directory = scratch_path(&scratch, "shapes"),
                                   .size = ON_DISK,
                                   .width = WIDTH,
                                   .images = true,
                                   .videos = true};
    const DataOptions data = {.directory = options.directory};
    CHECK(&check, shapes_write(&options, diags), "write");
    test_writing(&check, &scratch, &options, diags);
    test_training(&check, &data, diags);
    test_scores(&check, &data, diags);
    test_disjoint(&check);
    test_scene(&check);
    test_balance(&check);
    test_captions(&check);
    test_refusals(&check, &data);
    CHECK(&check, diags_error_count(diags) == 0, "no errors");
    scratch_free(&scratch);
    diags_free(diags);
    return check_finish(&check);
}
