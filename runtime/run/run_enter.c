/* Whether a run may begin, or go on, in a directory. */
#include <stdlib.h>

#include "ir/base/files.h"
#include "runtime/run/run_directory.h"

/* What a run that was killed before its first checkpoint has set aside. */
static bool recover(const char *directory, RunEntry entry, Diags *diags)
{
    bool is_back;
    if (!run_settle(directory, &is_back, diags))
        return false;
    if (!is_back)
        return true;
    static const char message[] =
        "the run that was to replace the one here ended before its first checkpoint; the "
        "one before has been put back";
    if (entry != RUN_resumes) {
        diag_warning(diags, (Loc){.file = directory}, "%s", message);
        return true;
    }
    diag_error(diags, (Loc){.file = directory}, "%s", message);
    diag_note(diags, (Loc){0}, "--resume once more goes on with that");
    return false;
}

/* Whatever an earlier run has computed is not thrown away unasked. */
static bool check_directory(const char *directory, RunEntry entry, Diags *diags)
{
    bool is_there = run_has_checkpoint(directory);
    bool is_resumed = entry == RUN_resumes;
    if (is_resumed ? is_there : !is_there || entry == RUN_replaces)
        return true;
    char *path = run_checkpoint_path(directory);
    if (is_resumed)
        diag_error(diags, (Loc){.file = path}, "there is no checkpoint to go on from");
    else
        diag_error(diags, (Loc){.file = path},
                   "a run is here already: --resume it, --overwrite it, or choose "
                   "another --out");
    free(path);
    return false;
}

static bool is_ready(const char *directory, RunEntry entry, Diags *diags)
{
    if (entry != RUN_resumes)
        return directory_make(directory, diags);
    if (!run_is_directory(directory))
        diag_error(diags, (Loc){.file = directory},
                   "there is no checkpoint to go on from");
    return run_is_directory(directory);
}

RunLock *run_enter(const char *directory, RunEntry entry, Diags *diags)
{
    bool is_new = !run_is_directory(directory);
    RunLock *lock = is_ready(directory, entry, diags)
                        ? run_lock_take(directory, is_new, diags)
                        : NULL;
    if (!lock)
        return NULL;
    run_sweep(directory);
    if (run_check_files(directory, diags) && recover(directory, entry, diags) &&
        check_directory(directory, entry, diags))
        return lock;
    run_lock_free(lock);
    return NULL;
}
