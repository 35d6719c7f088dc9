/* The directory of a run:
 *
 *     run.json                 what the run is (runtime/run/run_record.h)
 *     plan.bin                 its plan
 *     encoder.bin              the plan of its encoder, if it has one
 *     checkpoint.safetensors   how far it has come; replaced whole
 *     best.safetensors         the best one, by validation
 *     checkpoint-STEP.safetensors   those that are kept
 *     metrics.jsonl            a line for every step and score
 *     events.out.tfevents.vlgraph   the same for TensorBoard
 *     lock                     held by the run that trains here
 *     previous/                the run that --overwrite replaces, until the new one has a
 *                              checkpoint
 *
 *     previous.part/           the same while its files are moved there, or back
 *
 * A directory is renamed once all files are in it, and again before the first one
 * leaves it. So a kill at any moment leaves one of three things: previous.part, and
 * then what is in it belongs here, beside what is here; or a checkpoint here, and then
 * what is aside is of no use; or none here, and then what is aside is the run. */
#ifndef VLG_RUNTIME_RUN_RUN_DIRECTORY_H
#define VLG_RUNTIME_RUN_RUN_DIRECTORY_H

#include "ir/base/diag.h"

/* DIRECTORY/NAME: malloc'ed. */
char *run_path(const char *directory, const char *name);
char *run_record_path(const char *directory);
char *run_plan_path(const char *directory);
char *run_encoder_path(const char *directory);
char *run_checkpoint_path(const char *directory);
char *run_best_path(const char *directory);
char *run_metrics_path(const char *directory);
char *run_events_path(const char *directory);
/* Whether a checkpoint in the directory of a run may have this name. */
bool run_is_checkpoint(const char *name);

bool run_is_directory(const char *path);
/* Whether the directory has a file of that path. */
bool run_has_checkpoint(const char *directory);

/* -- who trains here ---------------------------------------------------------------- */

typedef struct RunLock RunLock;

/* NULL and an error that names who trains here already, or why it cannot be known. The
 * directory exists; it `is_new` if it was made for this run. */
NODISCARD RunLock *run_lock_take(const char *directory, bool is_new, Diags *diags);
/* Removes a new directory in which nothing came to be. NULL is allowed. */
void run_lock_free(RunLock *lock);
/* Whether a process trains there now, as far as locks tell. */
bool run_is_at_work(const char *directory);

typedef enum RunEntry { RUN_begins, RUN_resumes, RUN_replaces } RunEntry;

/* Takes the directory for a run, and makes it if it is to begin there: all of the
 * functions here in their order. NULL and an error if a run is there that it does not
 * replace, or none that it could resume. */
NODISCARD RunLock *run_enter(const char *directory, RunEntry entry, Diags *diags);

/* Whether what bears the name of a run's file is one: a run would replace what a link
 * points to, and wait at a pipe. Errors name the first that is not. */
NODISCARD bool run_check_files(const char *directory, Diags *diags);
/* One of them, of any name: regular, or not there. */
NODISCARD bool run_check_file(const char *directory, const char *name, Diags *diags);
/* Whether a command may write a file or a directory of that path: false and an error if
 * that is a run, or a file of one. */
NODISCARD bool run_check_output(const char *path, Diags *diags);
/* Removes what killed runs have left half written. Needs the lock. */
void run_sweep(const char *directory);

/* -- the run before ----------------------------------------------------------------- */

/* All three need the lock. False and an error if a file cannot be moved. */
NODISCARD bool run_set_aside(const char *directory, Diags *diags);
/* After a run that has saved: removes what is aside. After one that has not: puts it
 * back, and says so in `out_is_back`. */
NODISCARD bool run_settle(const char *directory, bool *out_is_back, Diags *diags);

/* -- checkpoints that stay ---------------------------------------------------------- */

/* Both give the checkpoint as it is now a second name, under which it stays. Both need
 * the lock. False and an error if it cannot be. */
NODISCARD bool run_keep_best(const char *directory, Diags *diags);
/* After `step` steps; of all that were kept so, the `count` with most steps stay. */
NODISCARD bool run_keep(const char *directory, int64_t step, int64_t count, Diags *diags);

#endif
