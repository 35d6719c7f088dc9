/* Metrics: lines are kept or dropped by what they say of their step; the file is replaced
 * whole, then appended to. */
#include "runtime/train/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/train/curves.h"

enum { BUFFER_BYTES = 1 << 16 };

struct Metrics {
    char *path;
    FILE *stream;
    Curves *curves; /* or NULL */
    bool has_validation;
};

/* What a pass over an old file finds. */
typedef struct Trim {
    int64_t steps; /* that are to be kept */
    bool is_over;
    int64_t found; /* lines of steps 0, 1, .. in this order */
    bool has_validation;
} Trim;

/* -- opening ----------------------------------------------------------------------- */

static Metrics *fail(Metrics *metrics, const char *problem, Diags *diags)
{
    diag_error(diags, (Loc){.file = metrics->path}, "cannot write: %s", problem);
    metrics_close(metrics);
    return NULL;
}

static Metrics *open_to_append(const char *path, bool has_validation, Diags *diags)
{
    Metrics *metrics = heap_alloc(sizeof *metrics);
    *metrics = (Metrics){.path = heap_string(path), .has_validation = has_validation};
    int fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail(metrics, strerror(errno), diags);
    struct stat status;
    bool is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    metrics->stream = is_file ? fdopen(fd, "a") : NULL;
    /* Scores of a split reach the file in one piece. */
    if (metrics->stream && setvbuf(metrics->stream, NULL, _IOFBF, BUFFER_BYTES) == 0)
        return metrics;
    if (!metrics->stream)
        close(fd);
    return fail(metrics, is_file ? strerror(errno) : "no regular file", diags);
}

Metrics *metrics_new(const char *path, Diags *diags)
{
    if (!file_replace(path, "", 0, diags))
        return NULL;
    return open_to_append(path, false, diags);
}

/* -- what to keep ------------------------------------------------------------------ */

/* Of the events at the step where a run goes on, those that it will not make again: the
 * scores before training, and of validation. */
static bool keeps_event(Trim *trim, const json_t *line, const char *event, int64_t step)
{
    const char *split = json_string_value(json_object_get(line, "split"));
    if (step != trim->steps || strcmp(event, "scores") != 0 || !split)
        return step < trim->steps;
    bool is_valid = strcmp(split, "valid") == 0;
    trim->has_validation |= is_valid;
    return is_valid || (step == 0 && !trim->is_over);
}

static bool keeps(Trim *trim, const json_t *line)
{
    const json_t *number = json_object_get(line, "step");
    const char *event = json_string_value(json_object_get(line, "event"));
    if (!json_is_integer(number))
        return false;
    int64_t step = json_integer_value(number);
    if (event)
        return keeps_event(trim, line, event, step);
    bool is_kept = step == trim->found && step < trim->steps;
    trim->found += is_kept;
    return is_kept;
}

static void copy_lines(Trim *trim, FILE *from, FILE *to)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&text, &room, from)) > 0) {
        json_t *line = text[len - 1] == '\n'
                           ? json_loadb(text, (size_t)len, JSON_REJECT_DUPLICATES, NULL)
                           : NULL;
        if (line && keeps(trim, line))
            fwrite(text, 1, (size_t)len, to);
        json_decref(line);
    }
    free(text);
}

static bool trim_file(Trim *trim, const char *path, Diags *diags)
{
    FILE *from = file_open_stream(path, diags);
    NewFile *to = from ? new_file_open(path, diags) : NULL;
    if (!to) {
        if (from)
            fclose(from);
        return false;
    }
    copy_lines(trim, from, new_file_stream(to));
    bool is_read = !ferror(from);
    fclose(from);
    if (is_read)
        return new_file_finish(to, diags);
    new_file_discard(to);
    diag_error(diags, (Loc){.file = path}, "cannot read: %s", strerror(errno));
    return false;
}

Metrics *metrics_resume(const char *path, int64_t steps, bool is_over, Diags *diags)
{
    Trim trim = {.steps = steps, .is_over = is_over};
    bool is_there = access(path, F_OK) == 0;
    if (!(is_there ? trim_file(&trim, path, diags) : file_replace(path, "", 0, diags)))
        return NULL;
    if (trim.found < steps)
        diag_warning(diags, (Loc){.file = path},
                     "has no lines of steps %" PRId64 " to %" PRId64
                     ", which the checkpoint counts",
                     trim.found, steps - 1);
    return open_to_append(path, trim.has_validation, diags);
}

/* -- at work ----------------------------------------------------------------------- */

bool metrics_draw(Metrics *metrics, const char *path, Diags *diags)
{
    fflush(metrics->stream);
    metrics->curves = curves_open(path, metrics->path, diags);
    return metrics->curves;
}

void metrics_add(Metrics *metrics, const char *line)
{
    fprintf(metrics->stream, "%s\n", line);
    if (metrics->curves)
        curves_add(metrics->curves, line);
}

void metrics_flush(Metrics *metrics)
{
    fflush(metrics->stream);
}

bool metrics_has_validation(const Metrics *metrics)
{
    return metrics->has_validation;
}

bool metrics_sync(Metrics *metrics, Diags *diags)
{
    errno = 0;
    bool is_whole = fflush(metrics->stream) == 0 && !ferror(metrics->stream) &&
                    fsync(fileno(metrics->stream)) == 0;
    if (!is_whole)
        diag_error(diags, (Loc){.file = metrics->path}, "lines are lost: %s",
                   errno ? strerror(errno) : "they could not be written");
    return is_whole && (!metrics->curves || curves_flush(metrics->curves, diags));
}

void metrics_close(Metrics *metrics)
{
    if (!metrics)
        return;
    curves_close(metrics->curves);
    if (metrics->stream)
        fclose(metrics->stream);
    free(metrics->path);
    free(metrics);
}
