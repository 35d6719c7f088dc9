/* The splitter against a plain search: every sequence once and in order, capacities kept,
 * as many micro-batches as asked for and possible, the largest as small as consecutive
 * sequences allow, and equal sequences dealt evenly. */
#include "runtime/exec/split.h"

#include <string.h>

#include "ir/base/random.h"
#include "tests/check.h"

enum { MOST = 24, AXES = 2, TRIALS = 3000 };
static const int64_t ENDLESS = INT64_MAX / 4;

typedef struct Trial {
    SplitJob job;
    Graph graph;
    Axis axes[AXES];
    int64_t rows[AXES][MOST + 1], work[MOST + 1];
    int64_t *starts[AXES];
    SequenceRange ranges[MOST];
    int64_t count;
} Trial;

static uint32_t draw(uint32_t *state, uint32_t below)
{
    return random_mix32(*state += 0x9e3779b9U) % below;
}

static void link_parts(Trial *trial)
{
    trial->graph = (Graph){.axes = trial->axes, .axis_count = AXES};
    for (int a = 0; a < AXES; a++)
        trial->starts[a] = trial->rows[a];
    trial->job.graph = &trial->graph;
    trial->job.starts = trial->starts;
    trial->job.work = trial->work;
}

static void add_sequence(Trial *trial, int64_t rows, int64_t work)
{
    int64_t s = trial->job.sequences++;
    trial->rows[0][s + 1] = trial->rows[0][s] + 1;
    trial->rows[1][s + 1] = trial->rows[1][s] + rows;
    trial->work[s + 1] = trial->work[s] + work;
}

static void split(Trial *trial, int garbage)
{
    int64_t latest[MOST + 1];
    memset(latest, garbage, sizeof latest);
    trial->count = split_evenly(&trial->job, latest, trial->ranges);
}

/* Sequences of up to 30 rows, of which some do not fit alone. */
static void draw_trial(Trial *trial, uint32_t *state)
{
    *trial = (Trial){.axes = {{.capacity = 1 + draw(state, MOST)},
                              {.capacity = 25 + draw(state, 200)}}};
    uint32_t sequences = 1 + draw(state, MOST), longest = 1 + draw(state, 30);
    for (uint32_t s = 0; s < sequences; s++) {
        int64_t rows = draw(state, longest + 1);
        add_sequence(trial, rows, 1 + 10 * rows + draw(state, 50));
    }
    trial->job.lanes = draw(state, 6);
    trial->job.least_work = draw(state, 3) ? draw(state, 400) : 0;
    trial->job.max_sequences = draw(state, 3) ? 0 : 1 + draw(state, 6);
}

static int64_t work_of(const Trial *trial, int64_t first, int64_t end)
{
    return trial->work[end] - trial->work[first];
}

static bool may_stand(const Trial *trial, int64_t first, int64_t end)
{
    const SplitJob *job = &trial->job;
    bool is_long =
        trial->rows[0][end] - trial->rows[0][first] > trial->axes[0].capacity ||
        trial->rows[1][end] - trial->rows[1][first] > trial->axes[1].capacity;
    bool is_many = job->max_sequences > 0 && end - first > job->max_sequences;
    return end - first == 1 || (!is_long && !is_many);
}

/* best[k]: the least that the largest of k micro-batches can be, by trying all. */
static void try_all(const Trial *trial, int64_t best[MOST + 1])
{
    int64_t sequences = trial->job.sequences, of[MOST + 1][MOST + 1];
    for (int64_t end = 0; end <= sequences; end++)
        of[0][end] = end ? ENDLESS : 0;
    for (int64_t k = 1; k <= sequences; k++)
        for (int64_t end = 0; end <= sequences; end++) {
            of[k][end] = ENDLESS;
            for (int64_t first = 0; first < end; first++) {
                int64_t work = work_of(trial, first, end), before = of[k - 1][first];
                int64_t largest = work > before ? work : before;
                if (may_stand(trial, first, end) && largest < of[k][end])
                    of[k][end] = largest;
            }
        }
    for (int64_t k = 0; k <= sequences; k++)
        best[k] = of[k][sequences];
}

static void check_count(Check *check, const Trial *trial, const int64_t *best)
{
    const SplitJob *job = &trial->job;
    int64_t fewest = 1, lanes = job->lanes ? job->lanes : 1, count = trial->count;
    while (best[fewest] == ENDLESS)
        fewest++;
    int64_t total = trial->work[job->sequences];
    CHECK(check, count >= fewest && count < fewest + lanes, "%lld of at least %lld",
          (long long)count, (long long)fewest);
    CHECK(check, count == fewest || count * job->least_work <= total, "too little work");
    bool can_be_more = count < job->sequences && (count + 1) * job->least_work <= total;
    CHECK(check, count % lanes == 0 || !can_be_more, "%lld on %lld lanes",
          (long long)count, (long long)lanes);
}

static void check_ranges(Check *check, const Trial *trial, int64_t best)
{
    int64_t next = 0, largest = 0;
    for (int64_t i = 0; i < trial->count; i++) {
        SequenceRange range = trial->ranges[i];
        int64_t end = range.first + range.count;
        CHECK(check,
              range.first == next && range.count > 0 &&
                  may_stand(trial, range.first, end),
              "sequences %lld to %lld", (long long)range.first, (long long)end);
        largest =
            work_of(trial, next, end) > largest ? work_of(trial, next, end) : largest;
        next = end;
    }
    CHECK(check, next == trial->job.sequences, "%lld sequences", (long long)next);
    CHECK(check, largest == best, "largest %lld, can be %lld", (long long)largest,
          (long long)best);
}

static void check_random(Check *check)
{
    uint32_t state = 5, raised = 0, cut = 0;
    for (int i = 0; i < TRIALS; i++) {
        Trial trial;
        int64_t best[MOST + 1];
        draw_trial(&trial, &state);
        link_parts(&trial);
        split(&trial, 0);
        try_all(&trial, best);
        check_count(check, &trial, best);
        check_ranges(check, &trial, best[trial.count]);
        Trial again = trial;
        link_parts(&again);
        split(&again, 0x5a);
        CHECK(check, memcmp(again.ranges, trial.ranges, sizeof again.ranges) == 0,
              "the same again");
        cut += trial.count > 1;
        raised += trial.count > 1 && best[trial.count - 1] < ENDLESS;
    }
    CHECK(check, cut > TRIALS / 4 && raised > TRIALS / 10, "%u cut, %u raised", cut,
          raised);
}

/* Of `sequences` alike, with room for `fit` of them in a micro-batch. */
static void check_alike(Check *check, int64_t sequences, int64_t fit, int64_t lanes,
                        int64_t count)
{
    Trial trial = {.axes = {{.capacity = MOST}, {.capacity = 56 * fit}},
                   .job = {.lanes = lanes}};
    for (int64_t s = 0; s < sequences; s++)
        add_sequence(&trial, 56, 1000);
    link_parts(&trial);
    split(&trial, 0);
    CHECK(check, trial.count == count, "%lld micro-batches of %lld sequences",
          (long long)trial.count, (long long)sequences);
    for (int64_t i = 0; i < trial.count; i++)
        CHECK(check,
              trial.ranges[i].count == sequences / count ||
                  trial.ranges[i].count == sequences / count + 1,
              "%lld sequences of %lld", (long long)trial.ranges[i].count,
              (long long)sequences);
}

int main(void)
{
    Check check = {0};
    check_random(&check);
    check_alike(&check, 16, 18, 2, 2);
    check_alike(&check, 16, 18, 1, 1);
    check_alike(&check, 16, 6, 2, 4);
    check_alike(&check, 17, 5, 2, 4);
    check_alike(&check, 3, 18, 8, 3);
    return check_finish(&check);
}
