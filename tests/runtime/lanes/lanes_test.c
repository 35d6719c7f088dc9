/* Lanes run every function once each, however long they have waited before, and do
 * nothing at all while they wait. */
#include "runtime/lanes/lanes.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/check.h"

enum { LANES = 3, MILLISECOND = 1000000, AT_REST = 50, LOOKS = 400 };

static void rest(int milliseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)milliseconds * MILLISECOND}, NULL);
}

static void count_call(void *state, uint32_t lane)
{
    _Atomic int *calls = state;
    atomic_fetch_add(&calls[lane], 1);
}

/* At once after each other, and with waits up to those in which lanes fall asleep. */
static void test_calls(Check *check, Lanes *lanes)
{
    enum { RUNS = 3000 };
    _Atomic int calls[LANES] = {0};
    for (int run = 0; run < RUNS; run++) {
        lanes_run(lanes, count_call, calls);
        if (run % 100 == 0)
            rest(run / 100);
        for (int lane = 0; lane < LANES; lane++)
            if (calls[lane] != run + 1)
                CHECK(check, false, "lane %d: %d calls in run %d", lane, calls[lane],
                      run);
    }
    CHECK(check, calls[LANES - 1] == RUNS, "all runs");
}

static void note_thread(void *state, uint32_t lane)
{
    pid_t *threads = state;
    threads[lane] = gettid();
}

/* How often the lanes' own threads, all but the caller's, have given up a processor. */
static long switches(const pid_t *threads)
{
    long sum = 0;
    for (int lane = 1; lane < LANES; lane++) {
        char path[64], line[200];
        (void)snprintf(path, sizeof path, "/proc/self/task/%d/status",
                       (int)threads[lane]);
        FILE *status = fopen(path, "r");
        while (status && fgets(line, sizeof line, status))
            if (strstr(line, "ctxt_switches:"))
                sum += strtol(strchr(line, ':') + 1, NULL, 10);
        if (status)
            (void)fclose(status);
    }
    return sum;
}

/* They may take their time to fall asleep, but then they stay so. */
static void test_idle(Check *check, Lanes *lanes)
{
    pid_t threads[LANES];
    lanes_run(lanes, note_thread, threads);
    long before = -1, after = switches(threads);
    int still = 0;
    CHECK(check, after > 0, "the system counts");
    for (int look = 0; look < LOOKS && still < 4; look++) {
        before = after;
        rest(AT_REST);
        after = switches(threads);
        still = after == before ? still + 1 : 0;
    }
    CHECK(check, still == 4, "idle lanes wake up: %ld switches, then %ld", before, after);
}

int main(void)
{
    Check check = {0};
    Diags *diags = diags_new(stderr);
    Lanes *lanes = lanes_new(LANES, diags);
    CHECK(&check, lanes, "lanes");
    if (lanes) {
        test_calls(&check, lanes);
        test_idle(&check, lanes);
    }
    lanes_free(lanes);
    diags_free(diags);
    return check_finish(&check);
}
