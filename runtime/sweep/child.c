/* Processes, by fork and exec. */
#include "runtime/sweep/child.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ir/base/heap.h"
#include "ir/base/standard.h"

enum { NOT_STARTED = 127 };

/* From the folder of vlrun. */
static const char *const vlc_places[] = {"vlc", "../frontend/vlc"};

char *program_vlrun(Diags *diags)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len > 0) {
        path[len] = '\0';
        return heap_string(path);
    }
    diag_error(diags, (Loc){.file = "/proc/self/exe"}, "cannot be read: %s",
               strerror(errno));
    return NULL;
}

char *program_vlc(const char *vlrun, Diags *diags)
{
    char *copy = heap_string(vlrun), *folder = dirname(copy), *path = NULL;
    for (size_t i = 0; !path && i < sizeof vlc_places / sizeof *vlc_places; i++) {
        path = heap_format("%s/%s", folder, vlc_places[i]);
        if (access(path, X_OK) == 0)
            break;
        free(path);
        path = NULL;
    }
    if (!path)
        diag_error(diags, (Loc){.file = folder}, "vlc is not there, nor in ../frontend");
    free(copy);
    return path;
}

/* In the new process: nothing but system calls. */
static _Noreturn void become(const char *const *words, int log, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    int input = open("/dev/null", O_RDONLY);
    bool ok = prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent &&
              setpgid(0, 0) == 0 && input >= 0 && dup2(input, STDIN_FILENO) >= 0 &&
              dup2(log, STDOUT_FILENO) >= 0 && dup2(log, STDERR_FILENO) >= 0;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (ok)
        execv(words[0], (char *const *)words);
    _exit(NOT_STARTED);
}

pid_t child_start(const char *const *words, const char *log, Diags *diags)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0) {
        diag_error(diags, (Loc){.file = log}, "cannot be written: %s", strerror(errno));
        return -1;
    }
    pid_t parent = getpid(), child = fork();
    if (child == 0)
        become(words, fd, parent);
    if (child < 0)
        diag_error(diags, (Loc){.file = words[0]}, "cannot be started: %s",
                   strerror(errno));
    close(fd);
    return child;
}

bool child_has_ended(pid_t child, int *out_code)
{
    int status;
    pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR))
        return false;
    *out_code = ended < 0           ? NOT_STARTED
                : WIFEXITED(status) ? WEXITSTATUS(status)
                                    : EXIT_SIGNAL + WTERMSIG(status);
    return true;
}
