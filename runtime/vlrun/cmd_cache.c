/* vlrun cache */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "codegen/cache_room.h"
#include "ir/base/cache_dir.h"
#include "ir/base/command_line.h"
#include "runtime/vlrun/commands.h"

typedef struct CacheArguments {
    const char *limit;
    bool clear;
} CacheArguments;

#define AT(field) offsetof(CacheArguments, field)
static const Option option_rows[] = {
    OPTION(flag, "--clear", AT(clear), NULL, "remove all kernels"),
    OPTION(text, "--limit", AT(limit), "SIZE",
           "keep no more, from now on: bytes, or as in 512M"),
};
#undef AT

/* `limit` is in bytes, if there is to be one. */
static bool change(const CacheArguments *command, int64_t limit, const char *path,
                   int dir, Diags *diags)
{
    const Loc at = {.file = path};
    if (command->limit && !cache_set_limit(dir, limit)) {
        diag_error(diags, at, "the limit cannot be written");
        return false;
    }
    if (command->limit)
        cache_trim(dir);
    if (!command->clear || cache_clear(dir))
        return true;
    diag_error(diags, at, "not all kernels could be removed");
    return false;
}

static void show(const char *path, const CacheUse *use)
{
    const double mebibyte = 1024 * 1024;
    printf("path     %s\n", path);
    printf("limit    %.1f MiB\n", (double)use->limit / mebibyte);
    printf("size     %.1f MiB\n", (double)use->bytes / mebibyte);
    printf("kernels  %" PRId64 "\n", use->objects);
    printf("hits     %" PRId64 "\n", use->hits);
    printf("misses   %" PRId64 "\n", use->misses);
}

static bool work(const CacheArguments *command, int64_t limit, const char *path,
                 Diags *diags)
{
    char reason[CACHE_DIR_REASON];
    if (!path) {
        diag_error(diags, (Loc){0},
                   "there is no cache: neither XDG_CACHE_HOME nor HOME is an absolute "
                   "path");
        return false;
    }
    int dir = cache_dir_open(path, reason);
    if (dir < 0) {
        diag_error(diags, (Loc){.file = path}, "is not used as cache: %s", reason);
        return false;
    }
    bool ok = change(command, limit, path, dir, diags);
    CacheUse use = cache_use(dir);
    if (ok)
        show(path, &use);
    close(dir);
    return ok;
}

static int cmd_cache(const void *arguments)
{
    const CacheArguments *command = arguments;
    int64_t limit = 0;
    if (command->limit && !cache_size_parse(command->limit, &limit)) {
        fprintf(stderr,
                "vlrun cache: --limit takes a size such as 512M or 2G, not '%s'\n",
                command->limit);
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    char *path = cache_dir_path();
    int code = work(command, limit, path, diags) ? EXIT_CODE_done : EXIT_CODE_input;
    free(path);
    diags_free(diags);
    return code;
}

const Command command_cache = {
    .name = "cache",
    .operands = "",
    .help = "show, limit or clear the cache of compiled kernels",
    .details = "Shows where compiled kernels are kept, and their size "
               "(docs/cache.md).",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(CacheArguments),
    .run = cmd_cache};
