/* Data first, then the record; a first checkpoint replaces what was there before. */
#include "runtime/vlrun/train_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ir/plan.h"
#include "runtime/train/rehearse.h"
#include "runtime/train/train.h"
#include "runtime/vlrun/cuts.h"
#include "runtime/vlrun/precisions.h"
#include "runtime/vlrun/train_record.h"

/* The weights must outlive what they are to replace. What a run begins with is read
 * once: it may be what is replaced. */
static bool check_weights_place(const Run *run, Diags *diags)
{
    char *checkpoint = run_checkpoint_path(run->directory);
    char *old = realpath(checkpoint, NULL);
    char *weights = run->weights ? realpath(tensor_set_path(run->weights), NULL) : NULL;
    bool ok = !old || !weights || strcmp(old, weights) != 0;
    if (!ok)
        diag_error(diags, (Loc){.file = checkpoint},
                   "the weights are the checkpoint that this run is to overwrite: choose "
                   "another --out");
    free(weights);
    free(old);
    free(checkpoint);
    return ok;
}

static bool choose_steps(const TrainArguments *command, const Run *run,
                         DataSource *source, int64_t *out_steps, Diags *diags)
{
    const Settings *settings = &run->module->settings;
    int64_t steps = settings->steps;
    if (steps == 0 && __builtin_mul_overflow(settings->epochs,
                                             source->epoch_steps(source->state), &steps))
        steps = -1;
    if (command->steps != COUNT_NOT_GIVEN)
        steps = command->steps;
    if (run->checkpoint) {
        int64_t begun = checkpoint_info(run->checkpoint)->total_steps;
        if (command->steps != COUNT_NOT_GIVEN && command->steps != begun) {
            diag_error(diags, (Loc){0},
                       "the run was started for %" PRId64 " steps, not %" PRId64
                       ": its learning rates follow from that",
                       begun, command->steps);
            return false;
        }
        steps = begun;
    }
    if (steps < 0)
        diag_error(diags, (Loc){0}, "the plan asks for an impossible number of steps");
    *out_steps = steps;
    return steps >= 0;
}

static void introduce(const Run *run, const RunRecord *record, FILE *out)
{
    ParamTotals params = module_param_totals(run->module);
    JitStats jit = session_jit_stats(run->session);
    fprintf(out,
            "%s: %" PRId64 " of %" PRId64 " parameters trained (%.2f %%), %" PRId64
            " steps on %s\n",
            run->module->name, params.trained, params.all,
            params.all ? 100.0 * (double)params.trained / (double)params.all : 0,
            record->steps, record->data);
    for (uint32_t i = 0; i < record->set.count; i++)
        fprintf(out, "%s%s%s", i ? " " : "set: ", record->set.items[i],
                i + 1 < record->set.count ? "" : "\n");
    if (run->checkpoint)
        fprintf(out, "goes on after step %" PRId64 " in %s\n",
                checkpoint_info(run->checkpoint)->step, run->directory);
    fprintf(out, "%u kernels (%u distinct, %u cached) in %.1f s; %u lanes of %.1f MiB\n",
            jit.kernels, jit.distinct, jit.from_cache, jit.seconds,
            session_lanes(run->session),
            (double)session_slab_bytes(run->session) /
                (1024 * 1024 * (double)session_lanes(run->session)));
    fprintf(out, "computed on %s\n", session_processor(run->session)->text);
    print_cuts(run->module, NULL, out);
    print_precisions(run->module, NULL, out);
    fflush(out);
}

/* Results go on, but are no longer those of an undisturbed run to the bit. */
static void check_processor(const Run *run, Diags *diags)
{
    const char *then = run->checkpoint ? checkpoint_info(run->checkpoint)->processor : "";
    const char *now = session_processor(run->session)->text;
    if (*then && strcmp(then, now) != 0)
        diag_warning(diags, (Loc){0},
                     "the run was computed on %s so far, and now goes on on %s: its "
                     "numbers will differ from those of one processor by rounding",
                     then, now);
}

static ExitCode train_recorded(Run *run, DataSource *source, const RunRecord *record,
                               const Module *encoder, Display *display,
                               const Interrupt *interrupt, Diags *diags)
{
    const TrainOptions options = {.directory = run->directory,
                                  .total_steps = record->steps,
                                  .score_first = record->score_first,
                                  .eval_every = record->eval_every,
                                  .checkpoint_every = record->checkpoint_every,
                                  .keep_best = record->keep_best,
                                  .patience = record->patience,
                                  .keep = record->keep,
                                  .tensorboard = record->tensorboard,
                                  .weights = record->weights ? record->weights : "",
                                  .run = record->run,
                                  .display = display,
                                  .interrupt = interrupt};
    if (!rehearse(run, source, &options, diags))
        return exit_code(false, diags);
    if (!run->checkpoint && run_has_checkpoint(run->directory) &&
        !(check_weights_place(run, diags) && run_set_aside(run->directory, diags)))
        return EXIT_CODE_input;
    if (!train_record_write(run, record, encoder, diags))
        return EXIT_CODE_input;
    introduce(run, record, display->talk);
    check_processor(run, diags);
    return train(run, source, &options, diags);
}

/* The data, and features of all pictures that training and scoring will want. */
static DataSource *open_data(const TrainArguments *command, const Run *run,
                             const Display *display, const Interrupt *interrupt,
                             DataOptions *data, DataFiles *out_files,
                             EncoderRecord *out_encoder, Diags *diags)
{
    bool validates = command->eval_every != COUNT_NOT_GIVEN
                         ? command->eval_every > 0
                         : !run->has_record || run->record.eval_every > 0;
    const EncodeDataOptions encoding = {
        .encoder = {.plan = command->encoder,
                    .weights = command->encoder_weights,
                    .random_weights = command->random_weights,
                    .threads = given_or(command->threads, run->record.threads),
                    .processor = command->processor,
                    .gemm = command->gemm,
                    .no_cache = command->no_cache},
        .splits = {[SPLIT_train] = true, [SPLIT_valid] = validates, [SPLIT_test] = true},
        .feature_cache = command->feature_cache,
        .interrupt = interrupt,
        .talk = display->talk,
        .progress = display->bar};
    return encode_open_data(run, &encoding, data, out_files, out_encoder, diags);
}

ExitCode train_run(const TrainArguments *command, Run *run, const Interrupt *interrupt,
                   Diags *diags)
{
    DataOptions data = {.directory = command->data,
                        .tokenizer = command->tokenizer,
                        .weights = run_weights_path(run),
                        .interrupt = interrupt,
                        .skip_bad = command->skip_bad};
    DataFiles files;
    EncoderRecord encoder;
    Display display = display_new(command->progress);
    data.progress = display.talk;
    DataSource *source =
        open_data(command, run, &display, interrupt, &data, &files, &encoder, diags);
    /* Read before the directory may be another run's. */
    Module *encoder_plan =
        source && encoder.file ? module_read(encoder.file, diags) : NULL;
    int64_t steps;
    ExitCode code = exit_code(false, diags);
    if (source && !encoder.file == !encoder_plan &&
        choose_steps(command, run, source, &steps, diags)) {
        const RunRecord record = train_record(command, run, &data, &files, &encoder,
                                              source->epoch_steps(source->state), steps);
        code = train_recorded(run, source, &record, encoder_plan, &display, interrupt,
                              diags);
    }
    if (encoder_plan)
        module_free(encoder_plan);
    data_close(source);
    display_free(&display);
    return code;
}
