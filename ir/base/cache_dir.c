/* The cache directory: its path, and whether it is the user's alone. */
#include "ir/base/cache_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PRIVATE = 0700, OTHERS = 0077, OTHERS_WRITE = 0022, PERMISSIONS = 07777 };

/* What is there already is no fault; what cannot be made shows when it is opened. */
static void make_dirs(const char *path)
{
    char *part = strdup(path);
    for (char *at = part; at && *at; at++) {
        char after = at[1];
        if (after != '/' && after != '\0')
            continue;
        at[1] = '\0';
        (void)mkdir(part, PRIVATE);
        at[1] = after;
    }
    free(part);
}

char *cache_dir_path(void)
{
    const char *base = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
    char *path = NULL;
    int len = -1;
    if (base && base[0] == '/')
        len = asprintf(&path, "%s/vlgraph", base);
    else if (home && home[0] == '/')
        len = asprintf(&path, "%s/.cache/vlgraph", home);
    if (len < 0)
        return NULL;
    make_dirs(path);
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
