/* Features in HDF5 files. Half precision, which the library would convert bit by bit, is
 * read as it is and converted here.
 *
 * The library does not check what a file says of itself, and crashes or takes all memory
 * if that is wrong; so this runs in a process of its own, one for each file, and nothing
 * is closed at its end. What can lead to other files is refused. */
#include "runtime/data/features/hdf5_read.h"

#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/file_kind.h"
#include "ir/base/heap.h"
#include "runtime/data/features/features.h"
#include "runtime/data/features/hdf5_chunks.h"
#include "runtime/weights/safetensors.h"

const char hdf5_dataset[] = "features";

int64_t hdf5_half_type(void)
{
    enum { SIGN_AT = 15, EXPONENT_AT = 10, EXPONENT_BITS = 5, BIAS = 15, BYTES = 2 };
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    H5Tset_fields(type, SIGN_AT, EXPONENT_AT, EXPONENT_BITS, 0, EXPONENT_AT);
    H5Tset_size(type, BYTES);
    H5Tset_ebias(type, BIAS);
    return type;
}

typedef struct Reading {
    Loc loc;
    Diags *diags;
    const char *id;
    int descriptor;
    hid_t file, group, dataset, space, type, facts;
    hsize_t dims[2];
} Reading;

static bool fault(const Reading *reading, const char *text)
{
    diag_error(reading->diags, reading->loc, "%s", text);
    return false;
}

/* -- why the library refused ------------------------------------------------------- */

/* What the library's own messages give away, and what that means. */
static const struct {
    const char *part, *meaning;
} causes[] = {
    {"memory allocation failed", "needs more memory to read than is allowed: damaged"},
    {"truncated file", "is cut: the file is shorter than it says itself"},
    {"already open for write", "was not closed by the program that wrote it"},
    {"required filter", "is compressed by a filter that is not read"},
};

static herr_t note_cause(unsigned depth, const H5E_error2_t *error, void *state)
{
    const char **meaning = state;
    (void)depth;
    for (size_t i = 0; error->desc && i < sizeof causes / sizeof *causes; i++)
        if (!*meaning && strstr(error->desc, causes[i].part))
            *meaning = causes[i].meaning;
    return 0;
}

/* Straight after the call that failed. */
static bool library_fault(const Reading *reading, const char *otherwise)
{
    const char *meaning = NULL;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_cause, (void *)&meaning);
    return fault(reading, meaning ? meaning : otherwise);
}

/* -- opening ----------------------------------------------------------------------- */

/* The library's own lock would fail where a file system knows none, and last until the
 * process has gone. */
static bool check_lock(const Reading *reading)
{
    bool is_free = flock(reading->descriptor, LOCK_SH | LOCK_NB) == 0;
    if (is_free)
        (void)flock(reading->descriptor, LOCK_UN);
    if (is_free || errno != EWOULDBLOCK)
        return true;
    return fault(reading, "is locked: another program has it open for writing");
}

static bool tell_kind(const Reading *reading)
{
    char bytes[FILE_KIND_BYTES];
    ssize_t got = pread(reading->descriptor, bytes, sizeof bytes, 0);
    const char *kind = got >= 0 ? file_kind(bytes, (size_t)got) : strerror(errno);
    if (!kind)
        return fault(reading, "is no HDF5 file");
    diag_error(reading->diags, reading->loc, "is no HDF5 file, but %s", kind);
    return false;
}

/* The format's signature stands at byte 0, or 512, 1024, 2048, .. */
static bool check_signature(const Reading *reading)
{
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    char bytes[sizeof signature - 1];
    for (off_t at = 0;; at = at ? 2 * at : 512) {
        ssize_t got = pread(reading->descriptor, bytes, sizeof bytes, at);
        if (got < (ssize_t)sizeof bytes)
            return tell_kind(reading);
        if (memcmp(bytes, signature, sizeof bytes) == 0)
            return true;
    }
}

static bool open_file(Reading *reading)
{
    char name[32];
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", reading->descriptor);
    reading->file = H5Fopen(name, H5F_ACC_RDONLY, H5P_DEFAULT);
    return reading->file >= 0 || library_fault(reading, "is no HDF5 file that can be "
                                                        "read: damaged");
}

/* Whether there is a link, and one that stays in the file. */
static bool check_link(const Reading *reading, hid_t at, const char *name,
                       const char *missing)
{
    H5L_info_t link;
    htri_t exists = H5Lexists(at, name, H5P_DEFAULT);
    if (exists < 0)
        return library_fault(reading, "its list of groups is damaged");
    if (exists == 0)
        return fault(reading, missing);
    if (H5Lget_info(at, name, &link, H5P_DEFAULT) < 0)
        return library_fault(reading, "its list of groups is damaged");
    if (link.type == H5L_TYPE_HARD || link.type == H5L_TYPE_SOFT)
        return true;
    diag_error(reading->diags, reading->loc,
               "'%s' is a link to another file, which is not followed", name);
    return false;
}

/* A link to nothing, or to something damaged, or to something else. */
static const char *closed(Arena *arena, const char *missing)
{
    return arena_format(arena, "%s that can be opened", missing);
}

static bool open_dataset(Reading *reading, Arena *arena)
{
    const char *group = arena_format(arena, "has no group '/%s'", reading->id);
    const char *dataset =
        arena_format(arena, "group '/%s' has no dataset '%s'", reading->id, hdf5_dataset);
    if (!check_link(reading, reading->file, reading->id, group))
        return false;
    reading->group = H5Gopen2(reading->file, reading->id, H5P_DEFAULT);
    if (reading->group < 0)
        return library_fault(reading, closed(arena, group));
    if (!check_link(reading, reading->group, hdf5_dataset, dataset))
        return false;
    reading->dataset = H5Dopen2(reading->group, hdf5_dataset, H5P_DEFAULT);
    return reading->dataset >= 0 || library_fault(reading, closed(arena, dataset));
}

/* -- what the dataset is ----------------------------------------------------------- */

static bool check_filters(const Reading *reading)
{
    int count = H5Pget_nfilters(reading->facts);
    for (int i = 0; i < count; i++) {
        char name[64] = "";
        unsigned flags;
        size_t values = 0;
        H5Z_filter_t filter = H5Pget_filter2(reading->facts, (unsigned)i, &flags, &values,
                                             NULL, sizeof name, name, NULL);
        if (filter < 0)
            return library_fault(reading, "its list of filters is damaged");
        if (hdf5_filter_is_read(filter) && H5Zfilter_avail(filter) > 0)
            continue;
        diag_error(reading->diags, reading->loc,
                   "'%s' are compressed by filter %d (%s), which is not read; write them "
                   "anew with gzip or without compression",
                   hdf5_dataset, (int)filter, name[0] ? name : "no name");
        return false;
    }
    return count >= 0 || library_fault(reading, "its list of filters is damaged");
}

/* Before anything else is asked, since the library would open other files for it. */
static bool check_place(Reading *reading)
{
    reading->facts = H5Dget_create_plist(reading->dataset);
    if (reading->facts < 0)
        return library_fault(reading, "'features' cannot be read: damaged");
    H5D_layout_t layout = H5Pget_layout(reading->facts);
    if (layout == H5D_VIRTUAL)
        return fault(reading, "'features' are a virtual dataset, whose numbers lie in "
                              "other files, which are not opened");
    if (H5Pget_external_count(reading->facts) != 0)
        return fault(reading, "the numbers of 'features' lie in another file (external "
                              "storage), which is not opened");
    return check_filters(reading);
}

static bool check_shape(Reading *reading)
{
    const hsize_t most = (hsize_t)FEATURES_ELEMENTS_MAX, *dims = reading->dims;
    reading->space = H5Dget_space(reading->dataset);
    reading->type = H5Dget_type(reading->dataset);
    if (reading->space < 0 || reading->type < 0)
        return library_fault(reading, "'features' cannot be read: damaged");
    if (H5Tget_class(reading->type) != H5T_FLOAT)
        return fault(reading, "'features' are no floating-point numbers");
    int rank = H5Sget_simple_extent_ndims(reading->space);
    if (rank != 2 ||
        H5Sget_simple_extent_dims(reading->space, reading->dims, NULL) != 2) {
        diag_error(reading->diags, reading->loc, "'%s' have %d dimensions, not 2",
                   hdf5_dataset, rank);
        return false;
    }
    if (dims[0] > 0 && dims[1] > 0 && dims[0] <= most && dims[1] <= most / dims[0])
        return true;
    diag_error(reading->diags, reading->loc,
               "'%s' have the impossible shape (%llu, %llu); at most %lld numbers are "
               "read",
               hdf5_dataset, (unsigned long long)dims[0], (unsigned long long)dims[1],
               (long long)FEATURES_ELEMENTS_MAX);
    return false;
}

/* What was never written would be read as zeros, and a few bytes as millions of them. */
static bool check_written(const Reading *reading)
{
    if (H5Pget_layout(reading->facts) != H5D_CHUNKED) {
        hsize_t all = reading->dims[0] * reading->dims[1] * H5Tget_size(reading->type);
        return H5Dget_storage_size(reading->dataset) >= all ||
               fault(reading, "'features' were not written, or not to their end");
    }
    const char *problem =
        hdf5_check_chunks(&(Hdf5Chunks){.dataset = reading->dataset,
                                        .facts = reading->facts,
                                        .space = reading->space,
                                        .dims = {reading->dims[0], reading->dims[1]},
                                        .element_bytes = H5Tget_size(reading->type),
                                        .elements_max = (size_t)FEATURES_ELEMENTS_MAX});
    return !problem || library_fault(reading, problem);
}

/* -- the numbers ------------------------------------------------------------------- */

static bool read_halves(const Reading *reading, float *rows, size_t elements)
{
    uint16_t *halves = heap_array(elements, sizeof *halves);
    bool is_read = H5Dread(reading->dataset, reading->type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                           halves) >= 0;
    for (size_t i = 0; is_read && i < elements; i++)
        rows[i] = half_to_float(halves[i]);
    return is_read;
}

static bool read_rows(const Reading *reading, IsolateReply *reply)
{
    size_t elements = (size_t)(reading->dims[0] * reading->dims[1]);
    Hdf5Rows *out = isolate_part(reply, sizeof *out + elements * sizeof *out->rows);
    out->count = (int64_t)reading->dims[0];
    out->width = (int64_t)reading->dims[1];
    bool is_half = H5Tequal(reading->type, hdf5_half_type()) > 0;
    bool is_read = is_half ? read_halves(reading, out->rows, elements)
                           : H5Dread(reading->dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL,
                                     H5P_DEFAULT, out->rows) >= 0;
    return is_read || library_fault(reading, "'features' cannot be read: damaged");
}

static bool read_features(const IsolateInput *input, IsolateReply *reply, Diags *diags)
{
    Arena *arena = arena_new();
    Reading reading = {.loc = {.file = input->path},
                       .diags = diags,
                       .descriptor = input->file,
                       .id = arena_string(arena, input->request, input->request_bytes)};
    return check_signature(&reading) && check_lock(&reading) && open_file(&reading) &&
           open_dataset(&reading, arena) && check_place(&reading) &&
           check_shape(&reading) && check_written(&reading) && read_rows(&reading, reply);
}

/* No message of the library's, no code of others, and no other file. */
static void prepare(void)
{
    (void)setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
    (void)setenv("HDF5_PLUGIN_PRELOAD", "::", 1);
    H5open();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
    H5Lunregister(H5L_TYPE_EXTERNAL);
}

const IsolateHandler hdf5_handler = {
    .name = HDF5_HANDLER, .read = read_features, .prepare = prepare, .files = 1};
