/* A metrics file keeps the lines that a checkpoint counts, once each, and loses none in
 * silence. */
#include "runtime/train/metrics.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "tests/check.h"

#define CHECK_(condition) CHECK(check, condition, "metrics")

static char path[] = "/tmp/metrics_file_test.XXXXXX";

static void write_text(const char *text, Check *check, Diags *diags)
{
    CHECK_(file_replace(path, text, strlen(text), diags));
}

static void check_text(const char *expected, Check *check, Diags *diags)
{
    size_t len;
    char *text = file_read(path, 1 << 20, &len, diags);
    CHECK_(text && strcmp(text, expected) == 0);
    free(text);
}

#define LINE(n) "{\"step\": " #n ", \"loss\": 1.5}"
#define STEP(n) LINE(n) "\n"
#define SCORES(n, split)                                                                 \
    "{\"event\": \"scores\", \"step\": " #n ", \"split\": \"" split "\"}\n"
#define EVENT(n, name) "{\"event\": \"" name "\", \"step\": " #n "}\n"

static void resume(int64_t steps, bool is_over, bool has_validation, Check *check,
                   Diags *diags)
{
    Metrics *metrics = metrics_resume(path, steps, is_over, diags);
    CHECK_(metrics && metrics_has_validation(metrics) == has_validation);
    if (!metrics)
        return;
    metrics_add(metrics, LINE(99));
    CHECK_(metrics_sync(metrics, diags));
    metrics_close(metrics);
}

static void test_trim(Check *check, Diags *diags)
{
    write_text(EVENT(0, "start") SCORES(0, "test") STEP(0) STEP(1) SCORES(2, "valid")
                   STEP(2) EVENT(2, "resume") STEP(2) STEP(3) "{\"step\": 4, \"lo",
               check, diags);
    resume(2, false, true, check, diags);
    check_text(EVENT(0, "start") SCORES(0, "test") STEP(0) STEP(1) SCORES(2, "valid")
                   STEP(99),
               check, diags);
    resume(1, false, false, check, diags);
    check_text(EVENT(0, "start") SCORES(0, "test") STEP(0) STEP(99), check, diags);
}

/* What follows the last step is made again. */
static void test_over(Check *check, Diags *diags)
{
    write_text(STEP(0) STEP(1) SCORES(2, "valid") SCORES(2, "test") EVENT(2, "end"),
               check, diags);
    resume(2, true, true, check, diags);
    check_text(STEP(0) STEP(1) SCORES(2, "valid") STEP(99), check, diags);
}

static void test_missing(Check *check)
{
    char *said = NULL;
    size_t len;
    FILE *out = open_memstream(&said, &len);
    Diags *diags = diags_new(out);
    write_text(STEP(0) STEP(2), check, diags);
    resume(3, false, false, check, diags);
    check_text(STEP(0) STEP(99), check, diags);
    diags_free(diags);
    fclose(out);
    CHECK_(strstr(said, "has no lines of steps 1 to 2"));
    free(said);
}

static void test_full(Check *check)
{
    FILE *nowhere = fopen("/dev/null", "w");
    Diags *diags = diags_new(nowhere);
    struct rlimit before, limit = {.rlim_cur = 64};
    getrlimit(RLIMIT_FSIZE, &before);
    limit.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    Metrics *metrics = metrics_new(path, diags);
    CHECK_(metrics);
    CHECK_(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    for (int i = 0; metrics && i < 10; i++)
        metrics_add(metrics, LINE(0));
    CHECK_(metrics && !metrics_sync(metrics, diags));
    CHECK_(diags_error_count(diags) == 1);
    metrics_close(metrics);
    setrlimit(RLIMIT_FSIZE, &before);
    diags_free(diags);
    fclose(nowhere);
}

int main(void)
{
    Check result = {0}, *check = &result;
    int fd = mkstemp(path);
    CHECK_(fd >= 0);
    close(fd);
    Diags *diags = diags_new(stderr);
    test_trim(check, diags);
    test_over(check, diags);
    test_missing(check);
    test_full(check);
    CHECK_(diags_error_count(diags) == 0);
    diags_free(diags);
    unlink(path);
    return check_finish(check);
}
