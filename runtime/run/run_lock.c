/* One run at a time in a directory: a lock on a file in it, which the operating system
 * takes back however its holder ends. It belongs to the open file, not to the process, so
 * that closing another descriptor of it does not release it. The file is removed only
 * with a directory in which nothing was written; a run that has locked a file that is no
 * longer the one in the directory tries again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/clock.h"
#include "ir/base/heap.h"
#include "runtime/run/run_directory.h"

enum { HOLDER_TEXT = 512, MOST_TRIES = 100 };

static const char LOCK[] = "lock";

struct RunLock {
    int fd;
    char *directory; /* if it was made for this run; else NULL */
};

static bool lock_file(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

/* Who we are, for those who find it locked. */
static void sign(int fd)
{
    char host[128] = "", since[32] = "", text[HOLDER_TEXT];
    time_t now = clock_date();
    struct tm parts;
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    if (gmtime_r(&now, &parts))
        strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S UTC", &parts);
    int len = snprintf(text, sizeof text, "process %ld on %s, since %s\n", (long)getpid(),
                       host, since);
    /* If this cannot be written, the next run's message says less. */
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return;
}

static void report_holder(const char *directory, int fd, Diags *diags)
{
    char text[HOLDER_TEXT];
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    diag_error(diags, (Loc){.file = directory}, "another run is at work here: %s",
               *text ? text : "it does not say which");
    diag_note(diags, (Loc){0}, "wait for its end, or choose another --out");
}

static bool is_still(const char *path, int fd)
{
    struct stat there, ours;
    return lstat(path, &there) == 0 && fstat(fd, &ours) == 0 &&
           there.st_ino == ours.st_ino && there.st_dev == ours.st_dev;
}

/* False if the directory must not be used. A file system without locks is used as it
 * is. */
static bool take(const char *directory, int fd, bool is_locked, Diags *diags)
{
    if (is_locked) {
        sign(fd);
        return true;
    }
    if (errno == EAGAIN || errno == EACCES) {
        report_holder(directory, fd, diags);
        return false;
    }
    diag_warning(diags, (Loc){.file = directory},
                 "cannot be locked (%s): see to it that no other run uses it",
                 strerror(errno));
    return true;
}

/* -1 and errno if the file cannot be opened. */
static int open_locked(const char *path, bool *out_is_locked)
{
    for (int i = 0; i < MOST_TRIES; i++) {
        int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
        *out_is_locked = fd >= 0 && lock_file(fd);
        if (!*out_is_locked || is_still(path, fd))
            return fd;
        close(fd);
    }
    errno = EBUSY;
    return -1;
}

RunLock *run_lock_take(const char *directory, bool is_new, Diags *diags)
{
    bool is_locked;
    if (!run_check_file(directory, LOCK, diags))
        return NULL;
    char *path = run_path(directory, LOCK);
    int fd = open_locked(path, &is_locked);
    if (fd < 0)
        diag_error(diags, (Loc){.file = path}, "cannot open: %s", strerror(errno));
    free(path);
    if (fd < 0)
        return NULL;
    if (!take(directory, fd, is_locked, diags)) {
        close(fd);
        return NULL;
    }
    RunLock *lock = heap_alloc(sizeof *lock);
    *lock = (RunLock){fd, is_new ? heap_string(directory) : NULL};
    return lock;
}

static bool has_only_lock(const char *directory)
{
    DIR *stream = opendir(directory);
    struct dirent *entry;
    bool is_alone = stream;
    while (is_alone && (entry = readdir(stream)))
        is_alone = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                   strcmp(entry->d_name, LOCK) == 0;
    if (stream)
        closedir(stream);
    return is_alone;
}

void run_lock_free(RunLock *lock)
{
    if (!lock)
        return;
    if (lock->directory && has_only_lock(lock->directory)) {
        char *path = run_path(lock->directory, LOCK);
        if (unlink(path) == 0)
            rmdir(lock->directory);
        free(path);
    }
    close(lock->fd);
    free(lock->directory);
    free(lock);
}

bool run_is_at_work(const char *directory)
{
    char *path = run_path(directory, LOCK);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    free(path);
    if (fd < 0)
        return false;
    struct flock other = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    bool is_held = fcntl(fd, F_OFD_GETLK, &other) == 0 && other.l_type == F_WRLCK;
    close(fd);
    return is_held;
}
