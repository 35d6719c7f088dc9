/* What fits still fits with fewer sequences, so cuts as late as possible make the fewest
 * micro-batches, and as early as possible, from the end, too. The least limit of work
 * that so many micro-batches can keep to is searched for; then each is cut where it comes
 * nearest to an equal share of what is left, between the earliest place from which the
 * rest can still be cut and the latest within the limit. */
#include "runtime/exec/split.h"

#include "ir/roofline.h"

const Axis *split_too_long(const SplitJob *job, int64_t first, int64_t end)
{
    const Graph *graph = job->graph;
    for (uint32_t a = 0; a < graph->axis_count; a++)
        if (job->starts[a][end] - job->starts[a][first] > graph->axes[a].capacity)
            return &graph->axes[a];
    return NULL;
}

static bool fits(const SplitJob *job, int64_t first, int64_t end, int64_t limit)
{
    return job->work[end] - job->work[first] <= limit &&
           (job->max_sequences <= 0 || end - first <= job->max_sequences) &&
           !split_too_long(job, first, end);
}

static int64_t latest_end(const SplitJob *job, int64_t first, int64_t limit)
{
    int64_t end = first + 1;
    while (end < job->sequences && fits(job, first, end + 1, limit))
        end++;
    return end;
}

static int64_t fewest_cuts(const SplitJob *job, int64_t limit)
{
    int64_t count = 0;
    for (int64_t first = 0; first < job->sequences; count++)
        first = latest_end(job, first, limit);
    return count;
}

static int64_t least_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t wanted_cuts(const SplitJob *job)
{
    int64_t total = job->work[job->sequences], most = job->sequences;
    if (job->least_work > 0)
        most = least_of(most, total / job->least_work);
    return microbatches_wanted(fewest_cuts(job, total), job->lanes, most);
}

/* The least work that every micro-batch can keep to when there are `count`. */
static int64_t least_limit(const SplitJob *job, int64_t count)
{
    int64_t low = job->work[job->sequences] / count, high = job->work[job->sequences];
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (fewest_cuts(job, middle) <= count)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

/* latest[k]: the first sequence from which k micro-batches reach the end. */
static void find_latest(const SplitJob *job, int64_t count, int64_t limit,
                        int64_t *latest)
{
    latest[0] = job->sequences;
    for (int64_t k = 1; k <= count; k++) {
        int64_t end = latest[k - 1], first = end > 0 ? end - 1 : 0;
        while (first > 0 && fits(job, first - 1, end, limit))
            first--;
        latest[k] = first;
    }
}

/* Where [first, ...) comes nearest to `share`, from `low` to `high`. */
static int64_t nearest_end(const SplitJob *job, int64_t first, int64_t low, int64_t high,
                           int64_t share)
{
    int64_t target = job->work[first] + share, end = low;
    while (end < high && job->work[end + 1] <= target)
        end++;
    if (end < high && job->work[end + 1] - target < target - job->work[end])
        end++;
    return end;
}

int64_t split_evenly(const SplitJob *job, int64_t *latest, SequenceRange *out)
{
    int64_t count = wanted_cuts(job), limit = least_limit(job, count), first = 0;
    find_latest(job, count, limit, latest);
    for (int64_t i = 0; i < count; i++) {
        int64_t after = count - i - 1, end = job->sequences;
        if (after > 0) {
            int64_t share = (job->work[job->sequences] - job->work[first]) / (after + 1);
            int64_t low = first + 1 > latest[after] ? first + 1 : latest[after];
            int64_t high =
                least_of(latest_end(job, first, limit), job->sequences - after);
            end = nearest_end(job, first, low, high, share);
        }
        out[i] = (SequenceRange){first, end - first};
        first = end;
    }
    return count;
}
