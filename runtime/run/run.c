/* Opening a plan: read it, fill its store from initial values, weights file and
 * checkpoint, in this order, and compile it. */
#include "runtime/run/run.h"
#include "runtime/run/run_warm.h"

#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/cache_dir.h"
#include "ir/base/heap.h"
#include "ir/plan.h"
#include "runtime/lanes/lanes.h"
#include "runtime/run/run_settings.h"
#include "runtime/weights/model_config.h"
#include "runtime/weights/weights.h"
#include "runtime/weights/weights_fit.h"

const char *run_weights_path(const Run *run)
{
    return run->weights ? tensor_set_path(run->weights) : NULL;
}

/* -- opening --------------------------------------------------------------------- */

/* A checkpoint, or trained parameters alone. */
static bool open_trained(Run *run, const char *path, Diags *diags)
{
    TensorFile *file = tensor_file_open_any(path, diags);
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

/* run.json and the checkpoint are written one after the other: another run may have taken
 * the directory in between, or the file may have been copied there. */
static bool check_same_run(const Run *run, const char *from, Diags *diags)
{
    const Checkpoint *info = checkpoint_info(run->checkpoint);
    if (!run->has_record ||
        (info->run == run->record.run && info->total_steps == run->record.steps))
        return true;
    diag_error(diags, (Loc){.file = from},
               "the checkpoint here is not that of the run in run.json");
    diag_note(diags, (Loc){0}, "if a new run has just begun here, try again");
    return false;
}

/* Of runs without run.json, the checkpoint itself knows the plan. */
static bool check_plan(const Run *run, const RunOptions *options, const char *from,
                       Diags *diags)
{
    if (run->has_record || !options->resume || options->other.plan ||
        checkpoint_info(run->checkpoint)->plan == run->plan)
        return true;
    diag_error(diags, (Loc){.file = from}, "this run belongs to another plan than '%s'",
               options->plan);
    diag_note(diags, (Loc){0},
              "use the plan it was started with, or start anew elsewhere (--out)");
    return false;
}

static bool open_directory(Run *run, const RunOptions *options, const char *from,
                           Diags *diags)
{
    char *path = options->best ? run_best_path(from) : run_checkpoint_path(from);
    char *previous = run_path(from, "previous");
    if (options->best && access(path, F_OK) != 0)
        diag_note(diags, (Loc){0},
                  "only a run with --keep-best has one, from its first validation on");
    run->checkpoint = checkpoint_open(path, diags);
    if (!run->checkpoint && access(path, F_OK) != 0 && run_has_checkpoint(previous))
        diag_note(diags, (Loc){0},
                  "the run that is to replace it has none yet; the one before is in '%s'",
                  previous);
    free(previous);
    free(path);
    return run->checkpoint && check_same_run(run, from, diags) &&
           check_plan(run, options, from, diags);
}

static bool open_exchange(Run *run, const char *from, Diags *diags)
{
    run->exchange = exchange_open(from, diags);
    run->trained_over = run->exchange ? exchange_trained_over(run->exchange) : 0;
    return run->exchange;
}

static bool open_checkpoint(Run *run, const RunOptions *options, Diags *diags)
{
    bool is_named = options->resume || run_is_directory(options->plan);
    const char *from = is_named ? run->directory : options->from;
    if (!from && options->best)
        diag_error(diags, (Loc){.file = options->plan}, "--best goes with a run");
    if (!from)
        return !options->best;
    if (!is_named && exchange_is_directory(from))
        return open_exchange(run, from, diags);
    if (run_is_directory(from))
        return open_directory(run, options, from, diags);
    if (options->best) {
        diag_error(diags, (Loc){.file = from}, "--best goes with a run, not with a file");
        return false;
    }
    return open_trained(run, from, diags) &&
           (!run->checkpoint || check_same_run(run, from, diags));
}

/* An export says over which weights its parameters were trained. */
static bool check_base(const Run *run, const char *weights, Diags *diags)
{
    const char *trained =
        run->trained ? tensor_set_path(run->trained) : exchange_path(run->exchange);
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

/* Frozen parameters are not in the checkpoint. */
static bool check_weights(const Run *run, const RunOptions *options, const char *path,
                          Diags *diags)
{
    const Checkpoint *info = run->checkpoint ? checkpoint_info(run->checkpoint) : NULL;
    if (!info || info->weights_fingerprint == run->weights_fingerprint)
        return true;
    static const char message[] = "these are not the weights that the run started from";
    const char *then = *info->weights ? info->weights : "no file";
    if (options->other.weights) {
        diag_warning(diags, (Loc){.file = path}, "%s: that was '%s'", message, then);
        return true;
    }
    diag_error(diags, (Loc){.file = path}, "%s", message);
    diag_note(diags, (Loc){0}, "that was '%s'; --other-weights goes on with these", then);
    return false;
}

/* The files named, or those the checkpoint's run started from. */
static bool open_weights(Run *run, const RunOptions *options, Diags *diags)
{
    const Checkpoint *info = run->checkpoint ? checkpoint_info(run->checkpoint) : NULL;
    const char *path = options->weights         ? options->weights
                       : info && *info->weights ? info->weights
                                                : NULL;
    if (path) {
        run->weights = tensor_set_open(path, diags);
        if (!run->weights && !options->weights)
            diag_note(diags, (Loc){0},
                      "the run started from these; --weights says where they are now");
        if (!run->weights || !model_config_check(run->module, path, diags))
            return false;
        run->weights_fingerprint = weights_fingerprint(run->weights);
        run->watch = (WeightsWatch){run->weights, run->weights_fingerprint, false};
    }
    if ((run->trained || run->exchange) && run->trained_over)
        return check_base(run, path, diags);
    return check_weights(run, options, path, diags);
}

static bool fill_store(Run *run, const RunOptions *options, Diags *diags)
{
    WeightsChoice choice = run_choice(options);
    choice.is_filled_later = run->checkpoint || run->trained;
    run->store = store_new(run->module);
    if (!weights_check_choice(run->store, &choice, diags))
        return false;
    weights_initialize(run->store, (uint64_t)run->module->settings.seed, run->weights);
    if (!run->weights)
        return true;
    WeightsReport report;
    if (!weights_load_chosen(run->store, run->weights, &choice, &report, diags))
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
                              .dump_kernels = options->dump_kernels,
                              .progress = stderr,
                              .gemm = options->gemm ? options->gemm : run->record.gemm,
                              .processor = options->processor ? options->processor
                                                              : run->record.processor};
    run->session = session_new(run->module, run->store, &session, diags);
    free(cache);
    return run->session;
}

/* -- what the run says ----------------------------------------------------------- */

/* The directory that holds a checkpoint file; malloc'ed. NULL if it is any other file. */
static char *directory_of_checkpoint(const char *from)
{
    char *path = heap_string(from), *copy = heap_string(from);
    char *directory = heap_string(dirname(path));
    bool is_checkpoint = run_is_checkpoint(basename(copy));
    free(copy);
    free(path);
    if (is_checkpoint)
        return directory;
    free(directory);
    return NULL;
}

static bool read_record(Run *run, const char *directory, Diags *diags)
{
    char *path = run_record_path(directory);
    run->is_old = access(path, F_OK) != 0;
    run->has_record =
        !run->is_old && run_record_read(&run->record, path, run->arena, diags);
    if (run->has_record)
        run->record_directory = arena_format(run->arena, "%s", directory);
    free(path);
    return run->is_old || run->has_record;
}

/* A checkpoint that was copied elsewhere stands for itself. */
static bool read_record_from(Run *run, const char *from, Diags *diags)
{
    if (!from || exchange_is_directory(from))
        return true;
    if (run_is_directory(from))
        return read_record(run, from, diags);
    char *directory = directory_of_checkpoint(from);
    bool ok = !directory || read_record(run, directory, diags);
    run->is_old = false;
    free(directory);
    return ok;
}

static bool hold_plan(const Run *run, const RunOptions *options, Diags *diags)
{
    if (!run->has_record || run->record.plan_fingerprint == run->plan)
        return true;
    if (options->other.plan) {
        diag_warning(diags, (Loc){.file = options->plan},
                     "is not the plan of the run, which was '%s'", run->record.plan);
        return true;
    }
    diag_error(diags, (Loc){.file = options->plan},
               "this run belongs to another plan than '%s'", options->plan);
    diag_note(diags, (Loc){0},
              "it was started with '%s'; its directory alone, in place of a plan, is "
              "enough; --other-plan goes on with this one",
              run->record.plan);
    return false;
}

static bool name_contradiction(const RunOptions *options, Diags *diags)
{
    const char *option = options->from ? "--from" : options->out ? "--out" : NULL;
    if (option)
        diag_error(diags, (Loc){.file = options->plan},
                   "is the directory of a run: %s goes with a plan only", option);
    return option;
}

static bool read_plan_of_run(Run *run, const RunOptions *options, Diags *diags)
{
    if (name_contradiction(options, diags) || !read_record(run, options->plan, diags))
        return false;
    if (run->is_old) {
        diag_error(diags, (Loc){.file = options->plan},
                   "has no run.json: no run is here, or one of an earlier version");
        diag_note(diags, (Loc){0},
                  "such a run needs its plan, and what it was given: plan.bin --from %s "
                  "--data DIR",
                  options->plan);
        return false;
    }
    char *path = run_plan_path(options->plan);
    run->module = module_read(path, diags);
    run->plan = run->module ? plan_fingerprint(run->module) : 0;
    if (run->module && run->plan != run->record.plan_fingerprint)
        diag_error(diags, (Loc){.file = path}, "is not the plan that run.json tells of");
    free(path);
    run->directory = heap_string(options->plan);
    return run->module && run->plan == run->record.plan_fingerprint;
}

/* The settings are the run's, or else those that one is to begin with. */
static bool apply_settings(Run *run, const RunOptions *options, Diags *diags)
{
    const TextList *sets = run->has_record ? &run->record.set : &options->sets;
    if (!run_settings_apply(run->module, sets, diags))
        return false;
    run->plan = plan_fingerprint(run->module);
    return true;
}

static bool read_plan(Run *run, const RunOptions *options, Diags *diags)
{
    run->module = module_read(options->plan, diags);
    if (!run->module)
        return false;
    run->directory =
        options->out ? heap_string(options->out) : run_path("runs", run->module->name);
    return read_record_from(run, options->resume ? run->directory : options->from,
                            diags) &&
           apply_settings(run, options, diags) && hold_plan(run, options, diags);
}

bool run_read(Run *run, const RunOptions *options, Diags *diags)
{
    *run = (Run){
        .arena = arena_new(), .other = options->other, .is_resumed = options->resume};
    bool is_read = run_is_directory(options->plan) ? read_plan_of_run(run, options, diags)
                                                   : read_plan(run, options, diags);
    is_read =
        is_read &&
        (!run->has_record || run_settings_hold(run->module, &options->sets, diags)) &&
        session_check_dump(options->dump_kernels, diags);
    if (!is_read)
        run_close(run);
    return is_read;
}

/* -- data ------------------------------------------------------------------------ */

static bool take_recorded_data(const Run *run, DataOptions *given, Diags *diags)
{
    if (run->has_record) {
        if (!given->tokenizer && !given->directory)
            given->tokenizer = run->record.tokenizer;
        if (!given->directory)
            given->directory = run->record.data;
        given->skip_bad |= run->record.skip_bad;
        return true;
    }
    if ((run->checkpoint || run->trained || run->exchange) && !given->directory) {
        diag_error(diags, (Loc){0},
                   "%s cannot tell on which data it was trained: --data DIR, or --data "
                   "shapes",
                   run->is_old
                       ? "the run has no run.json: an earlier version made it, and it"
                       : "a file of parameters alone");
        return false;
    }
    if (!given->directory)
        given->directory = "shapes";
    return true;
}

static bool hold_data(const Run *run, const DataOptions *given, const DataFiles *files,
                      Diags *diags)
{
    static const char message[] = "these are not the data of the run: '%s' %s";
    const char *how,
        *other = run->has_record
                     ? run_record_other_file(&run->record, files, run->is_resumed, &how)
                     : NULL;
    const Loc loc = {.file = given->directory};
    if (other && run->other.data)
        diag_warning(diags, loc, message, other, how);
    if (!other || run->other.data)
        return true;
    diag_error(diags, loc, message, other, how);
    diag_note(diags, (Loc){0}, "the run's are '%s'; --other-data goes on with these",
              run->record.data);
    return false;
}

DataSource *run_open_data(const Run *run, DataOptions *given, DataFiles *out_files,
                          Diags *diags)
{
    DataFiles files = {0};
    DataSource *source = NULL;
    if (!given->progress)
        given->progress = stderr;
    if (take_recorded_data(run, given, diags))
        source = data_open(given, run->module, diags);
    bool is_wanted = source && (run->has_record || out_files);
    bool ok = source &&
              (!is_wanted || (data_files(given, run->module, run->arena, &files, diags) &&
                              hold_data(run, given, &files, diags)));
    if (out_files)
        *out_files = files;
    if (ok)
        return source;
    data_close(source);
    return NULL;
}

/* -- opening it all -------------------------------------------------------------- */

/* A run that has a checkpoint was let go on with such parameters before. */
static bool check_given(Run *run, const RunOptions *options, Diags *diags)
{
    bool was_let =
        run->checkpoint &&
        checkpoint_info(run->checkpoint)->weights_fingerprint == run->weights_fingerprint;
    return options->random_weights || was_let ||
           weights_check_fit(run->store, run->weights, options->is_training, diags);
}

bool run_fill(Run *run, const RunOptions *options, Diags *diags)
{
    bool is_open =
        open_checkpoint(run, options, diags) && open_weights(run, options, diags) &&
        fill_store(run, options, diags) &&
        (!options->init_from || options->resume || run_warm(run, options, diags)) &&
        (!run->trained || weights_load_trained(run->store, run->trained, diags)) &&
        (!run->exchange || exchange_import(run->exchange, run->store, diags)) &&
        (!run->checkpoint ||
         checkpoint_load(run->checkpoint, run->store, options->resume, diags)) &&
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
    tensor_set_close(run->init);
    tensor_set_close(run->trained);
    exchange_close(run->exchange);
    tensor_set_close(run->weights);
    if (run->module)
        module_free(run->module);
    free(run->directory);
    arena_free(run->arena);
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
        if (code == EXIT_CODE_done && !weights_are_unchanged(&run.watch, diags))
            code = EXIT_CODE_input;
        run_close(&run);
    }
    int end = exit_code_after(interrupt, code, diags);
    interrupt_free(interrupt);
    diags_free(diags);
    return end;
}
