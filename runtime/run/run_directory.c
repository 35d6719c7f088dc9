/* Names in the directory of a run, and the two runs that share it for a while. */
#include "runtime/run/run_directory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "ir/base/strings.h"

static const char CHECKPOINT[] = "checkpoint.safetensors", PREVIOUS[] = "previous",
                  MOVING[] = "previous.part";
/* All else that belongs to one run, and checkpoints that are kept. */
static const char *const others[] = {"run.json",
                                     "plan.bin",
                                     "metrics.jsonl",
                                     "best.safetensors",
                                     "events.out.tfevents.vlgraph",
                                     "encoder.bin"};

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

char *run_encoder_path(const char *directory)
{
    return run_path(directory, others[5]);
}

char *run_checkpoint_path(const char *directory)
{
    return run_path(directory, CHECKPOINT);
}

char *run_events_path(const char *directory)
{
    return run_path(directory, others[4]);
}

char *run_best_path(const char *directory)
{
    return run_path(directory, others[3]);
}

/* The step of "checkpoint-STEP.safetensors"; -1 of any other name. */
static int64_t kept_step(const char *name)
{
    static const char start[] = "checkpoint-", end[] = ".safetensors";
    enum { DIGITS = 18 };
    size_t len = sizeof start - 1;
    if (strncmp(name, start, len) != 0)
        return -1;
    size_t digits = strspn(name + len, "0123456789");
    bool is_kept =
        digits > 0 && digits <= DIGITS && strcmp(name + len + digits, end) == 0;
    return is_kept ? (int64_t)strtoll(name + len, NULL, 10) : -1;
}

static bool is_other(const char *name)
{
    for (int i = 0; i < OTHERS; i++)
        if (strcmp(others[i], name) == 0)
            return true;
    return kept_step(name) >= 0;
}

bool run_is_checkpoint(const char *name)
{
    return strcmp(name, CHECKPOINT) == 0 || strcmp(name, others[3]) == 0 ||
           kept_step(name) >= 0;
}

/* What of these is in a directory: to be freed. */
static Strings *list_others(const char *directory)
{
    Strings *names = strings_new();
    DIR *stream = opendir(directory);
    struct dirent *entry;
    while (stream && (entry = readdir(stream)))
        if (is_other(entry->d_name))
            strings_add(names, entry->d_name, strlen(entry->d_name));
    if (stream)
        closedir(stream);
    return names;
}

typedef bool NameWork(const char *from, const char *to, const char *name, Diags *diags);

/* Does something with each of them in `directory`, until it fails. */
static bool with_others(const char *directory, const char *to, NameWork *work,
                        Diags *diags)
{
    Strings *names = list_others(directory);
    bool ok = true;
    for (uint32_t i = 0; ok && i < strings_count(names); i++)
        ok = work(directory, to, strings_text(names, i), diags);
    strings_free(names);
    return ok;
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

static bool check_other(const char *directory, const char *to, const char *name,
                        Diags *diags)
{
    (void)to;
    return run_check_file(directory, name, diags);
}

static bool is_a_run(const char *directory)
{
    return has(directory, others[0]);
}

bool run_check_output(const char *path, Diags *diags)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *directory =
        slash ? heap_format("%.*s/", (int)(slash - path), path) : heap_string(".");
    bool is_run = run_is_directory(path) && is_a_run(path);
    bool is_file = (strcmp(name, CHECKPOINT) == 0 || is_other(name)) &&
                   access(path, F_OK) == 0 && is_a_run(directory);
    free(directory);
    if (is_run)
        diag_error(diags, (Loc){.file = path},
                   "is a run; what is written needs another "
                   "directory");
    else if (is_file)
        diag_error(diags, (Loc){.file = path},
                   "is a file of a run, which it would replace: choose another name");
    return !is_run && !is_file;
}

bool run_check_files(const char *directory, Diags *diags)
{
    return run_check_file(directory, CHECKPOINT, diags) &&
           check_kind(directory, PREVIOUS, S_IFDIR, diags) &&
           check_kind(directory, MOVING, S_IFDIR, diags) &&
           with_others(directory, NULL, check_other, diags);
}

/* -- what is left over --------------------------------------------------------------- */

/* As ir/base/files.h names what it writes aside: ".NAME.NUMBER.part". */
static bool is_left(const char *file)
{
    static const char end[] = ".part";
    enum { NUMBER = 16, END = 1 + NUMBER + sizeof end - 1 };
    size_t len = strlen(file);
    if (file[0] != '.' || len <= 1 + END)
        return false;
    const char *number = file + len - END;
    if (number[0] != '.' || strspn(number + 1, "0123456789abcdef") != NUMBER ||
        strcmp(number + 1 + NUMBER, end) != 0)
        return false;
    char *name = heap_format("%.*s", (int)(number - file - 1), file + 1);
    bool is_ours = strcmp(name, CHECKPOINT) == 0 || is_other(name);
    free(name);
    return is_ours;
}

void run_sweep(const char *directory)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    while (stream && (entry = readdir(stream)))
        if (is_left(entry->d_name))
            unlinkat(dirfd(stream), entry->d_name, 0);
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

static bool move_all(const char *from, const char *to, Diags *diags)
{
    return move(from, to, CHECKPOINT, diags) && with_others(from, to, move, diags);
}

static bool rename_directory(const char *from, const char *to, Diags *diags)
{
    return rename(from, to) == 0 || report(from, "rename", diags);
}

/* Another directory than the run's own may have files of others in it, which stay. */
static bool remove_directory(const char *path, Diags *diags)
{
    return rmdir(path) == 0 || errno == ENOTEMPTY || errno == EEXIST ||
           report(path, "remove", diags);
}

static bool set_aside(const char *directory, const char *previous, const char *moving,
                      Diags *diags)
{
    if (rename(previous, moving) != 0 && mkdir(moving, 0777) != 0)
        return report(moving, "make the directory", diags);
    return move_all(directory, moving, diags) &&
           rename_directory(moving, previous, diags);
}

bool run_set_aside(const char *directory, Diags *diags)
{
    char *previous = run_path(directory, PREVIOUS), *moving = run_path(directory, MOVING);
    bool ok = set_aside(directory, previous, moving, diags);
    free(moving);
    free(previous);
    return ok;
}

static bool remove_other(const char *directory, const char *to, const char *name,
                         Diags *diags)
{
    (void)to;
    return remove_file(directory, name, diags);
}

static bool remove_run(const char *directory, Diags *diags)
{
    return remove_file(directory, CHECKPOINT, diags) &&
           with_others(directory, NULL, remove_other, diags);
}

/* What is on its way belongs here, whichever way that was. */
static bool put_back(const char *directory, const char *previous, const char *moving,
                     bool *out_is_back, Diags *diags)
{
    if (!run_is_directory(moving))
        return true;
    *out_is_back = true;
    return with_others(moving, directory, move, diags) &&
           move(moving, directory, CHECKPOINT, diags) &&
           remove_directory(moving, diags) &&
           (!run_is_directory(moving) || rename_directory(moving, previous, diags));
}

static bool settle(const char *directory, const char *previous, const char *moving,
                   bool *out_is_back, Diags *diags)
{
    bool is_replaced = has(directory, CHECKPOINT) || !has(previous, CHECKPOINT);
    if (!run_is_directory(moving) && !is_replaced &&
        !(remove_run(directory, diags) && rename_directory(previous, moving, diags)))
        return false;
    if (!put_back(directory, previous, moving, out_is_back, diags))
        return false;
    return !run_is_directory(previous) ||
           (remove_run(previous, diags) && remove_directory(previous, diags));
}

bool run_settle(const char *directory, bool *out_is_back, Diags *diags)
{
    char *previous = run_path(directory, PREVIOUS), *moving = run_path(directory, MOVING);
    *out_is_back = false;
    bool ok = settle(directory, previous, moving, out_is_back, diags);
    free(moving);
    free(previous);
    return ok;
}

/* -- checkpoints that stay ----------------------------------------------------------- */

bool run_keep_best(const char *directory, Diags *diags)
{
    char *last = run_checkpoint_path(directory), *best = run_best_path(directory);
    bool ok = file_link(last, best, diags);
    free(best);
    free(last);
    return ok;
}

static int compare_steps(const void *a, const void *b)
{
    int64_t x = kept_step(*(const char *const *)a),
            y = kept_step(*(const char *const *)b);
    return (x < y) - (x > y);
}

/* All but the `count` with most steps. */
static bool prune(const char *directory, int64_t count, Diags *diags)
{
    Strings *names = list_others(directory);
    const char **kept = HEAP_ARRAY(const char *, strings_count(names) + 1);
    uint32_t found = 0;
    for (uint32_t i = 0; i < strings_count(names); i++)
        if (kept_step(strings_text(names, i)) >= 0)
            kept[found++] = strings_text(names, i);
    qsort(kept, found, sizeof *kept, compare_steps);
    bool ok = true;
    for (uint32_t i = 0; ok && i < found; i++)
        ok = i < count || remove_file(directory, kept[i], diags);
    free(kept);
    strings_free(names);
    return ok;
}

bool run_keep(const char *directory, int64_t step, int64_t count, Diags *diags)
{
    char *last = run_checkpoint_path(directory);
    char *kept = heap_format("%s/checkpoint-%" PRId64 ".safetensors", directory, step);
    bool ok = file_link(last, kept, diags) && prune(directory, count, diags);
    free(kept);
    free(last);
    return ok;
}
