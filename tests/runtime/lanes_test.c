/* Lanes run every function once each, however long they have waited before, and do
 * nothing at all while they wait. */
#include "runtime/lanes.h"

#include <dirent.h>
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

/* How often this process's threads have given up a processor, on their own or not, but
 * for the calling one. */
static long switches(void)
{
    long sum = 0;
    DIR *threads = opendir("/proc/self/task");
    for (const struct dirent *entry; threads && (entry = readdir(threads));) {
        char path[300], line[200];
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == gettid())
            continue;
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *status = fopen(path, "r");
        while (status && fgets(line, sizeof line, status))
            if (strstr(line, "ctxt_switches:"))
                sum += strtol(strchr(line, ':') + 1, NULL, 10);
        if (status)
            (void)fclose(status);
    }
    if (threads)
        (void)closedir(threads);
    return sum;
}

/* They may take their time to fall asleep, but then they stay so. */
static void test_idle(Check *check)
{
    long before = -1, after = switches();
    int still = 0;
    for (int look = 0; look < LOOKS && still < 4; look++) {
        before = after;
        rest(AT_REST);
        after = switches();
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
        test_idle(&check);
    }
    lanes_free(lanes);
    diags_free(diags);
    return check_finish(&check);
}
