/* The source of batches from data sets on disk.
 *
 * An epoch takes every training example of every task once, in the orders of
 * order.h; evaluation takes examples in the order of their files. Whatever is drawn at
 * random is a function of seed, epoch and example. */
#include "runtime/data/dataset/dataset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "ir/base/random.h"
#include "runtime/data/dataset/dataset_batch.h"
#include "runtime/data/dataset/dataset_load.h"
#include "runtime/data/dataset/dataset_pictures.h"
#include "runtime/data/dataset/dataset_scores.h"
#include "runtime/data/dataset/dataset_task.h"
#include "runtime/data/dataset/dataset_unknown.h"
#include "runtime/data/dataset/order.h"
#include "runtime/data/features/features.h"

typedef struct TaskData {
    const Task *task;
    TaskTexts texts;
    TaskShape shape;
    ExampleList splits[SPLIT_COUNT];
    int64_t limits[SPLIT_COUNT];      /* use the first so many examples; 0: all */
    int64_t passed_over[SPLIT_COUNT]; /* batches none of which could be read, so far */
    int64_t *order;                   /* of the training examples in the epoch at hand */
} TaskData;

typedef struct Dataset {
    DataSource source;
    const Module *module;
    DatasetOptions options;
    const char *encoded; /* the directory of features that an encoder makes */
    Arena *arena;
    Interns *interns;
    Skips *skips;
    Isolate *isolate;
    Tokenizer *tokenizer;
    Loader loader;
    TaskData *tasks;
    uint32_t task_count;
    int64_t *task_steps; /* batches of each task in an epoch */
    int64_t epoch_steps;
    int64_t epoch;        /* that the orders belong to; -1: none yet */
    uint32_t *task_order; /* [epoch_steps] */
} Dataset;

/* -- examples --------------------------------------------------------------------- */

static int64_t split_count(const TaskData *data, Split split)
{
    int64_t count = data->splits[split].count, limit = data->limits[split];
    return limit > 0 && limit < count ? limit : count;
}

static bool load_split(Dataset *dataset, TaskData *data, Split split, Diags *diags)
{
    Loader *loader = &dataset->loader;
    ExampleList *list = &data->splits[split];
    if (list->is_loaded)
        return true;
    loader->texts = &data->texts;
    loader->diags = diags;
    loader->needs_scores = !data->shape.fields.fields[FIELD_scores].graph;
    loader->has_no_features = !data->shape.fields.fields[FIELD_features].graph;
    loader->names_pictures = data->shape.is_encoded;
    if (!loader_load(loader, split, dataset->options.leaderboard, list))
        return false;
    dataset_warn_unknown(&data->texts, split, list, split_count(data, split),
                         dataset->tokenizer, diags);
    return true;
}

/* Draws the answer to learn with the probability that its score gives it. */
static Chosen choose_to_learn(const Dataset *dataset, const TaskData *data,
                              int64_t number)
{
    const DatasetExample *example = &data->splits[SPLIT_train].items[number];
    double total = 0;
    for (uint32_t i = 0; i < example->answer_count; i++)
        total += (double)example->answers[i].score;
    if (!(total > 0))
        return (Chosen){example, "", 0};
    uint64_t task = hash_bytes(HASH_START, data->task->name, strlen(data->task->name));
    uint32_t key = random_step_key((uint64_t)dataset->module->settings.seed ^ task,
                                   (uint64_t)dataset->epoch);
    double mark =
        total * random_bits(key + (uint32_t)(number >> 32), (uint32_t)number) * 0x1p-32;
    uint32_t i = 0;
    while (i + 1 < example->answer_count && mark >= (double)example->answers[i].score)
        mark -= (double)example->answers[i++].score;
    return (Chosen){example, example->answers[i].text, example->answers[i].score};
}

static Chosen choose_best(const DatasetExample *example)
{
    const DatasetAnswer *best = dataset_best(example);
    return best ? (Chosen){example, best->text, best->score} : (Chosen){example, "", 0};
}

static BatchMaker maker_for(const Dataset *dataset, const TaskData *data)
{
    return (BatchMaker){.directory = dataset->options.directory,
                        .encoded = dataset->encoded,
                        .isolate = dataset->isolate,
                        .tokenizer = dataset->tokenizer,
                        .skips = dataset->skips,
                        .shape = &data->shape};
}

/* -- the source -------------------------------------------------------------------- */

static int64_t dataset_epoch_steps(void *state)
{
    const Dataset *dataset = state;
    return dataset->epoch_steps;
}

static void enter_epoch(Dataset *dataset, int64_t epoch)
{
    if (dataset->epoch == epoch)
        return;
    dataset->epoch = epoch;
    data_task_order(epoch, dataset->task_steps, dataset->task_count, dataset->task_order);
    for (uint32_t i = 0; i < dataset->task_count; i++)
        data_example_order(epoch, split_count(&dataset->tasks[i], SPLIT_train),
                           dataset->tasks[i].order);
}

static uint32_t dataset_step_task(void *state, int64_t step)
{
    Dataset *dataset = state;
    enter_epoch(dataset, step / dataset->epoch_steps);
    return dataset->task_order[step % dataset->epoch_steps];
}

/* Whether a batch that could not be made may be passed over. */
static bool is_left_out(const Batch *batch, const Diags *diags, uint32_t errors)
{
    return !batch && diags_error_count(diags) == errors;
}

static int64_t batches_of(const TaskData *data, Split split)
{
    int64_t sequences = data->task->sequences;
    return (split_count(data, split) + sequences - 1) / sequences;
}

typedef Chosen ChooseFn(const Dataset *dataset, const TaskData *data, Split split,
                        int64_t place);

static Batch *make_batch(const Dataset *dataset, const TaskData *data, Split split,
                         int64_t index, ChooseFn *choose, Diags *diags)
{
    int64_t sequences = data->task->sequences, first = index * sequences;
    int64_t left = split_count(data, split) - first;
    int64_t count = left < sequences ? left : sequences;
    Chosen *chosen = heap_array((size_t)count, sizeof *chosen);
    for (int64_t i = 0; i < count; i++)
        chosen[i] = choose(dataset, data, split, first + i);
    BatchMaker maker = maker_for(dataset, data);
    Batch *batch = batch_make(&maker, chosen, count, diags);
    free(chosen);
    return batch;
}

static Chosen choose_in_order_of_epoch(const Dataset *dataset, const TaskData *data,
                                       Split split, int64_t place)
{
    (void)split;
    return choose_to_learn(dataset, data, data->order[place]);
}

static Chosen choose_in_order_of_file(const Dataset *dataset, const TaskData *data,
                                      Split split, int64_t place)
{
    (void)dataset;
    return choose_best(&data->splits[split].items[place]);
}

/* In the place of a batch none of whose examples can be read comes the next that can. */
static Batch *dataset_train_batch(void *state, int64_t step, Diags *diags)
{
    Dataset *dataset = state;
    enter_epoch(dataset, step / dataset->epoch_steps);
    int64_t place = step % dataset->epoch_steps, turn = 0;
    uint32_t task = dataset->task_order[place], errors = diags_error_count(diags);
    for (int64_t i = 0; i < place; i++)
        turn += dataset->task_order[i] == task;
    const TaskData *data = &dataset->tasks[task];
    int64_t batches = batches_of(data, SPLIT_train);
    for (int64_t i = 0; i < batches; i++) {
        Batch *batch = make_batch(dataset, data, SPLIT_train, (turn + i) % batches,
                                  choose_in_order_of_epoch, diags);
        if (!is_left_out(batch, diags, errors))
            return batch;
    }
    diag_error(diags, (Loc){0}, "task '%s': no example of the training split can be read",
               data->task->name);
    return NULL;
}

static TaskData *find_task(Dataset *dataset, const char *task)
{
    for (uint32_t i = 0; i < dataset->task_count; i++)
        if (strcmp(dataset->tasks[i].task->name, task) == 0)
            return &dataset->tasks[i];
    return NULL;
}

bool dataset_has_task(const DataSource *source, const char *task)
{
    return find_task(source->state, task);
}

DatasetTask dataset_task(const DataSource *source, const char *task)
{
    Dataset *dataset = source->state;
    const TaskData *data = find_task(dataset, task);
    DatasetTask out = {.loader = dataset->loader, .maker = maker_for(dataset, data)};
    out.loader.texts = &data->texts;
    out.loader.stream = NULL;
    return out;
}

static Batch *dataset_eval_batch(void *state, const char *task, Split split,
                                 int64_t index, Diags *diags)
{
    Dataset *dataset = state;
    TaskData *data = find_task(dataset, task);
    if (!data || !load_split(dataset, data, split, diags))
        return NULL;
    uint32_t errors = diags_error_count(diags);
    int64_t *passed_over = &data->passed_over[split];
    if (index == 0)
        *passed_over = 0;
    for (; index + *passed_over < batches_of(data, split); (*passed_over)++) {
        Batch *batch = make_batch(dataset, data, split, index + *passed_over,
                                  choose_in_order_of_file, diags);
        if (!is_left_out(batch, diags, errors))
            return batch;
    }
    return NULL;
}

/* -- answers ----------------------------------------------------------------------- */

/* Statements are true or false; what tells BPE apart is a token of its own that every
 * target begins with. */
static bool dataset_choice(void *state, const char *task, TokenChoice *out)
{
    Dataset *dataset = state;
    const TaskData *data = find_task(dataset, task);
    if (!data || data->texts.metric != ANSWER_statement)
        return false;
    TokenizerIds ids = tokenizer_ids(dataset->tokenizer);
    bool is_begun = ids.start != ids.pad && ids.bos >= 0;
    *out = (TokenChoice){.given = {is_begun ? ids.bos : 0},
                         .given_count = is_begun,
                         .first = tokenizer_first_id(dataset->tokenizer, "true"),
                         .other = tokenizer_first_id(dataset->tokenizer, "false")};
    return true;
}

static const char *dataset_id(void *state, const Batch *batch, int64_t sequence)
{
    (void)state;
    return dataset_example(batch, sequence)->id;
}

static void dataset_words(void *state, const int32_t *ids, int64_t count, FILE *out)
{
    const Dataset *dataset = state;
    Arena *arena = arena_new();
    fputs(tokenizer_decode(dataset->tokenizer, ids, count, arena), out);
    arena_free(arena);
}

static Scores *dataset_scores(void *state, const char *task)
{
    Dataset *dataset = state;
    return dataset_scores_new(find_task(dataset, task)->texts.metric, dataset->tokenizer);
}

static Dump *dataset_dump(void *state, const char *task, const char *directory)
{
    Dataset *dataset = state;
    return dataset_dump_new(&find_task(dataset, task)->texts, dataset->tokenizer,
                            directory);
}

const char *dataset_directory(const DataSource *source)
{
    return ((const Dataset *)source->state)->options.directory;
}

bool dataset_pictures(DataSource *source, const char *task, Split split, int64_t limit,
                      Arena *arena, DatasetPictures *out, Diags *diags)
{
    Dataset *dataset = source->state;
    TaskData *data = find_task(dataset, task);
    const TaskShape *shape = data ? &data->shape : NULL;
    *out = (DatasetPictures){0};
    if (!shape || !shape->is_encoded || !shape->fields.fields[FIELD_features].graph)
        return true;
    if (!load_split(dataset, data, split, diags))
        return false;
    int64_t count = split_count(data, split);
    const BatchMaker maker = maker_for(dataset, data);
    dataset_pictures_list(&maker, data->splits[split].items,
                          limit > 0 && limit < count ? limit : count, arena, out);
    return true;
}

bool dataset_split(DataSource *source, const char *task, Split split, DatasetSplit *out,
                   Diags *diags)
{
    Dataset *dataset = source->state;
    TaskData *data = find_task(dataset, task);
    bool ok = load_split(dataset, data, split, diags);
    *out = (DatasetSplit){data->splits[split].items, data->splits[split].count,
                          split_count(data, split)};
    return ok;
}

const Tokenizer *dataset_tokenizer(const DataSource *source)
{
    return ((const Dataset *)source->state)->tokenizer;
}

static void dataset_free(void *state)
{
    Dataset *dataset = state;
    for (uint32_t i = 0; i < dataset->task_count; i++)
        for (int split = 0; split < SPLIT_COUNT; split++)
            free(dataset->tasks[i].splits[split].items);
    subtitles_free(dataset->loader.subtitles);
    skips_free(dataset->skips);
    isolate_free(dataset->isolate);
    tokenizer_free(dataset->tokenizer);
    interns_free(dataset->interns);
    arena_free(dataset->arena);
}

/* -- opening ----------------------------------------------------------------------- */

/* A step takes one batch of one task; the last batch of an epoch may be smaller. */
static bool open_training(Dataset *dataset, Diags *diags)
{
    Arena *arena = dataset->arena;
    dataset->task_steps = ARENA_ARRAY(arena, int64_t, dataset->task_count);
    for (uint32_t i = 0; i < dataset->task_count; i++) {
        TaskData *data = &dataset->tasks[i];
        if (!load_split(dataset, data, SPLIT_train, diags))
            return false;
        int64_t count = split_count(data, SPLIT_train);
        dataset->task_steps[i] = batches_of(data, SPLIT_train);
        dataset->epoch_steps += dataset->task_steps[i];
        data->order = ARENA_ARRAY(arena, int64_t, count);
    }
    dataset->task_order = ARENA_ARRAY(arena, uint32_t, dataset->epoch_steps);
    return true;
}

static bool open_task(Dataset *dataset, TaskData *data, const Task *task, Diags *diags)
{
    int64_t *limits = data->limits;
    data->task = task;
    if (!task_texts_find(&data->texts, task, dataset->arena, diags) ||
        !task_shape_find(&data->shape, dataset->module, &data->texts, dataset->tokenizer,
                         dataset->options.encoder, dataset->arena, diags) ||
        !task_setting_count(task, "examples", 0, &limits[SPLIT_train], diags) ||
        !task_setting_count(task, "evaluated", 0, &limits[SPLIT_valid], diags))
        return false;
    limits[SPLIT_test] = limits[SPLIT_valid];
    if (task->sequences > 0)
        return true;
    diag_error(diags, task->loc, "task '%s': %" PRId64 " sequences in a step", task->name,
               task->sequences);
    return false;
}

static bool open_all(Dataset *dataset, Diags *diags)
{
    const Module *module = dataset->module;
    const DatasetOptions *options = &dataset->options;
    const char *tokenizer = options->tokenizer;
    if (!tokenizer)
        tokenizer = arena_format(dataset->arena, "%s/spiece.model", options->directory);
    dataset->tokenizer = tokenizer_open(tokenizer, NULL, diags);
    if (!dataset->tokenizer && !options->tokenizer)
        diag_note(diags, (Loc){0},
                  "name one with --tokenizer, or a model's directory with "
                  "--weights");
    if (!dataset->tokenizer)
        return false;
    dataset->tasks = ARENA_ARRAY(dataset->arena, TaskData, module->task_count);
    for (uint32_t i = 0; i < module->task_count; i++) {
        TaskData *data = &dataset->tasks[dataset->task_count];
        if (open_task(dataset, data, &module->tasks[i],
                      options->findings ? options->findings : diags))
            dataset->task_count++;
        else if (!options->findings)
            return false;
    }
    if (module->task_count == 0)
        diag_error(diags, (Loc){0}, "model '%s' has no task", module->name);
    return module->task_count > 0 && (options->has_no_training || options->findings ||
                                      open_training(dataset, diags));
}

DataSource *dataset_open(const DatasetOptions *options, const Module *module,
                         Diags *diags)
{
    Arena *arena = arena_new();
    Dataset *dataset = arena_alloc(arena, sizeof *dataset);
    *dataset = (Dataset){.module = module,
                         .options = *options,
                         .arena = arena,
                         .interns = interns_new(),
                         .skips = options->findings ? skips_new_to(options->findings)
                                                    : skips_new(options->skip_bad),
                         .isolate = isolate_new(&hdf5_program),
                         .epoch = -1};
    dataset->options.directory =
        arena_string(arena, options->directory, strlen(options->directory));
    dataset->encoded =
        dataset_encoded_directory(options->encoder, dataset->options.directory, arena);
    dataset->loader = (Loader){.directory = dataset->options.directory,
                               .arena = arena,
                               .interns = dataset->interns,
                               .skips = dataset->skips,
                               .reads_all = options->findings};
    dataset->source = (DataSource){.state = dataset,
                                   .epoch_steps = dataset_epoch_steps,
                                   .step_task = dataset_step_task,
                                   .train_batch = dataset_train_batch,
                                   .eval_batch = dataset_eval_batch,
                                   .choice = dataset_choice,
                                   .example = dataset_id,
                                   .text = dataset_words,
                                   .scores_new = dataset_scores,
                                   .scores_add = dataset_scores_add,
                                   .scores_finish = dataset_scores_finish,
                                   .scores_free = dataset_scores_free,
                                   .dump_new = dataset_dump,
                                   .dump_add = dataset_dump_add,
                                   .dump_write = dataset_dump_write,
                                   .dump_free = dataset_dump_free,
                                   .free = dataset_free};
    if (open_all(dataset, diags))
        return &dataset->source;
    dataset_free(dataset);
    return NULL;
}
