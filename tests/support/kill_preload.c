/* Kills the program that it is loaded into after it has renamed something to a path that
 * ends in "/VLG_KILL_AFTER" for the VLG_KILL_COUNT-th time: a run that ends between two
 * names of its files, at the same place each time. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic long seen;

static int ends_in(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash ? slash + 1 : path, name) == 0;
}

__attribute__((visibility("default"))) int rename(const char *from, const char *to)
{
    const char *name = getenv("VLG_KILL_AFTER"), *count = getenv("VLG_KILL_COUNT");
    int result = (int)syscall(SYS_rename, from, to);
    if (result == 0 && name && count && ends_in(to, name) &&
        ++seen == strtol(count, NULL, 10))
        kill(getpid(), SIGKILL);
    return result;
}
