/* vlrun profile: training steps on all lanes, as they are in a training, with a clock
 * around everything that a lane does; and what the machine does at most, measured in
 * between. Batches are random unless there are data. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/command_line.h"
#include "ir/base/heap.h"
#include "runtime/run/run.h"
#include "runtime/encode/encode_data.h"
#include "runtime/vlrun/commands.h"
#include "runtime/vlrun/cuts.h"
#include "runtime/vlrun/precisions.h"
#include "runtime/vlrun/profile_table.h"
#include "runtime/vlrun/profile_trace.h"
#include "runtime/vlrun/timed_batch.h"

/* Between two measurements of peaks, which empty the caches. */
static const double PEAK_PERIOD = 1; /* seconds */

typedef struct ProfileArguments {
    const char *plan, *data, *weights, *processor, *gemm, *dump_kernels, *trace, *tables;
    TimedBatch batch;
    int64_t steps, rows, lanes;
    RunOther other;
} ProfileArguments;

typedef struct Profile {
    const ProfileArguments *arguments;
    const Run *run;
    uint32_t lanes;
    const Graph *graph; /* the train graph of the task */
    DataSource *source; /* NULL: `batch` is every step's */
    int64_t next;       /* step of the source */
    Batch *batch;       /* of the step at hand */
    PeakProbe *probe;
    double probed;     /* when */
    int64_t cut_short; /* steps without an update */
    LaneTrace *traces;
    ProfileFacts *facts;
    ProfileSums *sums;
    ProfileTrace *file; /* or NULL */
} Profile;

/* -- batches --------------------------------------------------------------------- */

static bool open_batches(Profile *profile, Diags *diags)
{
    const ProfileArguments *arguments = profile->arguments;
    const Module *module = profile->run->module;
    profile->graph = timed_graph(module, arguments->batch.task, diags);
    if (!profile->graph)
        return false;
    if (!arguments->data)
        return (profile->batch = timed_batch(&arguments->batch, profile->graph, diags)) !=
               NULL;
    DataOptions data = {.directory = arguments->data,
                        .weights = run_weights_path(profile->run)};
    const EncodeDataOptions encoding = {
        .splits = {[SPLIT_train] = true}, .task = arguments->batch.task, .talk = stderr};
    return (profile->source = encode_open_data(profile->run, &encoding, &data, NULL, NULL,
                                               diags)) != NULL;
}

/* The next of the task that was asked for, or of any. */
static bool next_batch(Profile *profile, Diags *diags)
{
    const DataSource *source = profile->source;
    const char *task = profile->arguments->batch.task;
    const Module *module = profile->run->module;
    if (!source)
        return true;
    while (task &&
           strcmp(module->tasks[source->step_task(source->state, profile->next)].name,
                  task) != 0)
        profile->next++;
    batch_free(profile->batch);
    profile->batch = source->train_batch(source->state, profile->next++, diags);
    return profile->batch;
}

/* -- steps ----------------------------------------------------------------------- */

static void probe_peaks(Profile *profile)
{
    peak_probe_round(profile->probe);
    profile->probed = clock_seconds();
}

static void empty_traces(Profile *profile)
{
    for (uint32_t lane = 0; lane < profile->lanes; lane++)
        profile->traces[lane].count = 0;
}

static void take_events(Profile *profile, int64_t step)
{
    for (uint32_t lane = 0; lane < profile->lanes; lane++) {
        const LaneTrace *trace = &profile->traces[lane];
        for (uint32_t i = 0; i < trace->count; i++)
            profile_sums_add(profile->sums, &trace->events[i]);
        if (profile->file)
            profile_trace_lane(profile->file, profile->facts, step, lane, trace);
    }
    profile_next_step(profile->facts);
}

/* Step -1 touches kernels and memory for the first time, and is not counted. */
static bool time_step(Profile *profile, int64_t step, Diags *diags)
{
    StepResult result;
    if (!next_batch(profile, diags))
        return false;
    if (clock_seconds() - profile->probed > PEAK_PERIOD)
        probe_peaks(profile);
    empty_traces(profile);
    double begun = clock_seconds();
    if (!session_train_step(profile->run->session, profile->batch, (uint64_t)(step + 1),
                            profile->run->module->settings.lr, &result, diags))
        return false;
    double seconds = clock_seconds() - begun;
    if (step < 0)
        return true;
    profile->cut_short += !isfinite(result.loss) || !isfinite(result.gradient_norm);
    take_events(profile, step);
    profile_sums_step(profile->sums, seconds);
    return true;
}

static bool time_steps(Profile *profile, Diags *diags)
{
    for (int64_t step = -1; step < profile->arguments->steps; step++)
        if (!time_step(profile, step, diags))
            return false;
    probe_peaks(profile);
    if (profile->cut_short)
        diag_warning(diags, (Loc){0},
                     "%lld of %lld steps had a loss or a gradient that is not finite, "
                     "and no update",
                     (long long)profile->cut_short, (long long)profile->arguments->steps);
    return true;
}

static void print_profile(const Profile *profile)
{
    const ProfileArguments *arguments = profile->arguments;
    if (!profile->source)
        printf("task %s, %lld sequences", profile->graph->task,
               (long long)profile->batch->sequences);
    else if (arguments->batch.task)
        printf("task %s of '%s'", profile->graph->task, arguments->data);
    else
        printf("all tasks of '%s'", arguments->data);
    printf("\non %s\n", session_processor(profile->run->session)->text);
    print_cuts(profile->run->module, profile->source ? NULL : profile->graph, stdout);
    print_precisions(profile->run->module, profile->source ? NULL : profile->graph,
                     stdout);
    const ProfilePrint print = {.names = arguments->tables,
                                .rows = arguments->rows,
                                .peaks = peak_probe_rates(profile->probe)};
    profile_sums_print(profile->sums, &print);
}

/* -- the command ----------------------------------------------------------------- */

static const char *const table_choices[] = {
#define TABLE(name, meaning) #name,
    PROFILE_TABLES
#undef TABLE
        NULL};

#define AT(field) offsetof(ProfileArguments, field)
static const Option option_rows[] = {
    OPTION(count, "--steps", AT(steps), "N", "training steps to time, after a first",
           .preset = "8", .least = 1),
    OPTIONS_TIMED_BATCH(AT(batch)),
    OPTION(count, "--lanes", AT(lanes), "N", "threads; 0: one per processor",
           .preset = "0"),
    OPTION(names, "--tables", AT(tables), "A,B", "which are printed; default: all",
           .choices = table_choices),
    OPTION(count, "--rows", AT(rows), "N", "of each table", .preset = "20", .least = 1),
    OPTION(path, "--trace", AT(trace), "FILE",
           "write every call down, for ui.perfetto.dev or about:tracing"),
    OPTION(path, "--data", AT(data), "DIR",
           "batches of these data sets, instead of random ones; shapes: built in"),
    OPTIONS_OTHER(AT(other)),
    OPTION(path, "--weights", AT(weights), "PATH", "safetensors with parameters"),
    OPTION_PROCESSOR(AT(processor)),
    OPTION_GEMM(AT(gemm)),
    OPTION_DUMP_KERNELS(AT(dump_kernels)),
};
#undef AT

static bool open_profile(Profile *profile, Diags *diags)
{
    const ProfileArguments *arguments = profile->arguments;
    Session *session = profile->run->session;
    profile->lanes = session_lanes(session);
    profile->traces = HEAP_ARRAY(LaneTrace, profile->lanes);
    if (!open_batches(profile, diags) ||
        !(profile->probe = peak_probe_new(profile->lanes, diags)))
        return false;
    profile->facts = profile_facts_new(session);
    profile->sums = profile_sums_new(profile->facts, profile->lanes);
    session_set_traces(session, profile->traces);
    return !arguments->trace || (profile->file = profile_trace_open(
                                     arguments->trace, session_processor(session)->text,
                                     profile->lanes, diags));
}

/* Whatever of it is there. */
static void close_profile(Profile *profile)
{
    session_set_traces(profile->run->session, NULL);
    for (uint32_t lane = 0; lane < profile->lanes; lane++)
        free(profile->traces[lane].events);
    free(profile->traces);
    profile_trace_discard(profile->file);
    profile_sums_free(profile->sums);
    profile_facts_free(profile->facts);
    peak_probe_free(profile->probe);
    batch_free(profile->batch);
    data_close(profile->source);
}

static bool finish_trace(Profile *profile, Diags *diags)
{
    ProfileTrace *file = profile->file;
    profile->file = NULL;
    return !file || profile_trace_finish(file, diags);
}

static bool profile_run(const ProfileArguments *arguments, const Run *run, Diags *diags)
{
    Profile profile = {.arguments = arguments, .run = run};
    bool ok = open_profile(&profile, diags) && time_steps(&profile, diags) &&
              finish_trace(&profile, diags);
    if (ok)
        print_profile(&profile);
    close_profile(&profile);
    return ok;
}

static int cmd_profile(const void *arguments)
{
    const ProfileArguments *command = arguments;
    const char *random = timed_batch_option(&command->batch);
    if (command->data && random) {
        fprintf(stderr, "vlrun profile: %s is of random batches; --data has its own\n",
                random);
        return EXIT_CODE_usage;
    }
    Diags *diags = diags_new(stderr);
    const RunOptions options = {.plan = command->plan,
                                .weights = command->weights,
                                .processor = command->processor,
                                .gemm = command->gemm,
                                .dump_kernels = command->dump_kernels,
                                .other = command->other,
                                .random_weights = true, /* as fast as any */
                                .threads = command->lanes};
    Run run;
    int code = EXIT_CODE_input;
    if (run_open(&run, &options, diags)) {
        if (profile_run(command, &run, diags))
            code = EXIT_CODE_done;
        run_close(&run);
    }
    diags_free(diags);
    return code;
}

const Command command_profile = {
    .name = "profile",
    .operands = "plan.bin | RUN",
    .least_operands = 1,
    .most_operands = 1,
    .operand_field = offsetof(ProfileArguments, plan),
    .help = "what training steps spend their time on, beside what the machine can do",
    .details =
        "Times everything that lanes do in some training steps, update included, and\n"
        "prints it by call, kernel, part of the model, class and pass: time, operations\n"
        "and bytes a second, and their share of peaks that are measured meanwhile.",
    COMMAND_OPTIONS(option_rows),
    COMMAND_ARGUMENTS(ProfileArguments),
    .run = cmd_profile};
