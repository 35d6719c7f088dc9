/* Archive, pickle, names, and the numbers of each in row-major order. */
#include "runtime/weights/torch/torch_file.h"

#include <string.h>

#include "runtime/weights/torch/torch_names.h"

enum { LARGEST_PICKLE = 16 << 20, LARGEST_BYTE_ORDER = 16 };

static const char MAGIC[] = "PK\003\004", PICKLE[] = "/data.pkl";

struct TorchFile {
    Arena *arena;
    const char *path, *root; /* "archive" */
    TorchZip *zip;
    TorchStorages storages;
    TorchNames names;
    const unsigned char **bytes; /* of each name */
};

bool torch_file_is_one(const void *bytes, size_t len)
{
    return len >= sizeof MAGIC - 1 && memcmp(bytes, MAGIC, sizeof MAGIC - 1) == 0;
}

static Loc in_file(const TorchFile *file)
{
    return (Loc){.file = file->path};
}

/* -- the archive ------------------------------------------------------------------- */

/* "<root>/data.pkl", with one slash. */
static bool is_pickle(const char *name)
{
    const char *slash = strchr(name, '/');
    return slash && slash != name && strcmp(slash, PICKLE) == 0;
}

static bool find_root(TorchFile *file, Diags *diags)
{
    for (uint32_t i = 0; i < torch_zip_count(file->zip); i++) {
        const char *name = torch_zip_name(file->zip, i);
        if (!is_pickle(name))
            continue;
        if (file->root) {
            diag_error(diags, in_file(file), "has two pickles, '%s%s' and '%s'",
                       file->root, PICKLE, name);
            return false;
        }
        file->root = arena_string(file->arena, name, strlen(name) - strlen(PICKLE));
    }
    if (file->root)
        return true;
    const char *first = torch_zip_count(file->zip) ? torch_zip_name(file->zip, 0) : "";
    diag_error(diags, in_file(file),
               "is a zip archive, but not one of PyTorch: it has no '.../data.pkl'%s%s%s",
               *first ? ", but '" : "", first, *first ? "'" : "");
    return false;
}

/* The entry "<root>/<name>"; -1 if there is none. */
static int64_t find_entry(const TorchFile *file, const char *name)
{
    return torch_zip_find(file->zip,
                          arena_format(file->arena, "%s/%s", file->root, name));
}

/* Files that do not say are of little-endian machines. */
static bool check_byte_order(const TorchFile *file, Diags *diags)
{
    int64_t entry = find_entry(file, "byteorder");
    if (entry < 0)
        return true;
    size_t len;
    const char *text =
        torch_zip_read(file->zip, (uint32_t)entry, LARGEST_BYTE_ORDER, &len, diags);
    if (!text || (len == strlen("little") && memcmp(text, "little", len) == 0))
        return text;
    diag_error(diags, in_file(file),
               "has numbers in the byte order '%.*s'; only 'little' is read", (int)len,
               text);
    return false;
}

static const PickleValue *read_pickle(TorchFile *file, Diags *diags)
{
    int64_t entry = find_entry(file, PICKLE + 1);
    size_t len;
    const void *bytes =
        torch_zip_read(file->zip, (uint32_t)entry, LARGEST_PICKLE, &len, diags);
    if (!bytes)
        return NULL;
    file->storages =
        (TorchStorages){.zip = file->zip,
                        .path = file->path,
                        .folder = arena_format(file->arena, "%s/data/", file->root),
                        .arena = file->arena,
                        .keys = strings_new()};
    const PickleSource source = {.path = file->path,
                                 .name = PICKLE + 1,
                                 .bytes = bytes,
                                 .len = len,
                                 .is_script = find_entry(file, "constants.pkl") >= 0,
                                 .storages = &file->storages,
                                 .arena = file->arena};
    return pickle_read(&source, diags);
}

/* -- numbers ----------------------------------------------------------------------- */

static bool place_numbers(TorchFile *file, Diags *diags)
{
    file->bytes = ARENA_ARRAY(file->arena, const unsigned char *, file->names.count);
    for (size_t i = 0; i < file->names.count; i++) {
        const TorchNamed *named = &file->names.items[i];
        const TorchView *view = named->view;
        file->bytes[i] = torch_view_first(view);
        if (torch_view_is_dense(view))
            continue;
        size_t bytes = (size_t)(view->elements * view->dtype->bytes);
        unsigned char *copy = torch_zip_memory(file->zip, bytes, named->name, diags);
        if (!copy)
            return false;
        torch_view_copy(view, copy);
        file->bytes[i] = copy;
    }
    return true;
}

/* -- all of it --------------------------------------------------------------------- */

static bool read_all(TorchFile *file, const void *bytes, size_t len, const char *member,
                     Diags *diags)
{
    file->zip = torch_zip_open(file->path, bytes, len, diags);
    if (!file->zip || !find_root(file, diags) || !check_byte_order(file, diags))
        return false;
    const PickleValue *root = read_pickle(file, diags);
    return root &&
           torch_names_collect(root, file->path, member, file->arena, &file->names,
                               diags) &&
           torch_zip_check_apart(file->zip, diags) && place_numbers(file, diags);
}

TorchFile *torch_file_read(const char *path, const void *bytes, size_t len,
                           const char *member, Diags *diags)
{
    Arena *arena = arena_new();
    TorchFile *file = arena_alloc(arena, sizeof *file);
    *file = (TorchFile){.arena = arena, .path = path};
    if (read_all(file, bytes, len, member, diags))
        return file;
    torch_file_free(file);
    return NULL;
}

void torch_file_free(TorchFile *file)
{
    if (!file)
        return;
    torch_zip_free(file->zip);
    strings_free(file->storages.keys);
    arena_free(file->arena);
}

size_t torch_file_count(const TorchFile *file)
{
    return file->names.count;
}

TorchTensor torch_file_at(const TorchFile *file, size_t index)
{
    const TorchNamed *named = &file->names.items[index];
    const TorchView *view = named->view;
    return (TorchTensor){.name = named->name,
                         .type = view->dtype->type,
                         .rank = view->rank,
                         .dims = view->dims,
                         .elements = view->elements,
                         .byte_count = view->elements * view->dtype->bytes,
                         .bytes = file->bytes[index]};
}
