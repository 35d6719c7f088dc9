/* Safetensors: what is written reads back, conversions, and files that lie. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "runtime/weights/safetensors.h"
#include "tests/check.h"

typedef struct Hostile {
    const char *header; /* NULL: `length` alone decides */
    uint64_t length;    /* of the header; 0: the text's */
    size_t data_bytes;
    const char *message; /* must be in the error */
} Hostile;

static const Hostile hostile[] = {
    {"", UINT64_MAX, 0, "header of"},
    {"", 1 << 20, 0, "cut short"},
    {"", 1 << 30, 0, "header of"},
    {"{", 0, 0, "header"},
    {"[]", 0, 0, "not a JSON object"},
    {"{\"a\": 1}", 0, 0, "'a': not an object"},
    {"{\"a\": {}}", 0, 0, "no \"dtype\""},
    {"{\"a\": {\"dtype\": \"F31\"}}", 0, 0, "'F31' is not supported"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": 3}}", 0, 0, "\"shape\" must be"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1,1,1,1,1,1,1,1,1]}}", 0, 0,
     "\"shape\" must be"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [-1], \"data_offsets\": [0, 4]}}", 0, 4,
     "impossible \"shape\""},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1.5], \"data_offsets\": [0, 4]}}", 0, 4,
     "impossible \"shape\""},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [4294967296, 4294967296], "
     "\"data_offsets\": [0, 0]}}",
     0, 0, "impossible \"shape\""},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [4611686018427387904], "
     "\"data_offsets\": [0, 0]}}",
     0, 0, "do not fit"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1]}}", 0, 4, "\"data_offsets\" must be"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4, 8]}}", 0, 8,
     "\"data_offsets\" must be"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [4, 0]}}", 0, 8,
     "\"data_offsets\" must be"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [-4, 0]}}", 0, 8,
     "\"data_offsets\" must be"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]}}", 0, 7,
     "cut short"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4]}}", 0, 4,
     "do not fit"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]},"
     " \"b\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [4, 12]}}",
     0, 12, "overlap"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]},"
     " \"b\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [8, 12]}}",
     0, 12, "unused bytes before tensor 'b'"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}", 0, 12,
     "8 unused bytes after"},
    {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]},"
     " \"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}",
     0, 4, "duplicate"},
    {"{\"__metadata__\": []}", 0, 0, "\"__metadata__\" is not an object"},
    {"{\"__metadata__\": {\"k\": 1}}", 0, 0, "'k' is not a string"},
    {"{\"__metadata__\": {}, \"__metadata__\": {}}", 0, 0, "duplicate"},
    {"{\"__metadata__\": {}} {}", 0, 0, "more after"},
    {"{\"__metadata__\": {},}", 0, 0, "name of a tensor"},
    {"{\"__metadata__\": {} \"a\": 1}", 0, 0, "',' or '}'"},
    {"{\"__metadata__\": {\"k\": \"\\\"}}", 0, 0, "without an end"},
    {"{\"__metadata__\"", 0, 0, "':'"},
    {"{\"a\": }", 0, 0, "header"},
};

static void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_hostile(const char *path, const Hostile *hostile_file)
{
    size_t text = strlen(hostile_file->header);
    uint64_t length = hostile_file->length ? hostile_file->length : text;
    size_t len = sizeof length + text + hostile_file->data_bytes;
    char *bytes = calloc(1, len);
    memcpy(bytes, &length, sizeof length);
    memcpy(bytes + sizeof length, hostile_file->header, text);
    write_file(path, bytes, len);
    free(bytes);
}

/* The message of opening `path`; NULL if it opened. */
static char *open_message(const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    Diags *diags = diags_new(out);
    TensorFile *file = tensor_file_open(path, diags);
    diags_free(diags);
    fclose(out);
    if (!file)
        return text;
    tensor_file_close(file);
    free(text);
    return NULL;
}

static void test_hostile(Check *check, const char *path)
{
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        write_hostile(path, &hostile[i]);
        char *message = open_message(path);
        CHECK(check,
              message && strstr(message, hostile[i].message) && strstr(message, path),
              "case %zu should say '%s': %s", i, hostile[i].message,
              message ? message : "it opened");
        free(message);
    }
    write_file(path, "1234567", 7);
    char *message = open_message(path);
    CHECK(check, message && strstr(message, "shorter"), "7 bytes");
    free(message);
    message = open_message("/");
    CHECK(check, message && strstr(message, "not a regular file"), "a directory");
    free(message);
    message = open_message("/nonexistent/file");
    CHECK(check, message && strstr(message, "cannot be read"), "no file");
    free(message);
}

static void write_sample(Check *check, const char *path, Diags *diags)
{
    static const float real[] = {1, -2.5F, 3e-8F, INFINITY, 0, 6};
    static const uint16_t half[] = {0x3c00, 0xc100, 0x0001, 0x7c00, 0x8000};
    static const uint16_t brain[] = {0x3f80, 0xc020};
    static const int64_t whole[] = {-1, INT64_C(1) << 40};
    static const uint8_t byte[] = {0, 200};
    TensorWriter *writer = tensor_writer_new(path);
    tensor_writer_metadata(writer, "key", "value \"quoted\"");
    tensor_writer_add(writer, "real", TENSOR_F32, 2, (int64_t[]){2, 3}, real);
    tensor_writer_add(writer, "half", TENSOR_F16, 1, (int64_t[]){5}, half);
    tensor_writer_add(writer, "empty", TENSOR_F32, 2, (int64_t[]){0, 7}, NULL);
    tensor_writer_add(writer, "brain", TENSOR_BF16, 1, (int64_t[]){2}, brain);
    tensor_writer_add(writer, "whole", TENSOR_I64, 1, (int64_t[]){2}, whole);
    tensor_writer_add(writer, "byte", TENSOR_U8, 1, (int64_t[]){2}, byte);
    tensor_writer_add(writer, "one", TENSOR_F32, 0, NULL, real);
    CHECK(check, tensor_writer_finish(writer, diags), "write");
}

static void test_round_trip(Check *check, const char *path, Diags *diags)
{
    write_sample(check, path, diags);
    TensorFile *file = tensor_file_open(path, diags);
    CHECK(check, file, "open what was written");
    if (!file)
        return;
    float out[6];
    int32_t whole[2];
    const Tensor *real = tensor_file_find(file, "real");
    CHECK(check, tensor_file_count(file) == 7, "count");
    CHECK(check, real && real->rank == 2 && real->dims[1] == 3 && real->elements == 6,
          "shape");
    CHECK(check, ((uintptr_t)real->bytes & 63) == 0, "the first tensor can be mapped");
    tensor_read_f32(real, 1, 3, out);
    CHECK(check, out[0] == -2.5F && out[1] == 3e-8F && isinf(out[2]), "a range of f32");
    tensor_read_f32(tensor_file_find(file, "half"), 0, 5, out);
    CHECK(check,
          out[0] == 1 && out[1] == -2.5F && out[2] == 0x1p-24F && isinf(out[3]) &&
              out[4] == 0 && signbit(out[4]),
          "f16: 1, -2.5, the smallest subnormal, infinity, -0");
    tensor_read_f32(tensor_file_find(file, "brain"), 0, 2, out);
    CHECK(check, out[0] == 1 && out[1] == -2.5F, "bf16");
    CHECK(check,
          tensor_read_i32(tensor_file_find(file, "whole"), 0, 1, whole) && whole[0] == -1,
          "an i64 that fits");
    CHECK(check, !tensor_read_i32(tensor_file_find(file, "whole"), 0, 2, whole),
          "an i64 that does not fit");
    CHECK(check, !tensor_read_i32(real, 1, 1, whole), "-2.5 is no integer");
    CHECK(check,
          tensor_read_i32(tensor_file_find(file, "byte"), 1, 1, whole) && whole[0] == 200,
          "u8 is unsigned");
    CHECK(check, tensor_file_find(file, "empty")->elements == 0, "an empty tensor");
    CHECK(check, tensor_file_find(file, "one")->elements == 1, "rank 0");
    CHECK(check, strcmp(tensor_file_metadata(file, "key"), "value \"quoted\"") == 0,
          "metadata");
    CHECK(check, !tensor_file_metadata(file, "other"), "no such metadata");
    CHECK(check, !tensor_file_find(file, "rael"), "no such tensor");
    tensor_file_close(file);
}

static void test_near_miss(Check *check, const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    Diags *diags = diags_new(out);
    TensorFile *file = tensor_file_open(path, diags);
    CHECK(check, file && !tensor_file_need(file, "rael", diags), "missing tensor");
    tensor_file_close(file);
    diags_free(diags);
    fclose(out);
    CHECK(check, strstr(text, "did you mean 'real'"), "near miss: %s", text);
    free(text);
}

/* Every damage to one byte of the header is refused or leaves a file that can be read
 * safely. */
static void test_damage(Check *check, const char *path, const char *damaged)
{
    FILE *file = fopen(path, "rb");
    static unsigned char bytes[4096];
    size_t len = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    CHECK(check, len > 0 && len < sizeof bytes, "sample of %zu bytes", len);
    if (file)
        fclose(file);
    FILE *nowhere = fopen("/dev/null", "w");
    int opened = 0;
    for (size_t i = 0; i < len; i++) {
        bytes[i] ^= 0x11;
        write_file(damaged, bytes, len);
        bytes[i] ^= 0x11;
        Diags *diags = diags_new(nowhere);
        TensorFile *tensors = tensor_file_open(damaged, diags);
        CHECK(check, tensors || diags_error_count(diags) == 1, "byte %zu: one error", i);
        for (uint32_t t = 0; tensors && t < tensor_file_count(tensors); t++) {
            const Tensor *tensor = tensor_file_at(tensors, t);
            float *out = heap_array((size_t)tensor->elements, sizeof *out);
            tensor_read_f32(tensor, 0, tensor->elements, out);
            free(out);
        }
        opened += tensors != NULL;
        tensor_file_close(tensors);
        diags_free(diags);
    }
    fclose(nowhere);
    CHECK(check, opened > 0 && (size_t)opened < len, "%d of %zu damaged files opened",
          opened, len);
}

/* What people have in place of weights. */
static void test_foreign(Check *check, const char *path)
{
#define GIVEN(text) text, sizeof(text) - 1
    static const struct {
        const char *bytes;
        size_t len;
        const char *message, *advice;
    } cases[] = {
        {GIVEN(""), "it is empty", ""},
        {GIVEN("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
         "git-lfs pointer", "git lfs pull"},
        {GIVEN("\n<!DOCTYPE html><html><head>"), "HTML page", "/resolve/"},
        {GIVEN("Entry not found, and more of it"), "a text", "/resolve/"},
        {GIVEN("PK\003\004\000\000\000\000archive/data.pkl"), "zip archive",
         "fetch it again"},
        {GIVEN("\200\002}q\000X\015\000\000\000encoder.weight"), "pickle", "save_file"},
        {GIVEN("\211HDF\r\n\032\n\000\000\000\000\000\000\000\000"), "HDF5", "save_file"},
    };
#undef GIVEN
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(path, cases[i].bytes, cases[i].len);
        char *message = open_message(path);
        CHECK(check,
              message && strstr(message, cases[i].message) &&
                  strstr(message, cases[i].advice),
              "should say '%s': %s", cases[i].message, message ? message : "it opened");
        free(message);
    }
}

/* -- headers of the largest size --------------------------------------------------- */

enum { HEADER_BYTES = 32 << 20, MEBIBYTE = 1 << 20 };

/* A header of `size` bytes: `begin`, as many of `each` with a number as fit, `end`. */
static void write_large(const char *path, size_t size, const char *begin,
                        const char *each, const char *end)
{
    FILE *file = fopen(path, "wb");
    uint64_t length = size;
    size_t used = strlen(begin) + strlen(end);
    if (!file)
        exit(1);
    fwrite(&length, sizeof length, 1, file);
    fputs(begin, file);
    for (int i = 0; used + strlen(each) + 16 < size; i++)
        used += (size_t)fprintf(file, each, i);
    fputs(end, file);
    fprintf(file, "%*s", (int)(size - used), "");
    if (fclose(file) != 0)
        exit(1);
}

/* A sanitizer keeps what was freed. */
#if defined(__SANITIZE_ADDRESS__)
enum { MEMORY_TELLS = 0 };
#else
enum { MEMORY_TELLS = 1 };
#endif

static long peak_kilobytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Memory in proportion to the header: jansson alone would take 47 times as much. */
static void test_large(Check *check, const char *path)
{
    static const char *const headers[][3] = {
        {"{\"a\": [", "[],", "[]]}"},
        {"{\"__metadata__\": {", "\"k%d\": \"\",", "\"k\": \"\"}}"},
        {"{", "\"t%d\": {\"dtype\": \"U8\", \"shape\": [0], \"data_offsets\": [0, 0]},",
         "\"t\": {\"dtype\": \"U8\", \"shape\": [0], \"data_offsets\": [0, 0]}}"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        write_large(path, HEADER_BYTES, headers[i][0], headers[i][1], headers[i][2]);
        char *message = open_message(path);
        CHECK(check, message, "header %zu opened", i);
        free(message);
    }
    CHECK(check, !MEMORY_TELLS || peak_kilobytes() < 5L * HEADER_BYTES / 1024, "%ld KiB",
          peak_kilobytes());
    write_large(path, 8 * MEBIBYTE, headers[2][0], headers[2][1], headers[2][2]);
    char *message = open_message(path);
    CHECK(check, !message, "100,000 tensors: %s", message ? message : "");
    free(message);
}

static void test_unwritable(Check *check)
{
    FILE *nowhere = fopen("/dev/null", "w");
    Diags *diags = diags_new(nowhere);
    TensorWriter *writer = tensor_writer_new("/nonexistent/x.safetensors");
    CHECK(check, !tensor_writer_finish(writer, diags) && diags_error_count(diags) == 1,
          "a directory that is not there");
    diags_free(diags);
    fclose(nowhere);
}

int main(void)
{
    Check check = {0};
    char directory[] = "/tmp/safetensors_testXXXXXX", path[64], other[64];
    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/sample", directory);
    snprintf(other, sizeof other, "%s/other", directory);
    Diags *diags = diags_new(stderr);
    test_round_trip(&check, path, diags);
    test_near_miss(&check, path);
    test_damage(&check, path, other);
    test_hostile(&check, other);
    test_foreign(&check, other);
    test_large(&check, other);
    test_unwritable(&check);
    diags_free(diags);
    unlink(path);
    unlink(other);
    rmdir(directory);
    return check_finish(&check);
}
