/* Feature files: what is written is read, videos are resampled over the published
 * windows, and damaged files are refused whatever byte they end at. */
#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "ir/base/heap.h"
#include "runtime/data/features/features.h"
#include "runtime/data/features/hdf5_read.h"
#include "runtime/weights/safetensors.h"
#include "tests/check.h"
#include "tests/scratch.h"

enum { ROWS = 9, WIDTH = 5 };

static Features sample(int64_t rows, int64_t width)
{
    Features out = {.count = rows, .width = width};
    out.rows = heap_array((size_t)(rows * width), sizeof *out.rows);
    for (int64_t i = 0; i < rows * width; i++)
        out.rows[i] = (float)(i % 37) * 0.25F - 3; /* exact in half precision */
    return out;
}

static bool are_equal(const Features *a, const Features *b)
{
    return a->count == b->count && a->width == b->width && a->rows && b->rows &&
           memcmp(a->rows, b->rows, (size_t)(a->count * a->width) * sizeof *a->rows) == 0;
}

static void test_round_trips(Check *check, const Scratch *scratch, Isolate *isolate,
                             Diags *diags)
{
    Features wrote = sample(ROWS, WIDTH), read;
    const char *odd = "\xc3\xa9t\xc3\xa9 #1 \"x\" [2]";
    const char *path = scratch_path(scratch, "odd name \xc3\xa9.h5");
    CHECK(check, features_write_hdf5(path, odd, &wrote, diags), "write");
    CHECK(check, features_read_hdf5(isolate, path, odd, &read, diags), "read");
    CHECK(check, are_equal(&wrote, &read), "HDF5");
    features_free(&read);
    path = scratch_path(scratch, "video.npz");
    CHECK(check, features_write_npz(path, &wrote, diags), "write");
    CHECK(check, features_read_npz(path, &read, diags), "read");
    CHECK(check, are_equal(&wrote, &read), "npz");
    features_free(&read);
    CHECK(check, features_replace_npz(path, &wrote, FEATURES_half, diags), "write");
    CHECK(check, features_read_npz(path, &read, diags), "read");
    CHECK(check, are_equal(&wrote, &read), "npz in half precision");
    features_free(&read);
    features_free(&wrote);
}

/* Every number of half precision comes back, and so does what lies nearest to it. */
static void test_to_half(Check *check)
{
    enum { INFINITE = 0x7c00, NEGATIVE = 0x8000 };
    for (uint32_t i = 0; i < INFINITE; i++) {
        uint16_t half = (uint16_t)i;
        float x = half_to_float(half);
        float next = i + 1 < INFINITE ? half_to_float((uint16_t)(i + 1)) : 65536;
        float middle = x + (next - x) / 2;
        uint16_t even = (uint16_t)(i + (i & 1));
        CHECK(check, float_to_half(x) == half, "0x%04x", i);
        CHECK(check, float_to_half(-x) == (half | NEGATIVE), "-0x%04x", i);
        CHECK(check, float_to_half(middle) == even, "the middle after 0x%04x", i);
        CHECK(check, float_to_half(nextafterf(middle, x)) == half, "below, 0x%04x", i);
        CHECK(check, float_to_half(nextafterf(middle, next)) == half + 1, "above, 0x%04x",
              i);
    }
    CHECK(check, isnan(half_to_float(float_to_half(NAN))), "not a number");
}

static void test_half(Check *check)
{
    static const struct {
        uint16_t half;
        float value;
    } cases[] = {{0, 0},
                 {0x3c00, 1},
                 {0xc000, -2},
                 {0x7bff, 65504},
                 {0x0001, 0x1p-24F},
                 {0x83ff, -0x1.ff8p-15F},
                 {0x3555, 0.333251953125F}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK(check, half_to_float(cases[i].half) == cases[i].value, "0x%04x",
              cases[i].half);
    CHECK(check, half_to_float(0x7c00) > 3e38F, "infinity");
    float nan = half_to_float(0x7e00);
    CHECK(check, nan != nan, "not a number");
}

/* The windows of the reference: 7 to 4 rows are [0, 2) [1, 4) [3, 6) [5, 7). */
static void test_resampling(Check *check)
{
    static const int64_t stops[] = {2, 4, 6, 7};
    Features features = {.count = 7, .width = 1, .rows = heap_array(7, sizeof(float))};
    for (int i = 0; i < 7; i++)
        features.rows[i] = (float)i;
    features_resample(&features, 4);
    CHECK(check, features.count == 4, "rows");
    for (int i = 0; i < 4; i++)
        CHECK(check, features.rows[i] == (float)(stops[i] - 1), "window %d", i);
    features_resample(&features, 6);
    CHECK(check, features.rows[3] == 6 && features.rows[4] == 0 && features.rows[5] == 0,
          "zeros follow");
    features_resample(&features, 6);
    CHECK(check, features.count == 6 && features.rows[3] == 6, "enough is left alone");
    features_free(&features);
}

/* -- damaged files ------------------------------------------------------------------- */

typedef bool ReadFn(Isolate *isolate, const char *path, Features *out, Diags *diags);

static bool read_image(Isolate *isolate, const char *path, Features *out, Diags *diags)
{
    return features_read_hdf5(isolate, path, "image", out, diags);
}

static bool read_reported(Isolate *isolate, const char *path, Features *out, Diags *diags)
{
    return features_read_hdf5(isolate, path, "x", out, diags);
}

static bool read_video(Isolate *isolate, const char *path, Features *out, Diags *diags)
{
    (void)isolate;
    return features_read_npz(path, out, diags);
}

/* Every beginning of a good file, and the file with every byte changed, in steps: refused
 * with the file's name, or read as the right number of rows. */
static void check_damage(Check *check, const Scratch *scratch, Isolate *isolate,
                         const char *ok, ReadFn *read, size_t step)
{
    size_t size;
    char *bytes = scratch_read(scratch, ok, &size);
    Features features;
    for (size_t i = 0; bytes && i < 2 * size; i += step) {
        Messages messages;
        messages_open(&messages);
        bool is_cut = i < size;
        if (!is_cut)
            bytes[i - size] ^= 0x41;
        const char *path = scratch_write(scratch, "damaged", bytes, is_cut ? i : size);
        if (!is_cut)
            bytes[i - size] ^= 0x41;
        bool is_read = read(isolate, path, &features, messages.diags);
        CHECK(check, is_read || messages_have(&messages, "damaged"),
              "byte %zu says nothing", i);
        CHECK(check, !is_read || features.rows, "byte %zu", i);
        features_free(&features);
        messages_close(&messages);
    }
}

static void test_damage(Check *check, const Scratch *scratch, Isolate *isolate,
                        Diags *diags)
{
    Features wrote = sample(ROWS, WIDTH);
    const char *image = scratch_path(scratch, "image.h5");
    const char *video = scratch_path(scratch, "cut.npz");
    CHECK(check, features_write_hdf5(image, "image", &wrote, diags), "write");
    CHECK(check, features_write_npz(video, &wrote, diags), "write");
    features_free(&wrote);
    check_damage(check, scratch, isolate, image, read_image, 3);
    check_damage(check, scratch, isolate, video, read_video, 1);
}

static void check_refused(Check *check, Isolate *isolate, const char *path, ReadFn *read,
                          const char *message)
{
    Messages messages;
    Features features;
    messages_open(&messages);
    CHECK(check,
          !read(isolate, path, &features, messages.diags) &&
              messages_have(&messages, message),
          "should say '%s': %s", message, messages.text);
    CHECK(check, messages_have(&messages, path), "names the file");
    messages_close(&messages);
}

/* A file with the dataset image/features of some type and shape. */
static const char *write_other(const Scratch *scratch, hid_t type, int rank,
                               const hsize_t *dims)
{
    const char *path = scratch_path(scratch, "other.h5");
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "image", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t dataset =
        H5Dcreate2(group, "features", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const double numbers[24] = {0};
    if (H5Sget_simple_extent_npoints(space) <= 24)
        H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers);
    H5Dclose(dataset);
    H5Sclose(space);
    H5Gclose(group);
    H5Fclose(file);
    return path;
}

/* What was downloaded in a file's place, or can never be a file's end. */
static void test_other_kinds(Check *check, const Scratch *scratch, Isolate *isolate)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
         "a git-lfs pointer"},
        {" <html><body>404", "an HTML page"},
        {"", "an empty file"},
        {"\x80\x04pickled", "a Python pickle"},
    };
    const char *pipe = scratch_path(scratch, "pipe");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = scratch_text(scratch, "other", cases[i].text);
        check_refused(
            check, isolate, path, read_image,
            arena_format(scratch->arena, "is no HDF5 file, but %s", cases[i].message));
        check_refused(
            check, isolate, path, read_video,
            arena_format(scratch->arena, "is no npz file, but %s", cases[i].message));
    }
    CHECK(check, mkfifo(pipe, 0600) == 0, "mkfifo");
    check_refused(check, isolate, pipe, read_image, "it is a pipe, not a regular file");
    check_refused(check, isolate, pipe, read_video, "it is a pipe, not a regular file");
    check_refused(check, isolate, "/dev/zero", read_video, "it is a device");
}

/* An archive that says of its array that it unpacks to `size` bytes. */
static void check_claim(Check *check, const Scratch *scratch, Isolate *isolate,
                        uint32_t size, const char *message)
{
    enum { SIZE_AT = 24 };
    size_t count;
    const char *ok = scratch_path(scratch, "cut.npz");
    char *bytes = scratch_read(scratch, ok, &count);
    char *entry = memmem(bytes, count, "PK\1\2", 4);
    CHECK(check, entry, "a directory");
    if (!entry)
        return;
    memcpy(entry + SIZE_AT, &size, sizeof size);
    check_refused(check, isolate, scratch_write(scratch, "claim.npz", bytes, count),
                  read_video, message);
}

/* Reported files that crash the library, or take all memory, or lead elsewhere. */
static void test_reported(Check *check, const char *directory, Isolate *isolate)
{
    static const char *const names[][2] = {
        {"crash-1", ""}, {"crash-17", "damaged"},      {"crash-23", ""},
        {"crash-8", ""}, {"external", "another"},      {"h5_memory_0", ""},
        {"oom-1", ""},   {"h5_overflow_silent_0", ""}, {"h5_segv_release_0", "damaged"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/%s.h5", directory, names[i][0]);
        check_refused(check, isolate, path, read_reported, names[i][1]);
    }
}

/* -- links to other files, filters, what was never written --------------------------- */

typedef struct Writing {
    const char *path;
    hid_t file, group, facts, space;
} Writing;

/* A file with a group, facts of a dataset, and its space of 3 x 4 numbers. */
static Writing start_writing(const Scratch *scratch)
{
    const hsize_t dims[] = {3, 4};
    Writing out = {.path = scratch_path(scratch, "special.h5")};
    out.file = H5Fcreate(out.path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    out.group = H5Gcreate2(out.file, "image", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    out.facts = H5Pcreate(H5P_DATASET_CREATE);
    out.space = H5Screate_simple(2, dims, NULL);
    return out;
}

static void finish_writing(Writing *writing, bool with_dataset)
{
    if (with_dataset)
        H5Dclose(H5Dcreate2(writing->group, "features", H5T_IEEE_F32LE, writing->space,
                            H5P_DEFAULT, writing->facts, H5P_DEFAULT));
    H5Sclose(writing->space);
    H5Pclose(writing->facts);
    H5Gclose(writing->group);
    H5Fclose(writing->file);
}

static void test_other_files(Check *check, const Scratch *scratch, Isolate *isolate,
                             Diags *diags)
{
    Features wrote = sample(3, 4);
    const char *other = scratch_path(scratch, "target.h5");
    CHECK(check, features_write_hdf5(other, "image", &wrote, diags), "write");
    features_free(&wrote);
    Writing writing = start_writing(scratch);
    H5Lcreate_external(other, "/image/features", writing.group, "features", H5P_DEFAULT,
                       H5P_DEFAULT);
    finish_writing(&writing, false);
    check_refused(check, isolate, writing.path, read_image, "is a link to another file");
    writing = start_writing(scratch);
    H5Ldelete(writing.file, "image", H5P_DEFAULT);
    H5Lcreate_external(other, "/image", writing.file, "image", H5P_DEFAULT, H5P_DEFAULT);
    finish_writing(&writing, false);
    check_refused(check, isolate, writing.path, read_image, "is a link to another file");
    writing = start_writing(scratch);
    H5Lcreate_external(other, "/image/features", writing.file, "away", H5P_DEFAULT,
                       H5P_DEFAULT);
    H5Lcreate_soft("/away", writing.group, "features", H5P_DEFAULT, H5P_DEFAULT);
    finish_writing(&writing, false);
    check_refused(check, isolate, writing.path, read_image, "has no dataset");
    writing = start_writing(scratch);
    H5Pset_virtual(writing.facts, writing.space, other, "/image/features", writing.space);
    finish_writing(&writing, true);
    check_refused(check, isolate, writing.path, read_image, "a virtual dataset");
    writing = start_writing(scratch);
    H5Pset_external(writing.facts, other, 0, 48);
    finish_writing(&writing, true);
    check_refused(check, isolate, writing.path, read_image, "external storage");
}

/* Chunked and filtered as `filters` says: g gzip, s shuffle, f checksum. */
static void check_chunked(Check *check, const Scratch *scratch, Isolate *isolate,
                          const char *filters, Diags *diags)
{
    const hsize_t chunk[] = {2, 3};
    Features wrote = sample(3, 4), read;
    Writing writing = start_writing(scratch);
    H5Pset_chunk(writing.facts, 2, chunk);
    for (const char *at = filters; *at; at++)
        (void)(*at == 'g'   ? H5Pset_deflate(writing.facts, 9)
               : *at == 's' ? H5Pset_shuffle(writing.facts)
                            : H5Pset_fletcher32(writing.facts));
    hid_t dataset = H5Dcreate2(writing.group, "features", H5T_IEEE_F32LE, writing.space,
                               H5P_DEFAULT, writing.facts, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, wrote.rows);
    H5Dclose(dataset);
    finish_writing(&writing, false);
    CHECK(check, features_read_hdf5(isolate, writing.path, "image", &read, diags),
          "chunks, '%s'", filters);
    CHECK(check, are_equal(&wrote, &read), "chunks, '%s'", filters);
    features_free(&read);
    features_free(&wrote);
}

static void test_chunks(Check *check, const Scratch *scratch, Isolate *isolate,
                        Diags *diags)
{
    static const char *const filters[] = {"", "g", "s", "f", "sg", "sgf", "fg", "gf"};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        check_chunked(check, scratch, isolate, filters[i], diags);
    /* A chunk that unpacks to less than the library then takes. */
    Writing writing = start_writing(scratch);
    const hsize_t chunk[] = {3, 4}, offset[] = {0, 0};
    unsigned char packed[64], plain[24] = {0};
    uLongf count = sizeof packed;
    H5Pset_chunk(writing.facts, 2, chunk);
    H5Pset_deflate(writing.facts, 1);
    hid_t dataset = H5Dcreate2(writing.group, "features", H5T_IEEE_F32LE, writing.space,
                               H5P_DEFAULT, writing.facts, H5P_DEFAULT);
    CHECK(check, compress(packed, &count, plain, sizeof plain) == Z_OK, "compress");
    H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, offset, count, packed);
    H5Dclose(dataset);
    finish_writing(&writing, false);
    check_refused(check, isolate, writing.path, read_image, "chunks");
}

/* As h5py writes with compression="lzf", whose filter it brings along. */
static void test_filters(Check *check, const Scratch *scratch, Isolate *isolate)
{
    const hsize_t chunk[] = {2, 4};
    enum { LZF = 32000 };
    Writing writing = start_writing(scratch);
    H5Pset_chunk(writing.facts, 2, chunk);
    H5Pset_filter(writing.facts, LZF, H5Z_FLAG_OPTIONAL, 0, NULL);
    finish_writing(&writing, true);
    check_refused(check, isolate, writing.path, read_image, "compressed by filter 32000");
    writing = start_writing(scratch);
    H5Pset_chunk(writing.facts, 2, chunk);
    H5Pset_deflate(writing.facts, 1);
    finish_writing(&writing, true);
    check_refused(check, isolate, writing.path, read_image, "were not written");
    writing = start_writing(scratch);
    finish_writing(&writing, true);
    check_refused(check, isolate, writing.path, read_image, "were not written");
}

static void test_states(Check *check, const Scratch *scratch, Isolate *isolate,
                        Diags *diags)
{
    Features wrote = sample(3, 4), read;
    const char *path = scratch_path(scratch, "state.h5");
    CHECK(check, features_write_hdf5(path, "image", &wrote, diags), "write");
    int file = open(path, O_RDWR);
    CHECK(check, file >= 0 && flock(file, LOCK_EX) == 0, "lock");
    check_refused(check, isolate, path, read_image, "is locked");
    CHECK(check, flock(file, LOCK_UN) == 0, "unlock");
    CHECK(check, features_read_hdf5(isolate, path, "image", &read, diags), "read");
    features_free(&read);
    CHECK(check, ftruncate(file, 1500) == 0, "cut");
    check_refused(check, isolate, path, read_image, "is cut");
    (void)close(file);
    CHECK(check, chmod(path, 0) == 0, "chmod");
    if (geteuid() != 0)
        check_refused(check, isolate, path, read_image, "Permission denied");
    wrote.rows[7] = 1 / (wrote.rows[0] - wrote.rows[0]);
    Messages messages;
    messages_open(&messages);
    CHECK(check, !features_check_finite(&wrote, "f.h5", messages.diags), "finite");
    CHECK(check, messages_have(&messages, "f.h5: error: number 3 of row 1"), "%s",
          messages.text);
    messages_close(&messages);
    features_free(&wrote);
}

static void test_refusals(Check *check, const Scratch *scratch, Isolate *isolate,
                          Diags *diags)
{
    const hsize_t small[] = {3, 4, 2}, none[] = {0, 4}, vast[] = {1U << 20, 1U << 20};
    const char *missing = scratch_path(scratch, "missing");
    check_refused(check, isolate, missing, read_image, "cannot be read: No such file");
    check_refused(check, isolate, missing, read_video, "cannot be read: No such file");
    test_other_kinds(check, scratch, isolate);
    check_claim(check, scratch, isolate, 2000000000, "too large");
    check_claim(check, scratch, isolate, 200000000, "cannot be compressed to");
    check_refused(check, isolate, write_other(scratch, H5T_STD_I32LE, 2, small),
                  read_image, "no floating-point numbers");
    check_refused(check, isolate, write_other(scratch, H5T_IEEE_F32LE, 3, small),
                  read_image, "3 dimensions");
    check_refused(check, isolate, write_other(scratch, H5T_IEEE_F32LE, 2, none),
                  read_image, "impossible shape");
    check_refused(check, isolate, write_other(scratch, H5T_IEEE_F64LE, 2, vast),
                  read_image, "impossible shape");
    Features wrote = sample(2, 2), features;
    const char *path = scratch_path(scratch, "named.h5");
    CHECK(check, features_write_hdf5(path, "another", &wrote, diags), "write");
    check_refused(check, isolate, path, read_image, "no group '/image'");
    features_free(&wrote);
    path = write_other(scratch, H5T_IEEE_F64LE, 2, small);
    CHECK(check,
          features_read_hdf5(isolate, path, "image", &features, diags) &&
              features.count == 3 && features.width == 4,
          "double precision");
    features_free(&features);
}

/* -- npy headers -----------------------------------------------------------------------
 */

static void test_headers(Check *check)
{
    static const struct {
        const char *header;
        bool ok;
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n", true},
        {"{'shape': (1,2), 'fortran_order': True, 'descr': '<f4'}  ", true},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2), }", false},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (1, 2), }", false},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 2), }", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2), }", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, -2), }", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2), }", false},
        {"{'descr': '<f4', 'fortran_order': False, "
         "'shape': (99999999999999999999, 2), }",
         false},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (1, 2), }", false},
        {"{'descr': '<f4', 'fortran_order': False, }", false},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), } x", false},
        {"[1]", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char bytes[256] = "\x93NUMPY\x01\x00";
        size_t len = strlen(cases[i].header);
        bytes[8] = (unsigned char)len;
        memcpy(bytes + 10, cases[i].header, len);
        NpyHeader header;
        const char *fault = npy_parse(bytes, (int64_t)(10 + len + 8), &header);
        CHECK(check, !fault == cases[i].ok, "%s: %s", cases[i].header,
              fault ? fault : "taken");
    }
}

int main(int argc, char **argv)
{
    static const IsolateHandler *const readers[] = {&hdf5_handler};
    isolate_serve(argc, argv, readers, 1);
    Check check = {0};
    Diags *diags = diags_new(stderr);
    Scratch scratch = scratch_new();
    Isolate *isolate = isolate_new(&hdf5_program);
    test_round_trips(&check, &scratch, isolate, diags);
    test_half(&check);
    test_to_half(&check);
    test_resampling(&check);
    test_damage(&check, &scratch, isolate, diags);
    test_refusals(&check, &scratch, isolate, diags);
    test_headers(&check);
    test_other_files(&check, &scratch, isolate, diags);
    test_chunks(&check, &scratch, isolate, diags);
    test_filters(&check, &scratch, isolate);
    test_states(&check, &scratch, isolate, diags);
    if (argc > 1)
        test_reported(&check, argv[1], isolate);
    CHECK(&check, diags_error_count(diags) == 0, "no errors");
    isolate_free(isolate);
    scratch_free(&scratch);
    diags_free(diags);
    return check_finish(&check);
}
