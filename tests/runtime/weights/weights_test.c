/* Parameters: initial values, loading, exporting, checkpoints. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ir/base/hash.h"
#include "ir/base/heap.h"
#include "ir/text.h"
#include "runtime/weights/checkpoint.h"
#include "runtime/weights/weights.h"
#include "tests/check.h"

enum { ROWS = 300, WIDTH = 1000, SEED = 9595 };

/* One module: a frozen table with an alias, a trained matrix with one, a bias, and a
 * state. */
static Module *sample_module(bool reversed)
{
    static const char *table_aliases[] = {"head.weight"}, *a_aliases[] = {"gqa.a.weight"};
    Module *module = module_new("sample");
    Param params[] = {
        {.name = "table.weight",
         .type = type_matrix(DTYPE_f32, ROWS, WIDTH),
         .init = {.kind = INIT_normal, .a = 1, .b = 0.5},
         .aliases = table_aliases,
         .alias_count = 1},
        {.name = "vqa.a.weight",
         .type = type_matrix(DTYPE_f32, 7, 33),
         .init = {.kind = INIT_uniform, .a = -0.25, .b = 0.75},
         .trained = true,
         .aliases = a_aliases,
         .alias_count = 1},
        {.name = "a.bias",
         .type = type_vector(DTYPE_f32, 5),
         .init = {.kind = INIT_constant, .a = 3},
         .trained = true},
        {.name = "b.weight",
         .type = type_matrix(DTYPE_f32, 16, 16),
         .init = {.kind = INIT_ones}},
    };
    int count = sizeof params / sizeof *params;
    for (int i = 0; i < count; i++) {
        Param param = params[reversed ? count - 1 - i : i];
        param.name = intern(module->interns, param.name);
        module_add_param(module, param);
    }
    module_add_state(module, (StateVar){.name = intern(module->interns, "a.bias:m"),
                                        .param = intern(module->interns, "a.bias"),
                                        .type = type_vector(DTYPE_f32, 5),
                                        .init = 0.5});
    return module;
}

typedef struct Sample {
    Module *module;
    Store *store;
} Sample;

static Sample sample_new(bool reversed)
{
    Sample sample = {.module = sample_module(reversed)};
    sample.store = store_new(sample.module);
    return sample;
}

static void sample_free(Sample *sample)
{
    store_free(sample->store);
    module_free(sample->module);
}

static float *data_of(const Sample *sample, const char *name)
{
    return store_find(sample->store, name)->data;
}

static bool equal_stores(const Sample *a, const Sample *b)
{
    for (uint32_t i = 0; i < store_count(a->store); i++) {
        const StoreEntry *x = store_at(a->store, i), *y = store_find(b->store, x->name);
        if (memcmp(x->data, y->data, (size_t)x->elements * sizeof *x->data) != 0)
            return false;
    }
    return true;
}

/* What an operation says on `diags`; the caller frees it. */
typedef struct Listener {
    char *text;
    size_t len;
    FILE *out;
    Diags *diags;
} Listener;

static void listen(Listener *listener)
{
    listener->out = open_memstream(&listener->text, &listener->len);
    listener->diags = diags_new(listener->out);
}

static bool heard(Listener *listener, const char *part)
{
    diags_free(listener->diags);
    fclose(listener->out);
    bool is_heard = strstr(listener->text, part);
    if (!is_heard)
        fprintf(stderr, "wanted '%s', heard: %s\n", part, listener->text);
    free(listener->text);
    return is_heard;
}

/* -- initial values -------------------------------------------------------------- */

static void test_moments(Check *check, const Sample *sample)
{
    const StoreEntry *table = store_find(sample->store, "table.weight");
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < table->elements; i++)
        sum += (double)table->data[i];
    double mean = sum / (double)table->elements;
    for (int64_t i = 0; i < table->elements; i++)
        squares += ((double)table->data[i] - mean) * ((double)table->data[i] - mean);
    double deviation = sqrt(squares / (double)table->elements);
    CHECK(check, fabs(mean - 1) < 0.005, "mean %g", mean);
    CHECK(check, fabs(deviation - 0.5) < 0.005, "deviation %g", deviation);
    const StoreEntry *a = store_find(sample->store, "vqa.a.weight");
    float lowest = a->data[0], highest = a->data[0];
    for (int64_t i = 0; i < a->elements; i++) {
        lowest = fminf(lowest, a->data[i]);
        highest = fmaxf(highest, a->data[i]);
    }
    CHECK(check, lowest >= -0.25F && lowest < -0.2F && highest < 0.75F && highest > 0.7F,
          "uniform from %g to %g", (double)lowest, (double)highest);
}

static void test_initial(Check *check)
{
    Sample one = sample_new(false), two = sample_new(true);
    weights_initialize(one.store, SEED, NULL);
    weights_initialize(two.store, SEED, NULL);
    CHECK(check, equal_stores(&one, &two), "the order of parameters does not matter");
    test_moments(check, &one);
    CHECK(check,
          data_of(&one, "b.weight")[255] == 1 && data_of(&one, "a.bias")[4] == 3 &&
              data_of(&one, "a.bias:m")[4] == 0.5F,
          "ones, constant, state");
    const Param *table =
        module_find_param(one.module, intern(one.module->interns, "table.weight"));
    float *part = heap_array(70001, sizeof *part);
    weights_draw(table, SEED, 65533, 70001, part);
    CHECK(check,
          memcmp(part, data_of(&one, "table.weight") + 65533, 70001 * sizeof *part) == 0,
          "any range is the same");
    weights_draw(table, SEED + 1, 0, 100, part);
    CHECK(check, memcmp(part, data_of(&one, "table.weight"), 100 * sizeof *part) != 0,
          "another seed, other numbers");
    free(part);
    sample_free(&one);
    sample_free(&two);
}

/* -- loading --------------------------------------------------------------------- */

typedef struct Given {
    const char *name;
    TensorDType dtype;
    int64_t dims[2];
} Given;

static void write_given(const char *path, const Given *given, int count, Diags *diags)
{
    static float numbers[ROWS * WIDTH];
    for (int i = 0; i < ROWS * WIDTH; i++)
        numbers[i] = (float)i;
    TensorWriter *writer = tensor_writer_new(path);
    for (int i = 0; i < count; i++)
        tensor_writer_add(writer, given[i].name, given[i].dtype, 2, given[i].dims,
                          numbers);
    if (!tensor_writer_finish(writer, diags))
        exit(1);
}

static void test_load(Check *check, const char *path, Diags *diags)
{
    static const Given given[] = {
        {"a.bias", TENSOR_F32, {1, 5}},
        {"b.weight", TENSOR_F32, {16, 16}}, /* after 20 bytes: aligned as floats only */
        {"head.weight", TENSOR_F32, {ROWS - 10, WIDTH}}, /* by alias, fewer rows */
        {"vqa.a.wieght", TENSOR_F32, {7, 33}},
    };
    write_given(path, given, 4, diags);
    Sample sample = sample_new(false), fresh = sample_new(false);
    TensorSet *set = tensor_set_open(path, diags);
    WeightsReport report;
    weights_initialize(fresh.store, SEED, NULL);
    weights_initialize(sample.store, SEED, set);
    CHECK(check, weights_load(sample.store, set, &report, diags), "load");
    CHECK(check,
          report.loaded == 3 && report.mapped == 1 && report.resized == 1 &&
              report.missing == 1 && report.frozen_missing == 0 && report.unexpected == 1,
          "report: %u %u %u %u %u %u", report.loaded, report.mapped, report.resized,
          report.missing, report.frozen_missing, report.unexpected);
    const float *table = data_of(&sample, "table.weight");
    int64_t known = (ROWS - 10) * WIDTH;
    CHECK(check, table[0] == 0 && table[known - 1] == (float)(known - 1),
          "the first rows");
    CHECK(check,
          memcmp(table + known, data_of(&fresh, "table.weight") + known,
                 10 * WIDTH * sizeof *table) == 0,
          "the other rows keep their initial values");
    CHECK(check, data_of(&sample, "b.weight")[255] == 255, "a mapped parameter");
    CHECK(check, store_find(sample.store, "b.weight")->mapped, "is mapped");
    CHECK(check, data_of(&sample, "a.bias")[4] == 4, "a bias with a leading one");
    CHECK(check,
          memcmp(data_of(&sample, "vqa.a.weight"), data_of(&fresh, "vqa.a.weight"),
                 7 * 33 * sizeof(float)) == 0,
          "what is missing keeps its initial values");
    sample_free(&sample);
    sample_free(&fresh);
    tensor_set_close(set);
}

static void check_refused(Check *check, const char *path, const Given *given,
                          const char *message)
{
    Listener listener;
    listen(&listener);
    write_given(path, given, 1, listener.diags);
    Sample sample = sample_new(false);
    TensorSet *set = tensor_set_open(path, listener.diags);
    WeightsReport report;
    CHECK(check, !weights_load(sample.store, set, &report, listener.diags),
          "'%s' is refused", given->name);
    sample_free(&sample);
    tensor_set_close(set);
    CHECK(check, heard(&listener, message), "'%s'", given->name);
}

static void test_refusals(Check *check, const char *path)
{
    check_refused(check, path, &(Given){"table.weight", TENSOR_F32, {ROWS, 999}},
                  "has shape [300, 999], the parameter 'table.weight' has [300, 1000]");
    check_refused(check, path, &(Given){"b.weight", TENSOR_F32, {17, 16}},
                  "has shape [17, 16]");
    check_refused(check, path, &(Given){"b.weight", TENSOR_I32, {16, 16}},
                  "has type I32");
    check_refused(check, path, &(Given){"c.weight", TENSOR_F32, {16, 16}},
                  "has no parameter");
}

static void test_export(Check *check, const char *path, Diags *diags)
{
    Sample sample = sample_new(false), other = sample_new(false);
    weights_initialize(sample.store, SEED, NULL);
    data_of(&sample, "a.bias:m")[0] = 9;
    CHECK(check, weights_export(sample.store, path, &(ExportOptions){0}, diags),
          "export");
    TensorFile *file = tensor_file_open(path, diags);
    CHECK(check, tensor_file_count(file) == 3 && tensor_file_find(file, "gqa.a.weight"),
          "trained parameters under all names");
    tensor_file_close(file);
    CHECK(check, weights_export(sample.store, path, &(ExportOptions){.all = true}, diags),
          "export everything");
    TensorSet *set = tensor_set_open(path, diags);
    CHECK(check, tensor_set_count(set) == 5, "frozen ones too");
    WeightsReport report;
    weights_initialize(other.store, SEED + 1, set);
    CHECK(check, weights_load(other.store, set, &report, diags) && report.missing == 0,
          "load");
    CHECK(check, !equal_stores(&sample, &other), "states are not exported");
    memcpy(data_of(&other, "a.bias:m"), data_of(&sample, "a.bias:m"), 5 * sizeof(float));
    CHECK(check, equal_stores(&sample, &other), "the same parameters");
    sample_free(&other);
    sample_free(&sample);
    tensor_set_close(set);
}

/* -- plans ------------------------------------------------------------------------ */

/* The text of a plan from before there was a setting `lanes`. */
static const char older_plan[] = "module \"m\"\n"
                                 "setting epochs 20\n"
                                 "setting steps 0\n"
                                 "setting lr 0.001\n"
                                 "setting warmup 0.1\n"
                                 "setting decay \"linear\"\n"
                                 "setting sequences 300\n"
                                 "setting tokens 1024\n"
                                 "setting seed 9595\n";

/* Settings that came later leave the fingerprints of older plans what they were, by which
 * their runs know them, as long as they say nothing new. */
static void test_older_plan(Check *check, Diags *diags)
{
    size_t len = strlen(older_plan);
    Module *module = module_parse("older", older_plan, len, diags);
    CHECK(check, module, "an older plan is read");
    if (!module)
        return;
    uint64_t was = hash_bytes(HASH_START, older_plan, len);
    CHECK(check, plan_fingerprint(module) == was, "another fingerprint");
    module->settings.lanes++;
    CHECK(check, plan_fingerprint(module) != was, "what is new has no part in it");
    module_free(module);
}

/* Names of values, which came later too, have no part in fingerprints. */
static void test_named_plan(Check *check, Diags *diags)
{
    static const char *const texts[] = {
        "graph @g {\n  %c = constant 1\n  %y = exp %c\n  result \"y\" %y\n}\n",
        ("graph @g {\n  %c = constant 1\n  %y = exp %c named \"y\"\n  result \"y\" "
         "%y\n}\n"),
        "graph @g {\n  %c = constant 1\n  %y = tanh %c\n  result \"y\" %y\n}\n"};
    uint64_t prints[3];
    for (int i = 0; i < 3; i++) {
        Module *module = module_parse("named", texts[i], strlen(texts[i]), diags);
        CHECK(check, module, "%s", texts[i]);
        prints[i] = module ? plan_fingerprint(module) : (uint64_t)i;
        module_free(module);
    }
    CHECK(check, prints[0] == prints[1], "a name changes the fingerprint");
    CHECK(check, prints[0] != prints[2], "an op does not change the fingerprint");
}

/* -- checkpoints ----------------------------------------------------------------- */

static const Checkpoint checkpoint = {.step = 12,
                                      .total_steps = 40,
                                      .plan = 0xfedcba9876543210,
                                      .weights = "/some/where.safetensors",
                                      .weights_fingerprint = 7,
                                      .processor = "some processor",
                                      .scores = "vqa=0.25 "};

static void test_checkpoint(Check *check, const char *path, Diags *diags)
{
    Sample sample = sample_new(false), other = sample_new(true);
    weights_initialize(sample.store, SEED, NULL);
    weights_initialize(other.store, SEED + 1, NULL);
    memcpy(data_of(&other, "table.weight"), data_of(&sample, "table.weight"),
           ROWS * WIDTH * sizeof(float));
    data_of(&sample, "a.bias:m")[3] = -0.0F;
    data_of(&sample, "a.bias")[2] = 1e-42F;
    CHECK(check, checkpoint_write(path, sample.store, &checkpoint, diags), "write");
    CheckpointFile *file = checkpoint_open(path, diags);
    CHECK(check, file, "open");
    const Checkpoint *info = checkpoint_info(file);
    CHECK(check,
          info->step == 12 && info->total_steps == 40 && info->plan == checkpoint.plan &&
              info->weights_fingerprint == 7 &&
              strcmp(info->weights, checkpoint.weights) == 0 &&
              strcmp(info->scores, checkpoint.scores) == 0,
          "what it knows of the run");
    CHECK(check, !equal_stores(&sample, &other), "another seed");
    CHECK(check, checkpoint_load(file, other.store, false, diags), "load without states");
    CHECK(check,
          data_of(&other, "a.bias:m")[0] == 0.5F && data_of(&other, "a.bias")[0] == 3 &&
              !equal_stores(&sample, &other),
          "states as they were");
    CHECK(check, checkpoint_load(file, other.store, true, diags), "load");
    CHECK(check, equal_stores(&sample, &other), "bit for bit");
    checkpoint_close(file);
    sample_free(&sample);
    sample_free(&other);
}

static void damage(const char *path, long place, int change)
{
    FILE *file = fopen(path, "r+b");
    fseek(file, place, place < 0 ? SEEK_END : SEEK_SET);
    int byte = fgetc(file);
    fseek(file, -1, SEEK_CUR);
    fputc(byte ^ change, file);
    fclose(file);
}

static void check_damaged(Check *check, const char *path, const char *message)
{
    Listener listener;
    listen(&listener);
    CheckpointFile *file = checkpoint_open(path, listener.diags);
    CHECK(check, !file, "a damaged checkpoint");
    checkpoint_close(file);
    CHECK(check, heard(&listener, message), "says what is wrong");
}

static void test_damage(Check *check, const char *path, Diags *diags)
{
    damage(path, -5, 1);
    check_damaged(check, path, "its checksum does not match");
    damage(path, -5, 1);
    CheckpointFile *file = checkpoint_open(path, diags);
    CHECK(check, file, "repaired");
    checkpoint_close(file);
    damage(path, 0, 1);
    check_damaged(check, path, "cut short");
    damage(path, 0, 1);
    CHECK(check, truncate(path, 600) == 0, "cut short");
    check_damaged(check, path, path);
}

/* Of files, for this process: as on a full disk. */
static void limit_bytes(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* A writer that fails leaves the old file alone. */
static void test_kept(Check *check, const char *path, Diags *diags)
{
    Sample sample = sample_new(false);
    weights_initialize(sample.store, SEED, NULL);
    CHECK(check, checkpoint_write(path, sample.store, &checkpoint, diags), "write");
    Listener listener;
    listen(&listener);
    const Checkpoint later = {
        .step = 13, .total_steps = 40, .weights = "", .processor = "", .scores = ""};
    limit_bytes(500);
    bool is_written = checkpoint_write(path, sample.store, &later, listener.diags);
    limit_bytes(RLIM_INFINITY);
    CHECK(check, !is_written, "more than fits");
    CHECK(check, heard(&listener, path), "says so");
    CheckpointFile *file = checkpoint_open(path, diags);
    CHECK(check, file && checkpoint_info(file)->step == 12, "the old one is still there");
    checkpoint_close(file);
    sample_free(&sample);
}

static void test_mismatch(Check *check, const char *path)
{
    Listener listener;
    listen(&listener);
    Module *module = sample_module(false);
    module_add_param(module, (Param){.name = intern(module->interns, "a.biass"),
                                     .type = type_vector(DTYPE_f32, 5),
                                     .trained = true});
    Store *store = store_new(module);
    CheckpointFile *file = checkpoint_open(path, listener.diags);
    CHECK(check, file && !checkpoint_load(file, store, true, listener.diags),
          "another model");
    CHECK(check, store_find(store, "a.bias")->data[0] == 0, "nothing was copied");
    checkpoint_close(file);
    store_free(store);
    module_free(module);
    CHECK(check, heard(&listener, "did you mean 'a.bias'"), "names it");
}

int main(void)
{
    Check check = {0};
    char directory[] = "/tmp/weights_testXXXXXX", path[64];
    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/file", directory);
    Diags *diags = diags_new(stderr);
    test_initial(&check);
    test_load(&check, path, diags);
    test_refusals(&check, path);
    test_export(&check, path, diags);
    test_older_plan(&check, diags);
    test_named_plan(&check, diags);
    test_checkpoint(&check, path, diags);
    test_damage(&check, path, diags);
    test_kept(&check, path, diags);
    test_mismatch(&check, path);
    CHECK(&check, diags_error_count(diags) == 0, "no errors");
    diags_free(diags);
    unlink(path);
    rmdir(directory);
    return check_finish(&check);
}
