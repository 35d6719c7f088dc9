/* Names in the directory of a run, and the two runs that share it for a while. */
#include "runtime/run/run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"

static const char CHECKPOINT[] = "checkpoint.safetensors", PREVIOUS[] = "previous";
/* All else that belongs to one run. */
static const char *const others[] = {"run.json", "plan.bin", "metrics.jsonl"};

enum { OTHERS = sizeof others / sizeof *others };

/* -- names ------------------------------------------------------------------------- */

char *run_path(const char *directory, const char *name)
{
    return heap_format("%s/%s", directory, name);
}

char *run_record_path(const char *directory)
{
    return run_path(directory, others[0]);
}

char *run_plan_path(const char *directory)
{
    return run_path(directory, others[1]);
}

char *run_metrics_path(const char *directory)
{
    return run_path(directory, others[2]);
}

char *run_checkpoint_path(const char *directory)
{
    return run_path(directory, CHECKPOINT);
}

bool run_is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool has(const char *directory, const char *name)
{
    char *path = run_path(directory, name);
    bool is_there = access(path, F_OK) == 0;
    free(path);
    return is_there;
}

bool run_has_checkpoint(const char *directory)
{
    return has(directory, CHECKPOINT);
}

static bool check_kind(const char *directory, const char *name, mode_t wanted,
                       Diags *diags)
{
    struct stat status;
    char *path = run_path(directory, name);
    bool ok = lstat(path, &status) != 0 || (status.st_mode & S_IFMT) == wanted;
    if (!ok)
        diag_error(diags, (Loc){.file = path}, "is %s: the files of a run are its own",
                   S_ISLNK(status.st_mode)     ? "a link"
                   : S_ISDIR(status.st_mode)   ? "a directory"
                   : wanted == (mode_t)S_IFDIR ? "no directory"
                                               : "no regular file");
    free(path);
    return ok;
}

bool run_check_file(const char *directory, const char *name, Diags *diags)
{
    return check_kind(directory, name, S_IFREG, diags);
}

bool run_check_files(const char *directory, Diags *diags)
{
    bool ok = run_check_file(directory, CHECKPOINT, diags) &&
              check_kind(directory, PREVIOUS, S_IFDIR, diags);
    for (int i = 0; ok && i < OTHERS; i++)
        ok = run_check_file(directory, others[i], diags);
    return ok;
}

/* -- what is left over --------------------------------------------------------------- */

/* As ir/base/files.h names what it writes aside: ".NAME.NUMBER.part". */
static bool is_left_of(const char *file, const char *name)
{
    static const char end[] = ".part";
    enum { NUMBER = 16 };
    size_t len = strlen(name);
    return file[0] == '.' && strncmp(file + 1, name, len) == 0 && file[1 + len] == '.' &&
           strspn(file + len + 2, "0123456789abcdef") == NUMBER &&
           strcmp(file + len + 2 + NUMBER, end) == 0;
}

void run_sweep(const char *directory)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        bool is_left = is_left_of(entry->d_name, CHECKPOINT);
        for (int i = 0; i < OTHERS; i++)
            is_left |= is_left_of(entry->d_name, others[i]);
        if (is_left)
            unlinkat(dirfd(stream), entry->d_name, 0);
    }
    if (stream)
        closedir(stream);
}

/* -- moving ------------------------------------------------------------------------ */

static bool report(const char *path, const char *what, Diags *diags)
{
    diag_error(diags, (Loc){.file = path}, "cannot %s: %s", what, strerror(errno));
    return false;
}

/* A file that is not there is moved, too. */
static bool move(const char *from, const char *to, const char *name, Diags *diags)
{
    char *old = run_path(from, name), *new = run_path(to, name);
    bool is_moved =
        rename(old, new) == 0 || errno == ENOENT || report(old, "move", diags);
    free(old);
    free(new);
    return is_moved;
}

static bool remove_file(const char *directory, const char *name, Diags *diags)
{
    char *path = run_path(directory, name);
    bool is_gone = unlink(path) == 0 || errno == ENOENT || report(path, "remove", diags);
    free(path);
    return is_gone;
}

static bool set_aside(const char *directory, const char *previous, Diags *diags)
{
    if (mkdir(previous, 0777) != 0 && errno != EEXIST)
        return report(previous, "make the directory", diags);
    bool ok = move(directory, previous, CHECKPOINT, diags);
    for (int i = 0; ok && i < OTHERS; i++)
        ok = move(directory, previous, others[i], diags);
    return ok;
}

bool run_set_aside(const char *directory, Diags *diags)
{
    char *previous = run_path(directory, PREVIOUS);
    bool ok = set_aside(directory, previous, diags);
    free(previous);
    return ok;
}

static bool put_back(const char *directory, const char *previous, Diags *diags)
{
    bool ok = true;
    for (int i = 0; ok && i < OTHERS; i++)
        ok =
            has(previous, others[i]) ? move(previous, directory, others[i], diags) : true;
    return ok && move(previous, directory, CHECKPOINT, diags);
}

/* What the new run wrote, where the old one has nothing to put in its place. */
static bool remove_new(const char *directory, const char *previous, Diags *diags)
{
    bool ok = true;
    for (int i = 0; ok && i < OTHERS; i++)
        ok = has(previous, others[i]) || remove_file(directory, others[i], diags);
    return ok;
}

static bool remove_old(const char *previous, Diags *diags)
{
    bool ok = remove_file(previous, CHECKPOINT, diags);
    for (int i = 0; ok && i < OTHERS; i++)
        ok = remove_file(previous, others[i], diags);
    return ok;
}

static bool settle(const char *directory, const char *previous, bool *out_is_back,
                   Diags *diags)
{
    *out_is_back = !has(directory, CHECKPOINT) && has(previous, CHECKPOINT);
    bool ok = *out_is_back ? remove_new(directory, previous, diags) &&
                                 put_back(directory, previous, diags)
                           : remove_old(previous, diags);
    /* Whatever else somebody has put there stays. */
    if (ok && rmdir(previous) != 0 && errno != ENOTEMPTY && errno != EEXIST)
        ok = report(previous, "remove", diags);
    return ok;
}

bool run_settle(const char *directory, bool *out_is_back, Diags *diags)
{
    char *previous = run_path(directory, PREVIOUS);
    *out_is_back = false;
    bool ok =
        !run_is_directory(previous) || settle(directory, previous, out_is_back, diags);
    free(previous);
    return ok;
}
