/* Standard streams, SIGINT and SIGTERM. */
#include "ir/base/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void end(int number)
{
    _exit(EXIT_SIGNAL + number);
}

void standard_begin(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", O_RDONLY); /* takes the lowest number: this one */
    struct sigaction action = {.sa_handler = end};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file over its limit is an error like a full disk */
}

int standard_end(const char *program, int code)
{
    errno = 0;
    int lost = ferror(stdout); /* errno is another's by now */
    lost |= fflush(stdout);
    const char *reason = errno ? strerror(errno) : "a write failed";
    lost |= fclose(stdout);
    if (lost)
        fprintf(stderr, "%s: standard output cannot be written: %s\n", program, reason);
    return lost && code == 0 ? 1 : code;
}
