/* A model's files: directories with one file or several, indices, names that differ by a
 * prefix, element types; and all that can be wrong with them. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/weights/checkpoint.h"
#include "runtime/weights/weights.h"
#include "tests/check.h"

enum { ROWS = 6, WIDTH = 16, NUMBERS = ROWS * WIDTH, PATH = 128 };

static const char *const names[] = {"model.shared.weight", "model.encoder.a.weight",
                                    "model.decoder.b.weight", "head_bias"};

typedef struct Place {
    char directory[PATH], whole[PATH], index[PATH], one[PATH], two[PATH];
} Place;

static Module *sample_module(void)
{
    static const char *aliases[] = {"model.encoder.embed_tokens.weight",
                                    "lm_head.weight"};
    Module *module = module_new("sample");
    for (int i = 0; i < 4; i++)
        module_add_param(module, (Param){.name = intern(module->interns, names[i]),
                                         .type = type_matrix(DTYPE_f32, ROWS, WIDTH),
                                         .init = {.kind = INIT_constant, .a = -7},
                                         .aliases = aliases,
                                         .alias_count = i == 0 ? 2 : 0});
    return module;
}

typedef struct Given {
    const char *name;
    TensorDType dtype;
    int64_t rows;
    const void *numbers;
} Given;

/* Tensor i of a file counts up from 1000 i unless it brings its numbers. */
static void write_tensors(const char *path, const Given *given, int count, int first)
{
    static float numbers[4][NUMBERS];
    Diags *diags = diags_new(stderr);
    TensorWriter *writer = tensor_writer_new(path);
    for (int i = 0; i < count; i++) {
        float *own = numbers[first + i];
        for (int j = 0; j < NUMBERS; j++)
            own[j] = (float)(1000 * (first + i) + j);
        const int64_t dims[] = {given[i].rows, WIDTH};
        tensor_writer_add(writer, given[i].name, given[i].dtype, 2, dims,
                          given[i].numbers ? given[i].numbers : own);
    }
    if (!tensor_writer_finish(writer, diags))
        exit(1);
    diags_free(diags);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        exit(1);
}

static void clear(const Place *place)
{
    unlink(place->whole);
    unlink(place->index);
    unlink(place->one);
    unlink(place->two);
}

typedef struct Loaded {
    Module *module;
    Store *store;
    TensorSet *set;
    WeightsReport report;
    uint64_t fingerprint;
    bool ok;
} Loaded;

static Loaded load(const char *path, Diags *diags)
{
    Loaded loaded = {.module = sample_module(), .set = tensor_set_open(path, diags)};
    loaded.store = store_new(loaded.module);
    weights_initialize(loaded.store, 1, loaded.set);
    loaded.ok =
        loaded.set && weights_load(loaded.store, loaded.set, &loaded.report, diags);
    if (loaded.set)
        loaded.fingerprint = weights_fingerprint(loaded.set);
    return loaded;
}

static void unload(Loaded *loaded)
{
    store_free(loaded->store);
    tensor_set_close(loaded->set);
    module_free(loaded->module);
}

static float value(const Loaded *loaded, int param, int at)
{
    return store_find(loaded->store, names[param])->data[at];
}

static void check_refused(Check *check, const char *path, const char *message)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    Diags *diags = diags_new(out);
    Loaded loaded = load(path, diags);
    CHECK(check, !loaded.ok && diags_error_count(diags) == 1, "one error");
    unload(&loaded);
    diags_free(diags);
    fclose(out);
    CHECK(check, strstr(text, message), "wanted '%s', heard: %s", message, text);
    free(text);
}

/* -- files ----------------------------------------------------------------------- */

static const Given all[] = {{.name = "model.shared.weight", TENSOR_F32, ROWS, NULL},
                            {.name = "model.encoder.a.weight", TENSOR_F32, ROWS, NULL},
                            {.name = "model.decoder.b.weight", TENSOR_F32, ROWS, NULL},
                            {.name = "head_bias", TENSOR_F32, ROWS, NULL}};

static void check_whole(Check *check, const Loaded *loaded, const char *what)
{
    const WeightsReport *report = &loaded->report;
    CHECK(check,
          loaded->ok && report->loaded == 4 && report->mapped == 4 &&
              report->missing == 0 && report->unexpected == 0,
          "%s: %u loaded, %u mapped, %u missing, %u unexpected", what, report->loaded,
          report->mapped, report->missing, report->unexpected);
    for (int i = 0; i < 4; i++)
        CHECK(check,
              value(loaded, i, 0) == (float)(1000 * i) &&
                  value(loaded, i, NUMBERS - 1) == (float)(1000 * i + NUMBERS - 1),
              "%s: '%s'", what, names[i]);
}

static const char good_index[] =
    "{\"metadata\": {\"total_size\": 1536}, \"weight_map\": {"
    "\"model.decoder.b.weight\": \"two.safetensors\", "
    "\"model.shared.weight\": \"one.safetensors\", "
    "\"head_bias\": \"two.safetensors\", "
    "\"model.encoder.a.weight\": \"one.safetensors\"}}";

static void write_shards(const Place *place)
{
    write_tensors(place->one, all, 2, 0);
    write_tensors(place->two, all + 2, 2, 2);
    write_text(place->index, good_index);
}

static void test_files(Check *check, const Place *place, Diags *diags)
{
    write_tensors(place->whole, all, 4, 0);
    Loaded by_path = load(place->whole, diags), whole = load(place->directory, diags);
    check_whole(check, &by_path, "a file");
    check_whole(check, &whole, "a directory with one file");
    clear(place);
    write_shards(place);
    Loaded shards = load(place->directory, diags), index = load(place->index, diags);
    check_whole(check, &shards, "a directory with two files");
    check_whole(check, &index, "an index");
    CHECK(check,
          by_path.fingerprint == whole.fingerprint &&
              whole.fingerprint == shards.fingerprint &&
              index.fingerprint == shards.fingerprint,
          "the same weights, however they are split");
    Given changed = all[3];
    static const float other[NUMBERS] = {-1};
    changed.numbers = other;
    const Given second[] = {all[2], changed};
    write_tensors(place->two, second, 2, 2);
    Loaded later = load(place->index, diags);
    CHECK(check, later.ok && later.fingerprint != index.fingerprint,
          "the fingerprint covers the last file");
    Loaded *loaded[] = {&by_path, &whole, &shards, &index, &later};
    for (int i = 0; i < 5; i++)
        unload(loaded[i]);
    clear(place);
}

static void test_bad_files(Check *check, const Place *place)
{
    check_refused(check, place->directory, "has neither model.safetensors nor");
    write_shards(place);
    unlink(place->two);
    check_refused(check, place->directory, "/two.safetensors: error: cannot be read");
    write_tensors(place->two, all + 2, 1, 2);
    check_refused(check, place->directory, "no tensor 'head_bias'");
    static const struct {
        const char *index, *message;
    } bad[] = {
        {"{\"weight_map\": {\"head_bias\": \"../two.safetensors\"}}", "'../two.safet"},
        {"{\"weight_map\": {\"head_bias\": \"/two\"}}", "no file beside the index"},
        {"{\"weight_map\": {\"head_bias\": \"..\"}}", "no file beside the index"},
        {"{\"weight_map\": {\"head_bias\": \"\"}}", "no file beside the index"},
        {"{\"weight_map\": {\"head_bias\": 3}}", "of 'head_bias' is not a string"},
        {"{\"weight_map\": [1]}", "has no object \"weight_map\""},
        {"[]", "has no object \"weight_map\""},
        {"{\"weight_map\": {}}", "has no parameter of model 'sample'"},
        {"{\n\"weight_map\": {\"head_bias\": ", ".index.json:2"},
        {"", ".index.json"},
        {"{\"weight_map\": {\"head_bias\": \"model.safetensors.index.json\"}}",
         "not a safetensors file"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_text(place->index, bad[i].index);
        check_refused(check, place->directory, bad[i].message);
    }
    clear(place);
    check_refused(check, place->index, "cannot be read");
}

/* -- names ----------------------------------------------------------------------- */

static void test_unprefixed(Check *check, const Place *place, Diags *diags)
{
    float tied[NUMBERS];
    for (int i = 0; i < NUMBERS; i++)
        tied[i] = (float)i;
    const Given given[] = {{"shared.weight", TENSOR_F32, ROWS - 2, tied},
                           {"encoder.a.weight", TENSOR_F32, ROWS, NULL},
                           {"encoder.embed_tokens.weight", TENSOR_F32, ROWS - 2, tied},
                           {"encoder.version", TENSOR_F32, 1, NULL}};
    write_tensors(place->whole, given, 4, 0);
    Loaded loaded = load(place->directory, diags);
    const WeightsReport *report = &loaded.report;
    CHECK(check,
          loaded.ok && report->loaded == 2 && report->resized == 1 &&
              report->missing == 2 && report->unexpected == 1,
          "report: %u loaded, %u resized, %u missing, %u unexpected", report->loaded,
          report->resized, report->missing, report->unexpected);
    CHECK(check,
          value(&loaded, 1, 3) == 1003 && value(&loaded, 0, 3) == 3 &&
              value(&loaded, 0, NUMBERS - 1) == -7 && value(&loaded, 2, 0) == -7,
          "numbers under a shorter name, the others as they were");
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    weights_report(loaded.store, loaded.set, report, out);
    fclose(out);
    CHECK(check, strstr(text, "not a parameter: 'encoder.version'"), "heard: %s", text);
    CHECK(check, !strstr(text, "'shared.weight'"), "heard: %s", text);
    free(text);
    unload(&loaded);
    clear(place);
}

static void test_prefixed(Check *check, const Place *place, Diags *diags)
{
    const Given given[] = {{"outer.model.shared.weight", TENSOR_F32, ROWS, NULL},
                           {"outer.model.encoder.a.weight", TENSOR_F32, ROWS, NULL},
                           {"outer.head_bias", TENSOR_F32, ROWS, NULL}};
    write_tensors(place->whole, given, 3, 0);
    Loaded loaded = load(place->directory, diags);
    CHECK(check,
          loaded.ok && loaded.report.loaded == 3 && loaded.report.unexpected == 0 &&
              value(&loaded, 3, 1) == 2001,
          "a prefix that only the file has");
    unload(&loaded);
    clear(place);
}

/* PEFT's prefix, that of several processes, and those of models around models. */
static void test_deep_prefixes(Check *check, const Place *place, Diags *diags)
{
    static const char *const prefixes[] = {"module.", "transformer.", "base_model.model.",
                                           "module.base_model.model."};
    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
        char longer[4][PATH];
        Given given[4];
        for (int i = 0; i < 4; i++) {
            snprintf(longer[i], PATH, "%s%s", prefixes[p], names[i]);
            given[i] = (Given){longer[i], TENSOR_F32, ROWS, NULL};
        }
        write_tensors(place->whole, given, 4, 0);
        Loaded loaded = load(place->directory, diags);
        CHECK(check,
              loaded.ok && loaded.report.loaded == 4 && loaded.report.unexpected == 0 &&
                  value(&loaded, 3, 1) == 3001,
              "%s: %u loaded", prefixes[p], loaded.report.loaded);
        unload(&loaded);
        clear(place);
    }
}

/* Names that a plan ties must not bring different numbers. */
static void test_ties(Check *check, const Place *place, Diags *diags)
{
    static float same[NUMBERS];
    Given given[] = {{"model.shared.weight", TENSOR_F32, ROWS, same},
                     {"lm_head.weight", TENSOR_F32, ROWS, same},
                     {"model.encoder.a.weight", TENSOR_F32, ROWS, NULL}};
    write_tensors(place->whole, given, 3, 0);
    Loaded loaded = load(place->directory, diags);
    CHECK(check, loaded.ok && loaded.report.loaded == 2, "tied, and equal");
    unload(&loaded);
    given[1].numbers = NULL;
    write_tensors(place->whole, given, 3, 0);
    check_refused(check, place->directory,
                  "'model.shared.weight' and 'lm_head.weight' differ");
    /* The same parameter with and without a prefix. */
    const Given both[] = {{"model.encoder.a.weight", TENSOR_F32, ROWS, NULL},
                          {"outer.model.encoder.a.weight", TENSOR_F32, ROWS, NULL},
                          {"outer.model.decoder.b.weight", TENSOR_F32, ROWS, NULL},
                          {"outer.head_bias", TENSOR_F32, ROWS, NULL}};
    write_tensors(place->whole, both, 4, 0);
    check_refused(check, place->directory,
                  "'model.encoder.a.weight' and 'outer.model.encoder.a.weight' differ");
    clear(place);
}

/* -- element types --------------------------------------------------------------- */

static void write_raw(const char *path, const char *header, size_t data_bytes)
{
    FILE *file = fopen(path, "wb");
    uint64_t length = strlen(header);
    if (!file)
        exit(1);
    fwrite(&length, sizeof length, 1, file);
    fputs(header, file);
    for (size_t i = 0; i < data_bytes; i++)
        fputc(0, file);
    if (fclose(file) != 0)
        exit(1);
}

static void test_other_types(Check *check, const Place *place, Diags *diags)
{
    write_raw(place->whole,
              "{\"scale\":{\"dtype\":\"F8_E4M3\",\"shape\":[7],\"data_offsets\":[0,7]},"
              "\"mask\":{\"dtype\":\"BOOL\",\"shape\":[9],\"data_offsets\":[7,16]},"
              "\"new\":{\"dtype\":\"X1\",\"shape\":[64],\"data_offsets\":[16,24]},"
              "\"head_bias\":{\"dtype\":\"F64\",\"shape\":[6,16],"
              "\"data_offsets\":[24,792]}}",
              792);
    Loaded loaded = load(place->directory, diags);
    CHECK(check, loaded.ok && loaded.report.loaded == 1 && value(&loaded, 3, 0) == 0,
          "types that nobody needs");
    unload(&loaded);
    write_raw(place->whole,
              "{\"head_bias\":{\"dtype\":\"F8_E5M2\",\"shape\":[6,16],"
              "\"data_offsets\":[0,96]}}",
              96);
    check_refused(check, place->directory, "'head_bias' has type F8_E5M2");
    clear(place);
}

/* Every byte of every tensor counts, and what is remembered is of the file as it is. */
static void test_fingerprint(Check *check, const Place *place, Diags *diags)
{
    static float numbers[NUMBERS];
    const Given given[] = {{names[0], TENSOR_F32, ROWS, numbers}};
    uint64_t found[4];
    for (int i = 0; i < 4; i++) {
        numbers[NUMBERS - 1] = (float)(i / 2);
        write_tensors(place->whole, given, 1, 0);
        const struct timespec before[] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
        if (i % 2) /* the same time of change, by its own account */
            utimensat(AT_FDCWD, place->whole, before, 0);
        Loaded loaded = load(place->whole, diags);
        found[i] = loaded.fingerprint;
        CHECK(check, weights_fingerprint(loaded.set) == found[i], "again");
        unload(&loaded);
    }
    CHECK(check, found[0] == found[1] && found[2] == found[3], "times do not matter");
    CHECK(check, found[0] != found[2], "the last number does not matter");
    clear(place);
}

static void test_types(Check *check, const Place *place, Diags *diags)
{
    static const uint16_t halves[NUMBERS] = {0x3c00, 0xc100, 0x0001},
                          brains[NUMBERS] = {0x3f80, 0xc020, 0x4049};
    const Given given[] = {{names[0], TENSOR_F16, ROWS, halves},
                           {names[1], TENSOR_BF16, ROWS, brains}};
    write_tensors(place->whole, given, 2, 0);
    Loaded loaded = load(place->directory, diags);
    CHECK(check, loaded.ok && loaded.report.mapped == 0, "converted, not mapped");
    CHECK(check,
          value(&loaded, 0, 0) == 1 && value(&loaded, 0, 1) == -2.5F &&
              value(&loaded, 0, 2) == 0x1p-24F,
          "half precision");
    CHECK(check,
          value(&loaded, 1, 0) == 1 && value(&loaded, 1, 1) == -2.5F &&
              value(&loaded, 1, 2) == 3.140625F,
          "bfloat16");
    unload(&loaded);
    clear(place);
}

static void test_shape(Check *check, const Place *place)
{
    const Given given[] = {all[2], {"head_bias", TENSOR_F32, ROWS + 1, NULL}};
    static const float numbers[NUMBERS + WIDTH] = {0};
    Given large = given[1];
    large.numbers = numbers;
    write_shards(place);
    const Given second[] = {given[0], large};
    write_tensors(place->two, second, 2, 2);
    check_refused(check, place->directory,
                  "/two.safetensors: error: tensor 'head_bias' has shape [7, 16], "
                  "the parameter 'head_bias' has [6, 16]");
    clear(place);
}

int main(void)
{
    Check check = {0};
    Place place = {.directory = "/tmp/weights_filesXXXXXX"};
    if (!mkdtemp(place.directory))
        return 1;
    snprintf(place.whole, PATH, "%.60s/model.safetensors", place.directory);
    snprintf(place.index, PATH, "%.60s/model.safetensors.index.json", place.directory);
    snprintf(place.one, PATH, "%.60s/one.safetensors", place.directory);
    snprintf(place.two, PATH, "%.60s/two.safetensors", place.directory);
    Diags *diags = diags_new(stderr);
    test_files(&check, &place, diags);
    test_bad_files(&check, &place);
    test_unprefixed(&check, &place, diags);
    test_prefixed(&check, &place, diags);
    test_deep_prefixes(&check, &place, diags);
    test_ties(&check, &place, diags);
    test_types(&check, &place, diags);
    test_other_types(&check, &place, diags);
    test_fingerprint(&check, &place, diags);
    test_shape(&check, &place);
    CHECK(&check, diags_error_count(diags) == 0, "no errors");
    diags_free(diags);
    rmdir(place.directory);
    return check_finish(&check);
}
