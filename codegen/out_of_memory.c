/* The message, without taking memory for it. */
#include "codegen/out_of_memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_INPUT = 1, TEXT_BYTES = 160, BITS_OF_MIB = 20 };

void out_of_memory_end(void)
{
    char text[TEXT_BYTES] = "error: out of memory\n";
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        snprintf(
            text, sizeof text,
            "error: out of memory: the limit of %llu MiB of address space (ulimit -v) "
            "is too low\n",
            (unsigned long long)limit.rlim_cur >> BITS_OF_MIB);
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
    _exit(EXIT_INPUT);
}
