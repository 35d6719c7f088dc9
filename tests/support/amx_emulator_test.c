/* The handler: what AMX would refuse ends the program with the reason, what is not AMX
 * goes to who was there before, each thread has its tiles, and registers of vectors
 * survive. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/support/amx_emulator.h"
#include "tests/support/amx_machine.h"

enum { HANDLED = 42, SKIPPED = 77 };

/* -- refusals ------------------------------------------------------------------------ */

static void refuses_configurations(Check *check)
{
    static const struct {
        uint8_t at, value;
        const char *reason;
    } cases[] = {
        {0, 2, "palette"},   {1, 1, "start_row"},      {2, 1, "reserved"},
        {15, 1, "reserved"}, {32, 1, "reserved"},      {47, 1, "reserved"},
        {56, 1, "reserved"}, {48, 17, "16 rows"},      {16, 68, "64 bytes"},
        {17, 1, "64 bytes"}, {50, 3, "without bytes"}, {20, 4, "without rows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const AmxShape shapes[AMX_TILES] = {{16, 64}, {16, 64}};
        AmxTiles tiles = {.configured = true, .rows = {5}, .row_bytes = {8}};
        uint8_t config[64];
        amx_write_config(config, shapes);
        config[cases[i].at] = cases[i].value;
        AmxInstruction at = {.op = AMX_ldtilecfg, .address = (uint64_t)(uintptr_t)config};
        const char *reason = amx_execute(&tiles, &at);
        CHECK(check, reason && strstr(reason, cases[i].reason), "byte %u: %s",
              cases[i].at, reason);
        CHECK(check, tiles.rows[0] == 5, "byte %u changed the tiles", cases[i].at);
    }
}

static void refuses_without_configuration(Check *check)
{
    static const AmxOp ops[] = {AMX_tilezero,   AMX_tileloadd, AMX_tileloaddt1,
                                AMX_tilestored, AMX_tdpbf16ps, AMX_tdpbssd,
                                AMX_tdpbusd};
    AmxTiles none = {.configured = false};
    AmxTiles one = {.configured = true, .rows = {1}, .row_bytes = {4}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        AmxInstruction at = {.op = ops[i], .tile = 3, .left = 4, .right = 5};
        const char *reason = amx_execute(&none, &at);
        CHECK(check, reason && strstr(reason, "not configured"), "%s: %s",
              amx_op_name(ops[i]), reason);
        reason = amx_execute(&one, &at);
        CHECK(check, reason && strstr(reason, "no such tile"), "%s: %s",
              amx_op_name(ops[i]), reason);
    }
}

static void refuses_shapes(Check *check)
{
    static const struct {
        AmxShape sum, left, right;
        uint32_t tile_of_left, tile_of_right;
        const char *reason; /* NULL: all is well */
    } cases[] = {
        {{3, 8}, {3, 12}, {3, 8}, 1, 2, NULL},
        {{4, 8}, {3, 12}, {3, 8}, 1, 2, "in rows"},
        {{3, 12}, {3, 12}, {3, 8}, 1, 2, "in bytes"},
        {{3, 8}, {3, 12}, {4, 8}, 1, 2, "columns"},
        {{3, 6}, {3, 12}, {3, 6}, 1, 2, "multiple of 4"},
        {{3, 8}, {3, 14}, {3, 8}, 1, 2, "multiple of 4"},
        {{3, 12}, {3, 12}, {3, 12}, 0, 2, "two operands"},
        {{3, 12}, {3, 12}, {3, 12}, 1, 0, "two operands"},
        {{3, 12}, {3, 12}, {3, 12}, 1, 1, "two operands"},
    };
    static const AmxOp ops[] = {AMX_tdpbf16ps, AMX_tdpbssd, AMX_tdpbusd};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const AmxShape shapes[AMX_TILES] = {cases[i].sum, cases[i].left, cases[i].right};
        AmxMachine machine = {.is_called = true};
        amx_configure(&machine, shapes);
        for (size_t op = 0; op < sizeof ops / sizeof *ops; op++) {
            AmxInstruction at = {.op = ops[op],
                                 .left = cases[i].tile_of_left,
                                 .right = cases[i].tile_of_right};
            const char *reason = amx_execute(&machine.tiles, &at);
            CHECK(check,
                  cases[i].reason ? reason && strstr(reason, cases[i].reason) : !reason,
                  "case %zu of %s: %s", i, amx_op_name(ops[op]), reason);
        }
    }
}

/* -- the handler, in processes of its own -------------------------------------------- */

/* What a child writes to stderr lands in `out`; its status. */
static int in_child(void (*run)(void), char *out, size_t size)
{
    int ends[2];
    if (pipe(ends) != 0)
        abort();
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        run();
        _exit(0);
    }
    close(ends[1]);
    ssize_t length = read(ends[0], out, size - 1);
    out[length > 0 ? length : 0] = '\0';
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    return status;
}

static void load_without_configuration(void)
{
    AmxMachine machine = {.is_called = false};
    amx_emulator_install();
    amx_step_at(&machine, amx_code_load, 6, NULL, 0);
}

static void run_undefined(void)
{
    static const uint64_t registers[GENERAL_REGISTERS];
    amx_emulator_install();
    amx_call(amx_code_undefined, registers);
}

static void end_handled(int number)
{
    _exit(number == SIGILL ? HANDLED : 1);
}

static void end_informed(int number, siginfo_t *info, void *context)
{
    const ucontext_t *at = context;
    bool is_right = number == SIGILL && info->si_addr == (void *)amx_code_undefined &&
                    at->uc_mcontext.gregs[REG_RIP] == (greg_t)amx_code_undefined;
    _exit(is_right ? HANDLED : 1);
}

static void run_undefined_handled(void)
{
    signal(SIGILL, end_handled);
    run_undefined();
}

static void run_undefined_informed(void)
{
    struct sigaction action = {.sa_sigaction = end_informed, .sa_flags = SA_SIGINFO};
    sigaction(SIGILL, &action, NULL);
    amx_emulator_install(); /* and again in what follows */
    run_undefined();
}

static void run_undefined_ignored(void)
{
    signal(SIGILL, SIG_IGN);
    run_undefined();
}

static void ends_children(Check *check)
{
    char text[256];
    int status = in_child(load_without_configuration, text, sizeof text);
    CHECK(check, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %#x",
          (unsigned)status);
    CHECK(check,
          strstr(text, "tileloadd at 0x") &&
              strstr(text, "tile 6: tiles are not configured"),
          "'%s'", text);
    status = in_child(run_undefined, text, sizeof text);
    CHECK(check, WIFSIGNALED(status) && WTERMSIG(status) == SIGILL, "status %#x",
          (unsigned)status);
    status = in_child(run_undefined_ignored, text, sizeof text);
    CHECK(check, WIFSIGNALED(status) && WTERMSIG(status) == SIGILL, "status %#x",
          (unsigned)status);
    status = in_child(run_undefined_handled, text, sizeof text);
    CHECK(check, WIFEXITED(status) && WEXITSTATUS(status) == HANDLED, "status %#x",
          (unsigned)status);
    status = in_child(run_undefined_informed, text, sizeof text);
    CHECK(check, WIFEXITED(status) && WEXITSTATUS(status) == HANDLED, "status %#x",
          (unsigned)status);
}

/* -- threads ------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 300, BYTES = AMX_ROWS * AMX_ROW_BYTES };

typedef struct Worker {
    pthread_t thread;
    pthread_barrier_t *barrier;
    uint8_t mark;
    int wrong;
} Worker;

/* Of its own shape and numbers, all threads at once. */
static void *use_tiles(void *state)
{
    Worker *worker = state;
    AmxMachine machine = {.is_called = false};
    AmxShape shape = {4U + worker->mark, 64};
    const AmxShape shapes[AMX_TILES] = {shape};
    uint8_t from[BYTES], to[BYTES];
    memset(from, worker->mark, BYTES);
    amx_configure(&machine, shapes);
    amx_step_at(&machine, amx_code_load, 0, from, AMX_ROW_BYTES);
    pthread_barrier_wait(worker->barrier);
    for (int round = 0; round < ROUNDS; round++) {
        memset(to, 0, BYTES);
        amx_step_at(&machine, amx_code_store, 0, to, AMX_ROW_BYTES);
        worker->wrong += memcmp(to, from, shape.rows * AMX_ROW_BYTES) != 0 ||
                         to[shape.rows * AMX_ROW_BYTES] != 0;
    }
    return NULL;
}

static void gives_threads_their_own(Check *check)
{
    Worker workers[THREADS];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (uint8_t i = 0; i < THREADS; i++) {
        workers[i] = (Worker){.barrier = &barrier, .mark = (uint8_t)(i + 1)};
        if (pthread_create(&workers[i].thread, NULL, use_tiles, &workers[i]) != 0)
            abort();
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        CHECK(check, workers[i].wrong == 0, "thread %u: %d rounds", i, workers[i].wrong);
    }
    pthread_barrier_destroy(&barrier);
}

/* -- registers ----------------------------------------------------------------------- */

/* Products set MXCSR while they run and use vectors of their own. */
static void leaves_vectors_alone(Check *check, bool is_called)
{
    static const AmxShape shapes[AMX_TILES] = {[2] = {1, 4}, [5] = {1, 4}, [7] = {1, 4}};
    AmxMachine machine = {.is_called = is_called};
    unsigned wanted = 0xffc0, found, kept; /* rounding towards zero, FTZ, DAZ */
    amx_configure(&machine, shapes);
    __asm__ volatile("stmxcsr %[kept]\n"
                     "ldmxcsr %[wanted]\n"
                     : [kept] "=m"(kept)
                     : [wanted] "m"(wanted)
                     : "memory");
    amx_step_at(&machine, amx_code_bf16, 0, NULL, 0);
    __asm__ volatile("stmxcsr %[found]\n"
                     "ldmxcsr %[kept]\n"
                     : [found] "=m"(found)
                     : [kept] "m"(kept)
                     : "memory");
    CHECK(check, found == wanted, "MXCSR %#x, not %#x", found, wanted);
}

/* The signal comes between any two instructions of a kernel that computes. */
static void keeps_a_vector(Check *check)
{
    static const AmxShape shapes[AMX_TILES] = {[2] = {1, 4}, [5] = {1, 4}, [7] = {1, 4}};
    AmxMachine machine = {.is_called = false};
    double before[4] = {1, 2, 3, 4}, after[4] = {0};
    amx_configure(&machine, shapes);
    __asm__ volatile("vmovupd %[before], %%ymm3\n"
                     "tdpbf16ps %%tmm7, %%tmm5, %%tmm2\n"
                     "vmovupd %%ymm3, %[after]\n"
                     : [after] "=m"(after)
                     : [before] "m"(before)
                     : "xmm3", "memory");
    CHECK(check, memcmp(before, after, sizeof before) == 0, "a vector changed");
}

int main(void)
{
    Check check = {0};
    if (!amx_can_be_emulated())
        return SKIPPED;
    refuses_configurations(&check);
    refuses_without_configuration(&check);
    refuses_shapes(&check);
    ends_children(&check);
    if (!amx_is_here())
        amx_emulator_install();
    gives_threads_their_own(&check);
    leaves_vectors_alone(&check, false);
    leaves_vectors_alone(&check, true);
    keeps_a_vector(&check);
    return check_finish(&check);
}
