/* LLVM and C++ end the program with a message and exit code 1 where there is no memory
 * for them. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <llvm-c/Core.h>

#include "codegen/out_of_memory.h"
#include "tests/check.h"

enum { PATIENCE = 60, ROOM = 4 << 20, TEXT = 512, EXIT_SKIP = 77 };

/* Leaves a little address space, and takes it all. */
static void use_up(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%lld", &pages) != 1)
        _exit(EXIT_SKIP);
    fclose(file);
    const rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ROOM;
    const struct rlimit limit = {bytes, bytes};
    setrlimit(RLIMIT_AS, &limit);
    LLVMContextRef context = LLVMContextCreate();
    for (unsigned i = 1;; i++) {
        char name[32];
        snprintf(name, sizeof name, "type%u", i);
        LLVMStructCreateNamed(context, name);
    }
}

int main(void)
{
    Check check = {0};
    int ends[2];
    if (pipe(ends) != 0)
        return 1;
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        dup2(ends[1], STDERR_FILENO);
        out_of_memory_install();
        use_up();
        _exit(0);
    }
    close(ends[1]);
    char text[TEXT] = "";
    ssize_t len = read(ends[0], text, sizeof text - 1);
    int status;
    waitpid(child, &status, 0);
    CHECK(&check, WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %x", status);
    CHECK(&check, len > 0 && strstr(text, "out of memory: the limit of"), "'%s'", text);
    return check_finish(&check);
}
