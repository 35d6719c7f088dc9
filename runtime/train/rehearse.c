/* A pass over one example of everything, with the functions that the run itself will
 * call. */
#include "runtime/train/rehearse.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "runtime/train/best.h"
#include "runtime/train/evaluate.h"

/* -- room ---------------------------------------------------------------------------- */

static double mebibytes(uint64_t bytes)
{
    return (double)bytes / (1024 * 1024);
}

/* The next checkpoint is written beside the last, and so many `stay`. */
static bool check_disk(const char *directory, uint64_t bytes, uint64_t stay, Diags *diags)
{
    struct statvfs system;
    if (statvfs(directory, &system) != 0)
        return true; /* writing will report the error */
    uint64_t room = (uint64_t)system.f_bavail * system.f_frsize;
    uint64_t needed = run_has_checkpoint(directory) ? bytes : (2 + stay) * bytes;
    if (room >= needed)
        return true;
    diag_error(diags, (Loc){.file = directory},
               "%.1f MiB are free here, but checkpoints take %.1f MiB", mebibytes(room),
               mebibytes(needed));
    return false;
}

static bool check_limit(const char *directory, uint64_t bytes, Diags *diags)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= bytes)
        return true;
    diag_error(diags, (Loc){.file = directory},
               "files may have %.1f MiB here (ulimit -f), but a checkpoint has %.1f MiB",
               mebibytes(limit.rlim_cur), mebibytes(bytes));
    return false;
}

static bool check_room(Run *run, const TrainOptions *options, Diags *diags)
{
    const char *directory = options->directory;
    uint64_t bytes = (uint64_t)checkpoint_bytes(run->store);
    uint64_t stay = (uint64_t)options->keep + (options->keep_best ? 1 : 0);
    return check_limit(directory, bytes, diags) &&
           check_disk(directory, bytes, stay, diags);
}

/* -- examples ------------------------------------------------------------------------ */

static bool try_training(const Run *run, DataSource *source, int64_t step, Diags *diags)
{
    Batch *batch = source->train_batch(source->state, step, diags);
    if (!batch)
        return false;
    double loss;
    batch->sequences = 1;
    bool ok = session_gradients(run->session, batch, (uint64_t)step, &loss, diags);
    batch_free(batch);
    return ok;
}

/* The first step of every task that comes in the next epoch. */
static bool try_steps(const Run *run, DataSource *source, const TrainOptions *options,
                      Diags *diags)
{
    const Module *module = run->module;
    int64_t first = run->checkpoint ? checkpoint_info(run->checkpoint)->step : 0;
    int64_t epoch = source->epoch_steps(source->state);
    int64_t left = options->total_steps - first;
    int64_t stop = first + (left < epoch ? left : epoch);
    Arena *arena = arena_new();
    bool *is_tried = ARENA_ARRAY(arena, bool, module->task_count), ok = true;
    for (int64_t step = first; ok && step < stop; step++) {
        uint32_t task = source->step_task(source->state, step);
        ok = is_tried[task] || try_training(run, source, step, diags);
        is_tried[task] = true;
    }
    arena_free(arena);
    return ok;
}

/* `by`: a score that is wanted of them, if they have any of its task; or NULL. */
static bool try_scoring(const Run *run, DataSource *source, Split split, const char *by,
                        const Interrupt *interrupt, Diags *diags)
{
    const EvaluateOptions options = {.split = split, .limit = 1, .interrupt = interrupt};
    Evaluation evaluation = {0};
    double score;
    bool ok = evaluate(run->session, source, &options, &evaluation, diags);
    if (ok && by && best_is_scored(by, &evaluation))
        ok = best_find(by, &evaluation, &score, diags);
    evaluation_free(&evaluation);
    return ok;
}

static bool validates(const TrainOptions *options)
{
    return options->eval_every > 0 && options->eval_every <= options->total_steps;
}

static bool check_best(const Run *run, const TrainOptions *options, Diags *diags)
{
    const char *by = options->keep_best;
    if (by && !validates(options)) {
        diag_error(diags, (Loc){0},
                   "--keep-best %s needs a validation within the %" PRId64
                   " steps: --eval-every N",
                   by, options->total_steps);
        return false;
    }
    if (!by && options->patience) {
        diag_error(diags, (Loc){0},
                   "--patience needs a score to look at: --keep-best TASK");
        return false;
    }
    return !by || best_check(by, run->module, diags);
}

bool rehearse(Run *run, DataSource *source, const TrainOptions *options, Diags *diags)
{
    if (check_best(run, options, diags) && check_room(run, options, diags) &&
        try_steps(run, source, options, diags) &&
        (!validates(options) || try_scoring(run, source, SPLIT_valid, options->keep_best,
                                            options->interrupt, diags)) &&
        try_scoring(run, source, SPLIT_test, NULL, options->interrupt, diags))
        return true;
    diag_note(diags, (Loc){0}, "found out before the first step");
    return false;
}
