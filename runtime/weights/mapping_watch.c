/* A table for the signal's handler, which has nothing else to look at: hence the one
 * variable here that changes. A place is taken by its first byte, set last. */
#include "runtime/weights/mapping_watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { MOST_MAPPINGS = 4096, EXIT_INPUT = 1 };

static struct Mapping {
    _Atomic uintptr_t begin; /* 0: free */
    size_t len;
    const char *path;
} mappings[MOST_MAPPINGS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void end_of_file(int number, siginfo_t *info, void *context)
{
    (void)context;
    uintptr_t at = (uintptr_t)info->si_addr;
    for (int i = 0; i < MOST_MAPPINGS; i++) {
        uintptr_t begin = atomic_load(&mappings[i].begin);
        if (!begin || at < begin || at - begin >= mappings[i].len)
            continue;
        say("\n");
        say(mappings[i].path);
        say(": error: the file was cut short, or can no longer be read, while it was in "
            "use\nnote: what was saved before is kept\n");
        _exit(EXIT_INPUT);
    }
    signal(number, SIG_DFL); /* it comes again, and ends the program as ever */
}

void mapping_watch(const void *bytes, size_t len, const char *path)
{
    struct sigaction action = {.sa_sigaction = end_of_file, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    pthread_mutex_lock(&lock);
    sigaction(SIGBUS, &action, NULL);
    int i = 0;
    while (i < MOST_MAPPINGS && atomic_load(&mappings[i].begin))
        i++;
    if (i < MOST_MAPPINGS) {
        mappings[i].len = len;
        mappings[i].path = path;
        atomic_store(&mappings[i].begin, (uintptr_t)bytes);
    }
    pthread_mutex_unlock(&lock);
}

void mapping_forget(const void *bytes)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST_MAPPINGS; i++)
        if (atomic_load(&mappings[i].begin) == (uintptr_t)bytes) {
            atomic_store(&mappings[i].begin, 0);
            break;
        }
    pthread_mutex_unlock(&lock);
}
