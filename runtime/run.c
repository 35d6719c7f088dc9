/* Opening a plan: read it, fill its store from initial values, weights file and
 * checkpoint, in this order, and compile it. */
#include "runtime/run.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ir/base/cache_dir.h"
#include "ir/plan.h"
#include "runtime/lanes.h"
#include "runtime/model_config.h"
#include "runtime/weights.h"
#include "runtime/weights_fit.h"

/* -- places ---------------------------------------------------------------------- */

static char *path_join(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = heap_alloc(size);
    snprintf(path, size, "%s/%s", directory, name);
    return path;
}

char *run_checkpoint_path(const char *directory)
{
    return path_join(directory, "checkpoint.safetensors");
}

char *run_metrics_path(const char *directory)
{
    return path_join(directory, "metrics.jsonl");
}

const char *run_weights_path(const Run *run)
{
    return run->weights ? tensor_set_path(run->weights) : NULL;
}

/* -- opening --------------------------------------------------------------------- */

/* A checkpoint, or trained parameters alone. */
static bool open_trained(Run *run, const char *path, Diags *diags)
{
    TensorFile *file = tensor_file_open(path, diags);
    if (!file)
        return false;
    bool is_checkpoint = checkpoint_is_one(file);
    const char *base = tensor_file_metadata(file, WEIGHTS_FINGERPRINT);
    run->trained_over = base ? strtoull(base, NULL, 10) : 0;
    tensor_file_close(file);
    if (is_checkpoint)
        run->checkpoint = checkpoint_open(path, diags);
    else
        run->trained = tensor_set_open(path, diags);
    return run->checkpoint || run->trained;
}

static bool open_checkpoint(Run *run, const RunOptions *options, Diags *diags)
{
    const char *from = options->resume ? run->directory : options->from;
    if (!from)
        return true;
    struct stat status;
    bool is_directory = stat(from, &status) == 0 && S_ISDIR(status.st_mode);
    char *path = is_directory ? run_checkpoint_path(from) : NULL;
    bool is_open = path ? (run->checkpoint = checkpoint_open(path, diags)) != NULL
                        : open_trained(run, from, diags);
    free(path);
    if (!is_open || !options->resume)
        return is_open;
    if (checkpoint_info(run->checkpoint)->plan == run->plan)
        return true;
    diag_error(diags, (Loc){.file = from}, "this run belongs to another plan than '%s'",
               options->plan);
    diag_note(diags, (Loc){0},
              "use the plan it was started with, or start anew elsewhere (--out)");
    return false;
}

/* An export says over which weights its parameters were trained. */
static bool check_base(const Run *run, const char *weights, Diags *diags)
{
    const char *trained = tensor_set_path(run->trained);
    if (run->trained_over == run->weights_fingerprint)
        return true;
    if (weights)
        diag_error(diags, (Loc){.file = weights},
                   "these are not the weights over which '%s' was trained", trained);
    else
        diag_error(diags, (Loc){.file = trained},
                   "was trained over weights that must be given, too: --weights PATH");
    return false;
}

/* The files named, or those the checkpoint's run started from: its frozen parameters are
 * not in the checkpoint. */
static bool open_weights(Run *run, const RunOptions *options, Diags *diags)
{
    const Checkpoint *info = run->checkpoint ? checkpoint_info(run->checkpoint) : NULL;
    const char *path = options->weights         ? options->weights
                       : info && *info->weights ? info->weights
                                                : NULL;
    if (path) {
        run->weights = tensor_set_open(path, diags);
        if (!run->weights || !model_config_check(run->module, path, diags))
            return false;
        run->weights_fingerprint = weights_fingerprint(run->weights);
    }
    if (run->trained && run->trained_over)
        return check_base(run, path, diags);
    if (!info || info->weights_fingerprint == run->weights_fingerprint)
        return true;
    diag_error(diags, (Loc){.file = path},
               "these are not the weights that the run started from");
    diag_note(diags, (Loc){0}, "that was '%s'",
              *info->weights ? info->weights : "no file");
    return false;
}

static bool fill_store(Run *run, Diags *diags)
{
    run->store = store_new(run->module);
    weights_initialize(run->store, (uint64_t)run->module->settings.seed, run->weights);
    if (!run->weights)
        return true;
    WeightsReport report;
    if (!weights_load(run->store, run->weights, &report, diags))
        return false;
    weights_report(run->store, run->weights, &report, stderr);
    return true;
}

static bool start_session(Run *run, const RunOptions *options, Diags *diags)
{
    if (options->threads > LANES_MAX) {
        diag_error(diags, (Loc){0}, "%" PRId64 " threads are too many", options->threads);
        return false;
    }
    char *cache = options->no_cache ? NULL : cache_dir_path();
    SessionOptions session = {.lanes = (uint32_t)options->threads,
                              .cache_dir = cache,
                              .processor = options->processor};
    run->session = session_new(run->module, run->store, &session, diags);
    free(cache);
    return run->session;
}

bool run_read(Run *run, const RunOptions *options, Diags *diags)
{
    *run = (Run){.module = module_read(options->plan, diags)};
    if (!run->module)
        return false;
    run->plan = plan_fingerprint(run->module);
    run->directory =
        options->out ? strdup(options->out) : path_join("runs", run->module->name);
    return true;
}

/* A run that has a checkpoint was let go on with such parameters before. */
static bool check_given(Run *run, const RunOptions *options, Diags *diags)
{
    return options->random_weights || run->checkpoint ||
           weights_check_fit(run->store, run->weights, options->is_training, diags);
}

bool run_fill(Run *run, const RunOptions *options, Diags *diags)
{
    bool is_open = open_checkpoint(run, options, diags) &&
                   open_weights(run, options, diags) && fill_store(run, diags) &&
                   (!run->trained ||
                    weights_load_trained(run->store, run->trained, diags)) &&
                   (!run->checkpoint || checkpoint_load(run->checkpoint, run->store,
                                                        options->resume, diags)) &&
                   check_given(run, options, diags) &&
                   (options->no_session || start_session(run, options, diags));
    if (!is_open)
        run_close(run);
    return is_open;
}

bool run_open(Run *run, const RunOptions *options, Diags *diags)
{
    return run_read(run, options, diags) && run_fill(run, options, diags);
}

void run_close(Run *run)
{
    session_free(run->session);
    store_free(run->store);
    checkpoint_close(run->checkpoint);
    tensor_set_close(run->trained);
    tensor_set_close(run->weights);
    if (run->module)
        module_free(run->module);
    free(run->directory);
    *run = (Run){0};
}

int run_do(const RunOptions *options, RunWork *work, const void *command)
{
    Diags *diags = diags_new(stderr);
    Interrupt *interrupt = interrupt_new(); /* before the lanes' threads */
    Run run;
    bool is_open = run_open(&run, options, diags);
    ExitCode code = exit_code(is_open, diags);
    if (is_open) {
        code = work(command, &run, interrupt, diags);
        run_close(&run);
    }
    interrupt_free(interrupt);
    diags_free(diags);
    return (int)code;
}
