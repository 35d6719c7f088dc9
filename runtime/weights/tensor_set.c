/* Opening a model's files and sorting all their tensors by name.
 *
 * An index is {"weight_map": {tensor: file name, ..}, ..}. It is the list of what there
 * is: every tensor in it must be in the file it names, and no other tensor is taken. */
#include "runtime/weights/tensor_set.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/strings.h"
#include "runtime/weights/foreign_file.h"

enum { LARGEST_INDEX = 16 << 20, MOST_FILES = 4096 };

/* What a directory may have, the first that is there. */
typedef struct HubLayout {
    const char *whole, *index;
} HubLayout;

static const HubLayout hub_layouts[] = {
    {"model.safetensors", "model.safetensors.index.json"},
    {"pytorch_model.bin", "pytorch_model.bin.index.json"},
};

typedef struct SetTensor {
    const Tensor *tensor;
    uint32_t file;
} SetTensor;

struct TensorSet {
    Arena *arena;
    const char *path;
    TensorFile **files;
    Strings *file_names; /* as an index has them, numbered as the files are */
    uint32_t file_count;
    SetTensor *members; /* by name */
    uint32_t count;
};

static int by_name(const void *a, const void *b)
{
    const SetTensor *x = a, *y = b;
    return strcmp(x->tensor->name, y->tensor->name);
}

/* -- one file -------------------------------------------------------------------- */

static bool open_file(TensorSet *set, const char *path, Diags *diags)
{
    TensorFile *file = tensor_file_open_any(path, diags);
    if (!file)
        return false;
    set->files = ARENA_ARRAY(set->arena, TensorFile *, 1);
    set->files[set->file_count++] = file;
    set->members = ARENA_ARRAY(set->arena, SetTensor, tensor_file_count(file));
    for (uint32_t i = 0; i < tensor_file_count(file); i++)
        set->members[set->count++] = (SetTensor){.tensor = tensor_file_at(file, i)};
    return true;
}

/* -- an index and its files ------------------------------------------------------ */

static void report_no_index(const char *path, const char *text, size_t len,
                            const json_error_t *fault, Diags *diags)
{
    ForeignFile foreign = *text == '{' ? (ForeignFile){0} : foreign_file(text, len);
    if (foreign.kind)
        diag_error(diags, (Loc){.file = path}, "is no index of weights: it is %s",
                   foreign.kind);
    else
        diag_error(diags, (Loc){.file = path, .line = (uint32_t)fault->line}, "%s",
                   fault->text);
    if (foreign.advice)
        diag_note(diags, (Loc){0}, "%s", foreign.advice);
}

static json_t *read_index(const char *path, Diags *diags)
{
    size_t len;
    char *text = file_read(path, LARGEST_INDEX, &len, diags);
    if (!text)
        return NULL;
    json_error_t fault;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
    if (!root)
        report_no_index(path, text, len, &fault, diags);
    free(text);
    return root;
}

/* `name` beside `path`. */
static const char *beside(TensorSet *set, const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) + 1 : 0, size = len + strlen(name) + 1;
    char *joined = arena_alloc(set->arena, size);
    memcpy(joined, path, len);
    memcpy(joined + len, name, size - len);
    return joined;
}

/* The file's number, opened if it was not yet; -1 after an error. */
static int64_t need_file(TensorSet *set, const char *index, const char *name,
                         Diags *diags)
{
    uint32_t number = strings_find(set->file_names, name, strlen(name));
    if (number != STRING_ABSENT)
        return number;
    const Loc loc = {.file = index};
    if (strchr(name, '/') || *name == '\0' || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0) {
        diag_error(diags, loc, "names '%s', which is no file beside the index", name);
        return -1;
    }
    if (set->file_count == MOST_FILES) {
        diag_error(diags, loc, "names more than %d files", MOST_FILES);
        return -1;
    }
    TensorFile *file = tensor_file_open_any(beside(set, index, name), diags);
    if (!file) {
        diag_note(diags, loc, "the file is named here");
        return -1;
    }
    set->files[set->file_count++] = file;
    return strings_add(set->file_names, name, strlen(name));
}

static bool add_member(TensorSet *set, const char *index, const char *name,
                       const json_t *value, Diags *diags)
{
    const char *file_name = json_string_value(value);
    if (!file_name) {
        diag_error(diags, (Loc){.file = index},
                   "\"weight_map\": the file of '%s' is not a string", name);
        return false;
    }
    int64_t file = need_file(set, index, file_name, diags);
    if (file < 0)
        return false;
    const Tensor *tensor = tensor_file_need(set->files[file], name, diags);
    if (!tensor) {
        diag_note(diags, (Loc){.file = index}, "the index says that it is there");
        return false;
    }
    set->members[set->count++] = (SetTensor){.tensor = tensor, .file = (uint32_t)file};
    return true;
}

static bool open_index(TensorSet *set, const char *path, Diags *diags)
{
    json_t *root = read_index(path, diags);
    if (!root)
        return false;
    json_t *map = json_object_get(root, "weight_map"), *value;
    bool ok = json_is_object(map);
    if (!ok)
        diag_error(diags, (Loc){.file = path},
                   "is no index of weights: it has no object \"weight_map\"");
    set->files = ARENA_ARRAY(set->arena, TensorFile *, MOST_FILES);
    set->file_names = strings_new();
    set->members = ARENA_ARRAY(set->arena, SetTensor, json_object_size(map));
    const char *name;
    json_object_foreach(map, name, value)
    {
        ok = ok && add_member(set, path, name, value, diags);
    }
    json_decref(root);
    return ok;
}

/* -- opening --------------------------------------------------------------------- */

static bool is_kind(const char *path, mode_t kind)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

/* What a directory has in place of weights. */
static bool refuse_directory(TensorSet *set, const char *path, const char *folder,
                             Diags *diags)
{
    static const char *const others[] = {"tf_model.h5", "flax_model.msgpack",
                                         "adapter_model.safetensors",
                                         "adapter_model.bin"};
    struct stat status;
    if (stat(beside(set, folder, "."), &status) != 0) {
        diag_error(diags, (Loc){.file = path}, "cannot be read: %s", strerror(errno));
        return false;
    }
    diag_error(diags, (Loc){.file = path},
               "has neither %s nor %s, and no index of either", hub_layouts[0].whole,
               hub_layouts[1].whole);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (stat(beside(set, folder, others[i]), &status) == 0) {
            diag_note(diags, (Loc){0},
                      "it has %s, which is not read; in Python: "
                      "AutoModel.from_pretrained('%s').save_pretrained('%s', "
                      "safe_serialization=True)",
                      others[i], path, path);
            return false;
        }
    diag_note(diags, (Loc){0}, "weights in other formats are not read");
    return false;
}

static bool open_directory(TensorSet *set, const char *path, Diags *diags)
{
    size_t size = strlen(path) + 2;
    char *folder = arena_alloc(set->arena, size);
    snprintf(folder, size, "%s/", path);
    for (size_t i = 0; i < sizeof hub_layouts / sizeof *hub_layouts; i++) {
        const char *whole = beside(set, folder, hub_layouts[i].whole),
                   *index = beside(set, folder, hub_layouts[i].index);
        if (is_kind(whole, S_IFREG))
            return open_file(set, whole, diags);
        if (is_kind(index, S_IFREG))
            return open_index(set, index, diags);
    }
    return refuse_directory(set, path, folder, diags);
}

static bool is_index(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && strcmp(dot, ".json") == 0;
}

TensorSet *tensor_set_open(const char *path, Diags *diags)
{
    Arena *arena = arena_new();
    TensorSet *set = arena_alloc(arena, sizeof *set);
    *set = (TensorSet){.arena = arena, .path = arena_string(arena, path, strlen(path))};
    bool is_open = is_kind(path, S_IFDIR) ? open_directory(set, set->path, diags)
                   : is_index(path)       ? open_index(set, set->path, diags)
                                          : open_file(set, set->path, diags);
    if (!is_open) {
        tensor_set_close(set);
        return NULL;
    }
    if (set->count > 0)
        qsort(set->members, set->count, sizeof *set->members, by_name);
    return set;
}

void tensor_set_close(TensorSet *set)
{
    if (!set)
        return;
    for (uint32_t i = 0; i < set->file_count; i++)
        tensor_file_close(set->files[i]);
    strings_free(set->file_names);
    arena_free(set->arena);
}

const char *tensor_set_path(const TensorSet *set)
{
    return set->path;
}

/* -- looking up ------------------------------------------------------------------ */

uint32_t tensor_set_count(const TensorSet *set)
{
    return set->count;
}

const Tensor *tensor_set_at(const TensorSet *set, uint32_t index)
{
    return set->members[index].tensor;
}

static const SetTensor *find_member(const TensorSet *set, const char *name)
{
    const Tensor wanted = {.name = name};
    const SetTensor key = {.tensor = &wanted};
    return set->count
               ? bsearch(&key, set->members, set->count, sizeof *set->members, by_name)
               : NULL;
}

const Tensor *tensor_set_find(const TensorSet *set, const char *name)
{
    const SetTensor *member = find_member(set, name);
    return member ? member->tensor : NULL;
}

const char *tensor_set_nearest(const TensorSet *set, const char *name)
{
    const char **names = heap_array((size_t)set->count + 1, sizeof *names);
    for (uint32_t i = 0; i < set->count; i++)
        names[i] = set->members[i].tensor->name;
    const char *near = nearest_name(name, names, set->count);
    free(names);
    return near;
}

const char *tensor_set_file(const TensorSet *set, const Tensor *tensor)
{
    return tensor_file_path(set->files[find_member(set, tensor->name)->file]);
}

const char *tensor_set_metadata(const TensorSet *set, const char *key)
{
    return set->file_count ? tensor_file_metadata(set->files[0], key) : NULL;
}

uint32_t tensor_set_file_count(const TensorSet *set)
{
    return set->file_count;
}

const TensorFile *tensor_set_file_at(const TensorSet *set, uint32_t index)
{
    return set->files[index];
}
