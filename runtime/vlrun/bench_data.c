/* A round takes a batch twice: held in memory while the reader rests, then from the
 * reader. What is timed of the second is the wait for the batch, the step, and the wait
 * for what the reader is at: so every such step pays for the making of a whole batch, as
 * in a long run, and nothing of it slows the step it is compared with. */
#include "runtime/vlrun/bench_data.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "ir/base/clock.h"
#include "runtime/batch/reader.h"

typedef struct Feed {
    const Run *run;
    DataSource *source;
    Session *session;
    Reader *reader;
    int64_t rounds;
    Batch **batches;                    /* [rounds + 1], of steps 0.. */
    double *made, *held, *read, *ratio; /* seconds, or read per held; [rounds + 1] */
} Feed;

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

double bench_median(double *seconds, int64_t count)
{
    qsort(seconds, (size_t)count, sizeof *seconds, by_size);
    return seconds[count / 2];
}

static bool make_batches(Feed *feed, Diags *diags)
{
    for (int64_t i = 0; i <= feed->rounds; i++) {
        double begun = clock_seconds();
        feed->batches[i] = feed->source->train_batch(feed->source->state, i, diags);
        if (!feed->batches[i])
            return false;
        feed->made[i] = clock_seconds() - begun;
    }
    return true;
}

static bool take_step(const Feed *feed, const Batch *batch, int64_t step, Diags *diags)
{
    StepResult result;
    return session_train_step(feed->session, batch, (uint64_t)step,
                              feed->run->module->settings.lr, &result, diags);
}

/* The reader rests before and after. */
static bool run_round(Feed *feed, int64_t round, Diags *diags)
{
    double begun = clock_seconds();
    if (!take_step(feed, feed->batches[round], round, diags))
        return false;
    feed->held[round] = clock_seconds() - begun;
    begun = clock_seconds();
    reader_resume(feed->reader);
    const Batch *batch = reader_next(feed->reader);
    bool ok = batch && take_step(feed, batch, round, diags);
    reader_pause(feed->reader);
    feed->read[round] = clock_seconds() - begun;
    feed->ratio[round] = feed->read[round] / feed->held[round];
    return ok;
}

/* The first round, in which kernels and memory are touched for the first time and the
 * reader fills its queue, does not count. */
static bool run_rounds(Feed *feed, Diags *diags)
{
    feed->reader = reader_new(feed->source, 0, INT64_MAX, diags);
    if (!feed->reader)
        return false;
    reader_pause(feed->reader);
    bool ok = true;
    for (int64_t round = 0; ok && round <= feed->rounds; round++)
        ok = run_round(feed, round, diags);
    reader_resume(feed->reader);
    reader_free(feed->reader);
    return ok;
}

static void print_feed(Feed *feed)
{
    printf("%u lanes, %lld rounds, medians\non %s\n\n", session_lanes(feed->session),
           (long long)feed->rounds, session_processor(feed->session)->text);
    printf("making a batch, nothing else running  %8.3f s\n",
           bench_median(feed->made + 1, feed->rounds));
    printf("a step, batches held in memory        %8.3f s\n",
           bench_median(feed->held + 1, feed->rounds));
    printf("a step, batches read meanwhile        %8.3f s\n",
           bench_median(feed->read + 1, feed->rounds));
    printf("read against held, round by round     %8.3f\n",
           bench_median(feed->ratio + 1, feed->rounds));
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("\nmost resident memory, batches held in memory included: %.1f MiB\n",
           (double)usage.ru_maxrss / 1024);
}

static bool open_feed(Feed *feed, const BenchData *options, Diags *diags)
{
    double begun = clock_seconds();
    feed->source = data_open(&options->data, feed->run->module, diags);
    if (feed->source) {
        printf("opening the data took %.2f s; ", clock_seconds() - begun);
        feed->session = bench_session(&options->session, feed->run, diags);
    }
    return feed->session;
}

bool bench_data(const BenchData *options, const Run *run, Diags *diags)
{
    size_t count = (size_t)options->rounds + 1;
    Arena *arena = arena_new();
    Feed feed = {.run = run,
                 .rounds = options->rounds,
                 .batches = ARENA_ARRAY(arena, Batch *, count),
                 .made = ARENA_ARRAY(arena, double, count),
                 .held = ARENA_ARRAY(arena, double, count),
                 .read = ARENA_ARRAY(arena, double, count),
                 .ratio = ARENA_ARRAY(arena, double, count)};
    bool ok = open_feed(&feed, options, diags) && make_batches(&feed, diags) &&
              run_rounds(&feed, diags);
    if (ok)
        print_feed(&feed);
    for (size_t i = 0; i < count; i++)
        batch_free(feed.batches[i]);
    session_free(feed.session);
    data_close(feed.source);
    arena_free(arena);
    return ok;
}
