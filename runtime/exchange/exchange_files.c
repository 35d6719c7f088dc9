/* Opening a directory of another library's: which format it is of, its configuration and
 * its tensors. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/exchange/exchange_parts.h"

enum { LARGEST_CONFIG = 16 << 20 };

static bool has_file(const char *path, const char *name)
{
    char *file = heap_format("%s/%s", path, name);
    struct stat status;
    bool has = stat(file, &status) == 0 && S_ISREG(status.st_mode);
    free(file);
    return has;
}

static bool has_tensors(const char *path, const ExchangeInfo *info)
{
    return has_file(path, info->tensors) || has_file(path, info->older);
}

/* The format whose tensors a directory has, or else the first whose configuration it has;
 * EXCHANGE_fold: none. */
static ExchangeFormat find_format(const char *path)
{
    for (ExchangeFormat format = 0; format < EXCHANGE_fold; format++)
        if (has_tensors(path, exchange_info(format)))
            return format;
    for (ExchangeFormat format = 0; format < EXCHANGE_fold; format++)
        if (has_file(path, exchange_info(format)->config))
            return format;
    return EXCHANGE_fold;
}

bool exchange_is_directory(const char *path)
{
    return find_format(path) != EXCHANGE_fold;
}

static bool check_complete(const char *path, ExchangeFormat format, Diags *diags)
{
    const ExchangeInfo *info = exchange_info(format);
    bool has_all = has_tensors(path, info);
    if (has_all && has_file(path, info->config))
        return true;
    if (has_all) {
        diag_error(diags, (Loc){.file = path},
                   "has tensors of the format %s, and no %s, which says what they are",
                   info->name, info->config);
        return false;
    }
    diag_error(diags, (Loc){.file = path}, "has %s, and no tensors", info->config);
    for (ExchangeFormat other = 0; other < EXCHANGE_fold; other++)
        diag_note(diags, (Loc){0}, "the format %s has them in %s, or else in %s",
                  exchange_info(other)->name, exchange_info(other)->tensors,
                  exchange_info(other)->older);
    return false;
}

static json_t *read_config(const char *path, Diags *diags)
{
    size_t len;
    char *text = file_read(path, LARGEST_CONFIG, &len, diags);
    if (!text)
        return NULL;
    json_error_t fault;
    json_t *config = json_loadb(text, len, JSON_REJECT_DUPLICATES, &fault);
    if (!config)
        diag_error(diags, (Loc){.file = path, .line = (uint32_t)fault.line}, "%s",
                   fault.text);
    free(text);
    if (!config || json_is_object(config))
        return config;
    diag_error(diags, (Loc){.file = path}, "is no object");
    json_decref(config);
    return NULL;
}

static TensorSet *open_set(const ExchangeFiles *files, const char *name, Diags *diags)
{
    char *path = heap_format("%s/%s", files->path, name);
    TensorSet *set = tensor_set_open(path, diags);
    free(path);
    return set;
}

/* Both were written by one export, unless another program has written the adapter. */
static bool check_pair(const ExchangeFiles *files, Diags *diags)
{
    const char *ours = tensor_set_metadata(files->rest, EXCHANGE_HASH);
    const char *theirs = tensor_set_metadata(files->tensors, EXCHANGE_HASH);
    if (ours && (!theirs || strcmp(ours, theirs) == 0))
        return true;
    diag_error(diags, (Loc){.file = tensor_set_path(files->rest)},
               "belongs to another adapter than '%s'", tensor_set_path(files->tensors));
    return false;
}

static bool open_files(ExchangeFiles *files, Diags *diags)
{
    const ExchangeInfo *info = exchange_info(files->format);
    files->config_path = arena_format(files->arena, "%s/%s", files->path, info->config);
    files->config = read_config(files->config_path, diags);
    if (!files->config)
        return false;
    const char *name = has_file(files->path, info->tensors) ? info->tensors : info->older;
    files->tensors = open_set(files, name, diags);
    if (!files->tensors || !has_file(files->path, EXCHANGE_REST))
        return files->tensors != NULL;
    files->rest = open_set(files, EXCHANGE_REST, diags);
    return files->rest && check_pair(files, diags);
}

ExchangeFiles *exchange_open(const char *path, Diags *diags)
{
    Arena *arena = arena_new();
    ExchangeFiles *files = arena_alloc(arena, sizeof *files);
    *files = (ExchangeFiles){.arena = arena,
                             .path = arena_string(arena, path, strlen(path)),
                             .format = find_format(path)};
    if (files->format == EXCHANGE_fold)
        diag_error(diags, (Loc){.file = path}, "has no adapter of a known format");
    else if (check_complete(path, files->format, diags) && open_files(files, diags))
        return files;
    exchange_close(files);
    return NULL;
}

void exchange_close(ExchangeFiles *files)
{
    if (!files)
        return;
    json_decref(files->config);
    tensor_set_close(files->tensors);
    tensor_set_close(files->rest);
    arena_free(files->arena);
}

const char *exchange_path(const ExchangeFiles *files)
{
    return files->path;
}

uint64_t exchange_trained_over(const ExchangeFiles *files)
{
    const char *base =
        files->rest ? tensor_set_metadata(files->rest, WEIGHTS_FINGERPRINT) : NULL;
    return base ? strtoull(base, NULL, 10) : 0;
}

ExchangeFormat exchange_format_of(const ExchangeFiles *files)
{
    return files->format;
}

const TensorSet *exchange_tensors(const ExchangeFiles *files)
{
    return files->tensors;
}

const TensorSet *exchange_rest(const ExchangeFiles *files)
{
    return files->rest;
}

bool exchange_write_config(const ExchangeFiles *files, const char *directory,
                           Diags *diags)
{
    return exchange_config_write(files->config, files->format, directory, diags);
}
