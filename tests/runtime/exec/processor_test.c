/* The kernel of OpenBLAS is chosen by what the processor can do; the library starts no
 * threads; memory that it cannot have is an error and not an endless wait. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/exec/blas.h"
#include "tests/check.h"

enum { LANES = 3, SIZE = 300, PATIENCE = 60 };

static int thread_count(void)
{
    DIR *directory = opendir("/proc/self/task");
    int count = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    if (directory)
        closedir(directory);
    return count;
}

static bool has(const char *flag)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return strcmp(flag, "avx512") == 0
               ? __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
               : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return flag == NULL;
#endif
}

/* In a process of its own: a library is loaded once. */
static int in_child(int (*run)(void))
{
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        _exit(run());
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void opens(Check *check, const char *processor, ProcessorInfo *out)
{
    Diags *diags = diags_new(stderr);
    *out = (ProcessorInfo){0};
    CHECK(check, blas_open(processor, out, diags), "OpenBLAS not loaded");
    diags_free(diags);
}

static int chooses_kernel(void)
{
    Check check = {0};
    ProcessorInfo info;
    unsetenv("OPENBLAS_CORETYPE");
    setenv("OPENBLAS_NUM_THREADS", "3", 1);
    int threads = thread_count();
    opens(&check, NULL, &info);
    CHECK(&check, thread_count() == threads, "%d were started", thread_count() - threads);
    CHECK(&check, strncmp(info.blas, "OpenBLAS ", 9) == 0, "'%s'", info.blas);
    if (has("avx512"))
        CHECK(&check, strcmp(info.blas_kernel, "SkylakeX") == 0, "%s", info.blas_kernel);
    else if (has("avx2"))
        CHECK(&check,
              strcmp(info.blas_kernel, "Haswell") == 0 ||
                  strcmp(info.blas_kernel, "Zen") == 0,
              "%s", info.blas_kernel);
    return check_finish(&check);
}

static int takes_the_one_asked_for(void)
{
    Check check = {0};
    ProcessorInfo info;
    unsetenv("OPENBLAS_CORETYPE");
    opens(&check, "x86-64-v2", &info);
    CHECK(&check, strcmp(info.blas_kernel, "Nehalem") == 0, "%s", info.blas_kernel);
    return check_finish(&check);
}

static int takes_the_users(void)
{
    Check check = {0};
    ProcessorInfo info;
    setenv("OPENBLAS_CORETYPE", "Core2", 1);
    opens(&check, NULL, &info);
    CHECK(&check, strcmp(info.blas_kernel, "Core2") == 0, "%s", info.blas_kernel);
    return check_finish(&check);
}

/* -- memory ------------------------------------------------------------------------- */

static float numbers[SIZE * SIZE];
static float results[LANES][SIZE * SIZE];

static void multiply(void *state, uint32_t lane)
{
    (void)state;
    blas_gemm(0, 0, SIZE, SIZE, SIZE, numbers, SIZE, numbers, SIZE, results[lane], SIZE,
              0);
}

/* Leaves `bytes` more of address space than is in use. */
static void limit_space(rlim_t bytes)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%lld", &pages) != 1)
        abort();
    fclose(file);
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
    setrlimit(RLIMIT_AS, &limit);
}

static int refuses_what_does_not_fit(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    ProcessorInfo info;
    opens(&check, NULL, &info);
    Lanes *lanes = lanes_new(LANES, diags);
    limit_space(200 << 20); /* one buffer of three */
    CHECK(&check, !blas_reserve(lanes, diags), "three buffers in 200 MiB");
    CHECK(&check, diags_error_count(diags) == 1, "%u errors", diags_error_count(diags));
    lanes_free(lanes);
    diags_free(diags);
    return check_finish(&check);
}

static int refuses_to_load(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    ProcessorInfo info = {0};
    limit_space(100 << 20);
    CHECK(&check, !blas_open(NULL, &info, diags), "a buffer in 100 MiB");
    diags_free(diags);
    return check_finish(&check);
}

/* What is reserved is all that products take: none of it is left for them later. */
static int multiplies_without_memory(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    ProcessorInfo info;
    opens(&check, NULL, &info);
    Lanes *lanes = lanes_new(LANES, diags);
    CHECK(&check, blas_reserve(lanes, diags), "no memory");
    limit_space(1 << 20);
    for (int i = 0; i < SIZE * SIZE; i++)
        numbers[i] = 1;
    for (int round = 0; round < 20; round++)
        lanes_run(lanes, multiply, NULL);
    for (int lane = 0; lane < LANES; lane++)
        CHECK(&check, results[lane][SIZE] == (float)SIZE, "%g",
              (double)results[lane][SIZE]);
    lanes_free(lanes);
    diags_free(diags);
    return check_finish(&check);
}

/* A sanitizer takes all address space there is. */
#if defined(__SANITIZE_ADDRESS__)
enum { LIMITS_WORK = 0 };
#else
enum { LIMITS_WORK = 1 };
#endif

int main(void)
{
    static const struct {
        const char *name;
        int (*run)(void);
        bool limits;
    } cases[] = {
        {"chooses a kernel", chooses_kernel, false},
        {"takes the one asked for", takes_the_one_asked_for, false},
        {"takes the user's", takes_the_users, false},
        {"refuses what does not fit", refuses_what_does_not_fit, true},
        {"refuses to load", refuses_to_load, true},
        {"multiplies without memory", multiplies_without_memory, true},
    };
    Check check = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].limits && !LIMITS_WORK)
            continue;
        int status = in_child(cases[i].run);
        CHECK(&check, status == 0, "%s: status %d", cases[i].name, status);
    }
    return check_finish(&check);
}
