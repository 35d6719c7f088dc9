/* The cache directory: its path, whether it is the user's alone, and files in it. */
#include "ir/base/cache_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"

enum { PRIVATE = 0700, OTHERS = 0077, OTHERS_WRITE = 0022, PERMISSIONS = 07777 };

char *cache_dir_path(void)
{
    const char *base = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
    char *path = NULL;
    if (base && base[0] == '/')
        path = heap_format("%s/vlgraph", base);
    else if (home && home[0] == '/')
        path = heap_format("%s/.cache/vlgraph", home);
    if (path) /* what cannot be made shows when it is opened */
        (void)directories_make(path, PRIVATE);
    return path;
}

static bool is_private(int dir, char reason[CACHE_DIR_REASON])
{
    struct stat status;
    if (fstat(dir, &status) != 0) {
        snprintf(reason, CACHE_DIR_REASON, "%s", strerror(errno));
        return false;
    }
    if (status.st_uid != geteuid()) {
        snprintf(reason, CACHE_DIR_REASON, "it belongs to user %lu, not to %lu",
                 (unsigned long)status.st_uid, (unsigned long)geteuid());
        return false;
    }
    if (status.st_mode & OTHERS_WRITE) {
        snprintf(reason, CACHE_DIR_REASON,
                 "others may write in it (mode %04o); remove what you do not know, then "
                 "chmod 700",
                 (unsigned)(status.st_mode & PERMISSIONS));
        return false;
    }
    if (status.st_mode & OTHERS && fchmod(dir, PRIVATE) != 0) {
        snprintf(reason, CACHE_DIR_REASON, "others may read in it (mode %04o): chmod 700",
                 (unsigned)(status.st_mode & PERMISSIONS));
        return false;
    }
    return true;
}

int cache_dir_open(const char *path, char out_reason[CACHE_DIR_REASON])
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) {
        struct stat status;
        bool is_link = lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
        snprintf(out_reason, CACHE_DIR_REASON, "%s",
                 is_link ? "it is a symbolic link" : strerror(errno));
        return -1;
    }
    if (is_private(dir, out_reason))
        return dir;
    close(dir);
    return -1;
}

/* -- files ------------------------------------------------------------------------ */

enum { NAME_BYTES = sizeof CACHE_ASIDE + 16 };

int cache_file_open(int dir, const char *name)
{
    return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* Writes the bytes to a file with an unpredictable name. */
static bool write_aside(int dir, const void *bytes, size_t len, char name[NAME_BYTES],
                        int *out_descriptor)
{
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return false;
    snprintf(name, NAME_BYTES, CACHE_ASIDE "%016" PRIx64, number);
    int descriptor =
        openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return false;
    (void)flock(descriptor, LOCK_EX | LOCK_NB); /* it is not left over: we are at work */
    *out_descriptor = descriptor;
    if (descriptor_write(descriptor, bytes, len))
        return true;
    unlinkat(dir, name, 0);
    close(descriptor);
    return false;
}

bool cache_file_put(int dir, const char *name, const void *bytes, size_t len)
{
    char aside[NAME_BYTES];
    int descriptor;
    if (!write_aside(dir, bytes, len, aside, &descriptor))
        return false;
    bool is_put = renameat(dir, aside, dir, name) == 0;
    if (!is_put)
        unlinkat(dir, aside, 0);
    close(descriptor);
    return is_put;
}

bool cache_file_put_first(int dir, const char *name, const void *bytes, size_t len)
{
    char aside[NAME_BYTES];
    int descriptor;
    if (!write_aside(dir, bytes, len, aside, &descriptor))
        return false;
    bool is_put = fsync(descriptor) == 0 &&
                  (linkat(dir, aside, dir, name, 0) == 0 || errno == EEXIST);
    unlinkat(dir, aside, 0);
    close(descriptor);
    return is_put;
}
