/* The training loop: batch, step, report; now and then validate and save. */
#include "runtime/train/train.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/heap.h"
#include "runtime/train/best.h"
#include "runtime/train/evaluate.h"
#include "runtime/exec/fault.h"
#include "runtime/train/progress.h"
#include "runtime/batch/reader.h"
#include "runtime/train/schedule.h"
#include "runtime/train/summary.h"

enum { SCORE_TEXT = 64 };

typedef struct Trainer {
    Run *run;
    DataSource *source;
    const TrainOptions *options;
    Diags *diags;
    Metrics *metrics;
    Progress *progress;
    Reader *reader;
    char *checkpoint_path;
    bool has_saved;     /* the checkpoint is this run's */
    int64_t saved_step; /* and of this step */
    BestScore best;
    char *scores; /* before training, "task=score " for each task */
    Evaluation before, after;
    int64_t step; /* steps done */
} Trainer;

/* -- scores before training, which checkpoints carry along ----------------------- */

static void print_scores(Trainer *trainer)
{
    const Evaluation *before = &trainer->before;
    size_t size = 1;
    for (uint32_t i = 0; i < before->count; i++)
        size += strlen(before->scores[i].task) + SCORE_TEXT;
    trainer->scores = heap_alloc(size);
    size_t used = 0;
    trainer->scores[0] = '\0';
    for (uint32_t i = 0; i < before->count; i++)
        if (before->scores[i].is_main)
            used +=
                (size_t)snprintf(trainer->scores + used, size - used, "%s=%.17g ",
                                 before->scores[i].task, before->scores[i].metric.value);
}

static void parse_scores(Trainer *trainer, const char *text)
{
    for (uint32_t i = 0; i < trainer->run->module->task_count; i++) {
        const char *task = trainer->run->module->tasks[i].name;
        size_t len = strlen(task);
        TaskScore score = {
            .task = task, .metric = {.name = "", .unit = ""}, .is_main = true};
        for (const char *at = text; (at = strstr(at, task)); at += len)
            if (at[len] == '=' && (at == text || at[-1] == ' '))
                score.metric.value = strtod(at + len + 1, NULL);
        evaluation_add(&trainer->before, &score);
    }
}

static bool score(Trainer *trainer, Split split, Evaluation *out)
{
    const EvaluateOptions options = {.split = split,
                                     .interrupt = trainer->options->interrupt,
                                     .progress = trainer->options->display->bar};
    evaluation_free(out);
    return evaluate(trainer->run->session, trainer->source, &options, out,
                    trainer->diags);
}

/* Scores that were not asked for leave no text in the checkpoint. */
static bool score_before(Trainer *trainer)
{
    const Run *run = trainer->run;
    const char *earlier = run->checkpoint ? checkpoint_info(run->checkpoint)->scores : "";
    if (*earlier)
        parse_scores(trainer, earlier);
    else if (!run->checkpoint && trainer->options->score_first &&
             !score(trainer, SPLIT_test, &trainer->before))
        return false;
    print_scores(trainer);
    return true;
}

/* -- now and then ---------------------------------------------------------------- */

/* Says where the numbers of earlier steps are, if this run has saved any. */
static void note_kept(const Trainer *trainer)
{
    if (trainer->has_saved)
        diag_note(trainer->diags, (Loc){0}, "the last checkpoint is kept: %s",
                  trainer->checkpoint_path);
}

static bool save(Trainer *trainer)
{
    Run *run = trainer->run;
    if (!weights_are_unchanged(&run->watch, trainer->diags)) {
        note_kept(trainer);
        return false;
    }
    const Checkpoint checkpoint = {.step = trainer->step,
                                   .total_steps = trainer->options->total_steps,
                                   .plan = run->plan,
                                   .weights = trainer->options->weights,
                                   .weights_fingerprint = run->weights_fingerprint,
                                   .run = trainer->options->run,
                                   .processor = session_processor(run->session)->text,
                                   .scores = trainer->scores};
    if (!metrics_sync(trainer->metrics, trainer->diags) ||
        !checkpoint_write(trainer->checkpoint_path, run->store, &checkpoint,
                          trainer->diags)) {
        note_kept(trainer);
        return false;
    }
    bool is_first = !trainer->has_saved, is_back;
    trainer->has_saved = true;
    trainer->saved_step = trainer->step;
    const TrainOptions *options = trainer->options;
    return (!is_first || run_settle(options->directory, &is_back, trainer->diags)) &&
           (options->keep == 0 ||
            run_keep(options->directory, trainer->step, options->keep, trainer->diags));
}

/* The checkpoint and its scores are on disk before it is the best: a run that goes on
 * from it then finds out the same. */
static bool save_best(Trainer *trainer)
{
    bool is_saved = trainer->has_saved && trainer->saved_step == trainer->step
                        ? metrics_sync(trainer->metrics, trainer->diags)
                        : save(trainer);
    return is_saved && run_keep_best(trainer->options->directory, trainer->diags);
}

/* After a validation. */
static bool take_score(Trainer *trainer)
{
    BestScore *best = &trainer->best;
    double score;
    if (!best->by)
        return true;
    return best_find(best->by, &trainer->after, &score, trainer->diags) &&
           (!best_take(best, trainer->step, score) || save_best(trainer));
}

/* What the validations before this checkpoint have brought. A run that was killed between
 * a checkpoint and its second name makes up for it. */
static bool recall_best(Trainer *trainer)
{
    BestScore *best = &trainer->best;
    const char *directory = trainer->options->directory;
    if (!best->by || !trainer->run->checkpoint)
        return true;
    char *metrics = run_metrics_path(directory), *path = run_best_path(directory);
    bool ok = best_replay(best, metrics, trainer->diags);
    if (ok && best->is_known && best->step == trainer->step)
        ok = run_keep_best(directory, trainer->diags);
    else if (ok && best->is_known && access(path, F_OK) != 0)
        diag_warning(trainer->diags, (Loc){.file = path},
                     "the best checkpoint, after step %" PRId64 ", is not here any more",
                     best->step);
    free(path);
    free(metrics);
    return ok;
}

/* A run that was killed before its last checkpoint got the name under which it stays. */
static bool recall_kept(const Trainer *trainer)
{
    const TrainOptions *options = trainer->options;
    return !trainer->run->checkpoint || options->keep == 0 ||
           run_keep(options->directory, trainer->step, options->keep, trainer->diags);
}

static bool validate(Trainer *trainer)
{
    progress_flush(trainer->progress);
    if (!weights_are_unchanged(&trainer->run->watch, trainer->diags)) {
        note_kept(trainer);
        return false;
    }
    reader_pause(trainer->reader);
    bool ok = score(trainer, SPLIT_valid, &trainer->after);
    reader_resume(trainer->reader);
    if (!ok || interrupt_is_set(trainer->options->interrupt))
        return ok;
    FILE *talk = trainer->options->display->talk;
    fprintf(talk, "after step %" PRId64 ":\n", trainer->step);
    evaluate_print_main(&trainer->after, talk);
    progress_scores(trainer->progress, trainer->step, split_names[SPLIT_valid],
                    &trainer->after);
    return take_score(trainer);
}

static bool is_due(int64_t step, int64_t every)
{
    return every > 0 && step % every == 0;
}

/* -- one step -------------------------------------------------------------------- */

/* Names the first number that is not finite, and its line in the model. */
static void locate_fault(Trainer *trainer, const Batch *batch, const StepResult *result)
{
    progress_flush(trainer->progress);
    const char *what = isfinite(result->loss) ? "the gradients' norm" : "the loss";
    diag_not_finite(trainer->diags, (Loc){0},
                    "step %" PRId64 ", task '%s': %s is not finite", trainer->step,
                    batch->task, what);
    fault_note_step(trainer->run->session, batch, (uint64_t)trainer->step,
                    trainer->diags);
    note_kept(trainer);
}

static ExitCode train_step(Trainer *trainer)
{
    const Batch *batch = reader_next(trainer->reader);
    if (!batch)
        return EXIT_CODE_input;
    const TrainOptions *options = trainer->options;
    double rate = schedule_rate(&trainer->run->module->settings, options->total_steps,
                                trainer->step);
    StepResult result;
    if (!session_train_step(trainer->run->session, batch, (uint64_t)trainer->step, rate,
                            &result, trainer->diags))
        return EXIT_CODE_input;
    if (!isfinite(result.loss) || !isfinite(result.gradient_norm)) {
        locate_fault(trainer, batch, &result);
        return exit_code(false, trainer->diags);
    }
    progress_step(trainer->progress, trainer->step, batch, rate, &result);
    trainer->step++;
    if (is_due(trainer->step, options->checkpoint_every) && !save(trainer))
        return exit_code(false, trainer->diags);
    if (is_due(trainer->step, options->eval_every) && !validate(trainer))
        return exit_code(false, trainer->diags);
    return EXIT_CODE_done;
}

/* -- the run --------------------------------------------------------------------- */

/* A checkpoint of nothing is not worth the run that it would replace. */
static bool is_unbegun(const Trainer *trainer)
{
    return !trainer->has_saved && trainer->step == 0 && trainer->options->total_steps > 0;
}

static ExitCode run_steps(Trainer *trainer)
{
    ExitCode code = EXIT_CODE_done;
    while (code == EXIT_CODE_done && trainer->step < trainer->options->total_steps &&
           !best_is_over(&trainer->best) &&
           !interrupt_is_set(trainer->options->interrupt))
        code = train_step(trainer);
    if (code != EXIT_CODE_done)
        return code;
    progress_flush(trainer->progress);
    return exit_code(is_unbegun(trainer) || save(trainer), trainer->diags);
}

static void print_best(const Trainer *trainer, FILE *out)
{
    const BestScore *best = &trainer->best;
    if (best->is_known && trainer->step < trainer->options->total_steps)
        fprintf(out,
                "ended after step %" PRId64 " of %" PRId64 ": no better %s in %" PRId64
                " validations\n",
                trainer->step, trainer->options->total_steps, best->by, best->misses);
    if (best->is_known)
        fprintf(out, "best %s: %.2f, after step %" PRId64 "; used by --best\n", best->by,
                best->score, best->step);
}

static ExitCode finish(Trainer *trainer)
{
    const TrainOptions *options = trainer->options;
    FILE *out = options->display->results;
    if (is_unbegun(trainer)) {
        fprintf(out, "stopped before the first step: nothing is saved\n");
        return EXIT_CODE_done;
    }
    if (trainer->step < options->total_steps && !best_is_over(&trainer->best)) {
        fprintf(out,
                "stopped after step %" PRId64 " of %" PRId64
                ", saved in %s; go on with --resume %s\n",
                trainer->step, options->total_steps, trainer->checkpoint_path,
                options->directory);
        return EXIT_CODE_done;
    }
    if (!score(trainer, SPLIT_test, &trainer->after))
        return exit_code(false, trainer->diags);
    if (interrupt_is_set(options->interrupt)) {
        fprintf(out, "trained, not scored; saved in %s\n", trainer->checkpoint_path);
        return EXIT_CODE_done;
    }
    progress_scores(trainer->progress, trainer->step, split_names[SPLIT_test],
                    &trainer->after);
    fprintf(out, "\n");
    progress_end(trainer->progress, trainer->step, &trainer->best);
    if (!metrics_sync(trainer->metrics, trainer->diags))
        return EXIT_CODE_input;
    const Run *run = trainer->run;
    const Summary summary = {
        .module = run->module,
        .before = &trainer->before,
        .after = &trainer->after,
        .task_seconds = progress_seconds(trainer->progress),
        .first_step = run->checkpoint ? checkpoint_info(run->checkpoint)->step : 0};
    summary_print(&summary, out);
    fprintf(out, "\n");
    print_best(trainer, out);
    fprintf(out, "saved in %s\n", trainer->checkpoint_path);
    return EXIT_CODE_done;
}

static bool draw_metrics(Trainer *trainer)
{
    if (!trainer->options->tensorboard)
        return true;
    char *path = run_events_path(trainer->options->directory);
    bool ok = metrics_draw(trainer->metrics, path, trainer->diags);
    free(path);
    return ok;
}

static bool open_metrics(Trainer *trainer)
{
    char *path = run_metrics_path(trainer->options->directory);
    bool is_over = trainer->step == trainer->options->total_steps;
    trainer->metrics = trainer->run->checkpoint
                           ? metrics_resume(path, trainer->step, is_over, trainer->diags)
                           : metrics_new(path, trainer->diags);
    free(path);
    return trainer->metrics && draw_metrics(trainer);
}

/* A run that was killed between a checkpoint and the validation that was due then. */
static bool catch_up(Trainer *trainer)
{
    return trainer->step == 0 || !is_due(trainer->step, trainer->options->eval_every) ||
           metrics_has_validation(trainer->metrics) || validate(trainer);
}

static ExitCode train_from(Trainer *trainer)
{
    const TrainOptions *options = trainer->options;
    const Run *run = trainer->run;
    trainer->step = run->checkpoint ? checkpoint_info(run->checkpoint)->step : 0;
    trainer->has_saved = run->checkpoint != NULL;
    trainer->saved_step = trainer->step;
    trainer->best = (BestScore){.by = options->keep_best, .patience = options->patience};
    if (!open_metrics(trainer) || !recall_best(trainer) || !recall_kept(trainer))
        return EXIT_CODE_input;
    trainer->progress = progress_new(run->module, trainer->metrics, options->display,
                                     trainer->step, options->total_steps);
    progress_start(trainer->progress, session_processor(run->session));
    if (!score_before(trainer))
        return exit_code(false, trainer->diags);
    if (!run->checkpoint && trainer->before.count)
        progress_scores(trainer->progress, 0, split_names[SPLIT_test], &trainer->before);
    trainer->reader =
        reader_new(trainer->source, trainer->step, options->total_steps, trainer->diags);
    if (!trainer->reader)
        return EXIT_CODE_input;
    progress_flush(trainer->progress);
    ExitCode code = exit_code(catch_up(trainer), trainer->diags);
    if (code == EXIT_CODE_done)
        code = run_steps(trainer);
    reader_free(trainer->reader);
    return code == EXIT_CODE_done ? finish(trainer) : code;
}

ExitCode train(Run *run, DataSource *source, const TrainOptions *options, Diags *diags)
{
    if (!schedule_check(&run->module->settings, diags))
        return EXIT_CODE_input;
    Trainer trainer = {.run = run,
                       .source = source,
                       .options = options,
                       .diags = diags,
                       .checkpoint_path = run_checkpoint_path(options->directory)};
    ExitCode code = train_from(&trainer);
    progress_free(trainer.progress);
    metrics_close(trainer.metrics);
    free(trainer.checkpoint_path);
    free(trainer.scores);
    evaluation_free(&trainer.before);
    evaluation_free(&trainer.after);
    return code;
}
