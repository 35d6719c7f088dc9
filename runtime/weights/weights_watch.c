/* Looking at the files again. */
#include "runtime/weights/weights_watch.h"

#include <sys/stat.h>

#include "runtime/weights/fingerprint.h"

typedef enum Change { CHANGE_none, CHANGE_times, CHANGE_size, CHANGE_replaced } Change;

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static Change look_at(const TensorFile *file)
{
    const struct stat *before = tensor_file_status(file);
    struct stat now;
    if (stat(tensor_file_path(file), &now) != 0 || now.st_dev != before->st_dev ||
        now.st_ino != before->st_ino)
        return CHANGE_replaced;
    if (now.st_size != before->st_size)
        return CHANGE_size;
    return is_same_time(now.st_mtim, before->st_mtim) &&
                   is_same_time(now.st_ctim, before->st_ctim)
               ? CHANGE_none
               : CHANGE_times;
}

static bool report_change(const TensorFile *file, Diags *diags)
{
    diag_error(
        diags, (Loc){.file = tensor_file_path(file)},
        "the file has changed since it was opened: what was computed meanwhile is of "
        "no use");
    diag_note(diags, (Loc){0}, "what was saved before is kept");
    return false;
}

bool weights_are_unchanged(WeightsWatch *watch, Diags *diags)
{
    const TensorFile *touched = NULL;
    for (uint32_t i = 0; watch->set && i < tensor_set_file_count(watch->set); i++) {
        const TensorFile *file = tensor_set_file_at(watch->set, i);
        Change change = look_at(file);
        if (change == CHANGE_size)
            return report_change(file, diags);
        if (change == CHANGE_times)
            touched = file;
        if (change != CHANGE_replaced || watch->was_replaced)
            continue;
        diag_warning(diags, (Loc){.file = tensor_file_path(file)},
                     "was moved or replaced; this run goes on with the file as it was");
        watch->was_replaced = true;
    }
    return !touched || weights_hash(watch->set) == watch->fingerprint ||
           report_change(touched, diags);
}
