/* vlrun cache */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "codegen/cache_room.h"
#include "ir/base/cache_dir.h"
#include "ir/base/command_line.h"
#include "runtime/vlrun/commands.h"

typedef struct CacheCommand {
    const char *limit;
    int64_t bytes; /* of the limit */
    bool clear;
} CacheCommand;

static bool parse(CacheCommand *command, int argc, char **argv, int *out_code)
{
    *command = (CacheCommand){0};
    const Option options[] = {
        {"--clear", OPTION_flag, &command->clear, NULL, "remove all kernels"},
        {"--limit", OPTION_text, &command->limit, "SIZE",
         "keep no more, from now on: bytes, or as in 512M"},
    };
    const Usage usage = {.command = "cache",
                         .operands = "",
                         .help = "Shows where compiled kernels are kept, and their size "
                                 "(docs/cache.md).",
                         .options = options,
                         .option_count = sizeof options / sizeof *options};
    if (!options_parse(&usage, argc, argv, NULL, out_code))
        return false;
    *out_code = EXIT_CODE_usage;
    if (!command->limit || cache_size_parse(command->limit, &command->bytes))
        return true;
    fprintf(stderr, "vlrun cache: --limit takes a size such as 512M or 2G, not '%s'\n",
            command->limit);
    return false;
}

static bool change(const CacheCommand *command, const char *path, int dir, Diags *diags)
{
    const Loc at = {.file = path};
    if (command->limit && !cache_set_limit(dir, command->bytes)) {
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

static bool work(const CacheCommand *command, const char *path, Diags *diags)
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
    bool ok = change(command, path, dir, diags);
    CacheUse use = cache_use(dir);
    if (ok)
        show(path, &use);
    close(dir);
    return ok;
}

int cmd_cache(int argc, char **argv)
{
    CacheCommand command;
    int code;
    if (!parse(&command, argc, argv, &code))
        return code;
    Diags *diags = diags_new(stderr);
    char *path = cache_dir_path();
    code = work(&command, path, diags) ? EXIT_CODE_done : EXIT_CODE_input;
    free(path);
    diags_free(diags);
    return code;
}
