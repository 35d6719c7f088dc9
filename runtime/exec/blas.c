/* Loading OpenBLAS, and products with it: the only user of cblas.h. */
#include "runtime/exec/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"

static const char KERNEL_VARIABLE[] = "OPENBLAS_CORETYPE",
                  THREADS_VARIABLE[] = "OPENBLAS_NUM_THREADS";

/* The library as it is in this process: set once by blas_open, before there are lanes. */
static struct Library {
    __typeof__(cblas_sgemm) *sgemm;
    __typeof__(openblas_set_num_threads) *set_num_threads;
    __typeof__(openblas_get_config) *config;
    __typeof__(openblas_get_corename) *kernel;
    /* What products take their memory with; not declared in any header, so NULL if the
     * library hides them. */
    void *(*take)(int);
    void (*give_back)(void *);
} library;

const char GEMM_OPENBLAS[] = "openblas";
const char *const gemm_makers[] = {"jit", GEMM_OPENBLAS, NULL};

/* -- room --------------------------------------------------------------------------- */

/* What a product takes on each thread: packed blocks of both operands. */
enum { BUFFER_BYTES = 128 << 20 };

/* Bytes of address space that the limit leaves; INT64_MAX without one. */
static int64_t space_left(void)
{
    struct rlimit limit;
    long long pages = 0;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return INT64_MAX;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%lld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    int64_t left = (int64_t)limit.rlim_cur - pages * sysconf(_SC_PAGESIZE);
    return left > 0 ? left : 0;
}

/* Whether so many buffers could be had now, one by one as the library takes them. */
static bool try_space(uint32_t buffers)
{
    void **spaces = heap_array(buffers + 1, sizeof *spaces);
    uint32_t had = 0;
    while (had < buffers) {
        spaces[had] = mmap(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (spaces[had] == MAP_FAILED)
            break;
        had++;
    }
    for (uint32_t i = 0; i < had; i++)
        munmap(spaces[i], BUFFER_BYTES);
    free(spaces);
    return had == buffers;
}

/* If they could not, says what is missing. */
static bool check_space(uint32_t buffers, Diags *diags)
{
    size_t size = (size_t)buffers * BUFFER_BYTES;
    if (try_space(buffers))
        return true;
    int64_t left = space_left(), missing = (int64_t)size - left;
    diag_error(
        diags, (Loc){0},
        "out of memory: matrix products on %u threads need %zu MiB of address space",
        buffers, size >> 20);
    if (missing > 0 && left != INT64_MAX)
        diag_note(diags, (Loc){0},
                  "the limit (ulimit -v) leaves %" PRId64 " MiB: %" PRId64
                  " MiB are missing; fewer --threads need less",
                  left >> 20, (missing + (1 << 20) - 1) >> 20);
    return false;
}

/* -- loading ------------------------------------------------------------------------ */

/* A pointer to data and one to a function are alike here, which ISO C does not say. */
static bool find(void *handle, const char *name, void *out, size_t size)
{
    void *symbol = dlsym(handle, name);
    memcpy(out, &symbol, size);
    return symbol;
}

#define FIND(handle, name, member)                                                       \
    find(handle, name, &library.member, sizeof library.member)

static bool find_functions(void *handle)
{
    (void)(FIND(handle, "blas_memory_alloc", take) &&
           FIND(handle, "blas_memory_free", give_back));
    return FIND(handle, "openblas_set_num_threads", set_num_threads) &&
           FIND(handle, "openblas_get_config", config) &&
           FIND(handle, "openblas_get_corename", kernel) &&
           FIND(handle, "cblas_sgemm", sgemm);
}

static bool load(Diags *diags)
{
    static const char *const names[] = {VLG_OPENBLAS, "libopenblas.so.0"};
    void *handle = NULL;
    /* It takes a first buffer as it is loaded. */
    if (!check_space(1, diags))
        return false;
    for (size_t i = 0; !handle && i < sizeof names / sizeof *names; i++)
        handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        diag_error(diags, (Loc){0}, "cannot load OpenBLAS: %s", dlerror());
    else if (!find_functions(handle))
        diag_error(diags, (Loc){0}, "no OpenBLAS that can be used: %s", dlerror());
    return library.sgemm;
}

/* "OpenBLAS 0.3.21 NO_LAPACKE ..": the first two words. */
static void describe(ProcessorInfo *out)
{
    const char *config = library.config(), *end = strchr(config, ' ');
    end = end ? strchr(end + 1, ' ') : NULL;
    size_t len = end ? (size_t)(end - config) : strlen(config);
    snprintf(out->blas, sizeof out->blas, "%.*s", (int)len, config);
    snprintf(out->blas_kernel, sizeof out->blas_kernel, "%s", library.kernel());
}

bool blas_open(const char *processor, ProcessorInfo *out_info, Diags *diags)
{
    const char *users = getenv(KERNEL_VARIABLE), *wanted = users && *users ? users : NULL;
    if (!wanted && (wanted = processor_blas_kernel(processor)))
        setenv(KERNEL_VARIABLE, wanted, 1);
    if (!library.sgemm) {
        setenv(THREADS_VARIABLE, "1", 1); /* or it starts some for products of its own */
        if (!load(diags))
            return false;
        library.set_num_threads(1);
    }
    describe(out_info);
    if (wanted && strcasecmp(wanted, out_info->blas_kernel) != 0)
        diag_warning(diags, (Loc){0}, "OpenBLAS was asked for kernel %s and took %s",
                     wanted, out_info->blas_kernel);
    return true;
}

/* -- memory ------------------------------------------------------------------------- */

enum { WARM_SIZE = 256 };

/* For a library that hides how it takes memory. */
static void warm_up(void *numbers, uint32_t lane)
{
    const float *operand = numbers;
    float *result = (float *)numbers + (size_t)(lane + 1) * WARM_SIZE * WARM_SIZE;
    blas_gemm(0, 0, WARM_SIZE, WARM_SIZE, WARM_SIZE, operand, WARM_SIZE, operand,
              WARM_SIZE, result, WARM_SIZE, 0);
}

static void multiply_on_all(Lanes *lanes)
{
    size_t count = (size_t)(lanes_count(lanes) + 1) * WARM_SIZE * WARM_SIZE;
    float *numbers = heap_array(count, sizeof *numbers);
    lanes_run(lanes, warm_up, numbers);
    free(numbers);
}

bool blas_reserve(Lanes *lanes, Diags *diags)
{
    uint32_t count = lanes_count(lanes);
    if (!check_space(count, diags))
        return false;
    if (!library.take || !library.give_back) {
        multiply_on_all(lanes);
        return true;
    }
    void **buffers = heap_array(count, sizeof *buffers);
    uint32_t had = 0;
    while (had < count && (buffers[had] = library.take(0)))
        had++;
    for (uint32_t i = 0; i < had; i++)
        library.give_back(buffers[i]);
    free(buffers);
    if (had < count)
        diag_error(diags, (Loc){0},
                   "OpenBLAS has room for products on %u threads, and %u are asked for",
                   had, count);
    return had == count;
}

/* -- products ----------------------------------------------------------------------- */

void blas_gemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
               const float *a, int64_t lda, const float *b, int64_t ldb, float *c,
               int64_t ldc, int accumulate)
{
    if (m == 0 || n == 0)
        return;
    if (k == 0) { /* an empty sum; leading dimensions of empty operands mean nothing */
        for (int64_t i = 0; i < m && !accumulate; i++)
            memset(c + i * ldc, 0, (size_t)n * sizeof *c);
        return;
    }
    library.sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                  transpose_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n,
                  (blasint)k, 1.0F, a, (blasint)lda, b, (blasint)ldb,
                  accumulate ? 1.0F : 0.0F, c, (blasint)ldc);
}
