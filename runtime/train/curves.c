/* Curves of numbers, from lines of JSON. */
#include "runtime/train/curves.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/clock.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/tensorboard/event_record.h"

struct Curves {
    char *path;
    FILE *stream;
};

/* -- lines ------------------------------------------------------------------------- */

static void add_step(FILE *out, json_t *line)
{
    json_int_t step, tokens, time;
    const char *task;
    double loss, rate, norm, seconds;
    if (json_unpack(line, "{s:I, s:s, s:F, s:F, s:F, s:I, s:F, s:I}", "step", &step,
                    "task", &task, "loss", &loss, "lr", &rate, "gradient_norm", &norm,
                    "tokens", &tokens, "seconds", &seconds, "time", &time) != 0)
        return;
    char *loss_tag = heap_format("loss/%s", task);
    const Scalar scalars[] = {
        {loss_tag, loss},
        {"train/lr", rate},
        {"train/gradient_norm", norm},
        {"train/tokens_per_second", seconds > 0 ? (double)tokens / seconds : 0}};
    event_record_scalars(out, (double)time, step + 1, scalars,
                         sizeof scalars / sizeof *scalars);
    free(loss_tag);
}

static void add_score(FILE *out, json_t *line)
{
    json_int_t step, time;
    const char *split, *task, *metric;
    double score;
    if (json_unpack(line, "{s:I, s:s, s:s, s:s, s:F, s:I}", "step", &step, "split",
                    &split, "task", &task, "metric", &metric, "score", &score, "time",
                    &time) != 0)
        return;
    char *tag = heap_format("%s/%s/%s", split, task, metric);
    const Scalar scalar = {tag, score};
    event_record_scalars(out, (double)time, step, &scalar, 1);
    free(tag);
}

/* What is neither has no curve. */
static void add_line(FILE *out, const char *text, size_t len)
{
    json_t *line = json_loadb(text, len, 0, NULL);
    if (json_object_get(line, "loss"))
        add_step(out, line);
    else if (json_object_get(line, "score"))
        add_score(out, line);
    json_decref(line);
}

/* -- files ------------------------------------------------------------------------- */

bool curves_write(const char *path, const char *metrics, Diags *diags)
{
    FILE *from = file_open_stream(metrics, diags);
    NewFile *to = from ? new_file_open(path, diags) : NULL;
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    if (to)
        event_record_version(new_file_stream(to), (double)clock_date());
    while (to && (len = getline(&text, &room, from)) > 0)
        add_line(new_file_stream(to), text, (size_t)len);
    free(text);
    if (from)
        fclose(from);
    return to && new_file_finish(to, diags);
}

Curves *curves_open(const char *path, const char *metrics, Diags *diags)
{
    if (!curves_write(path, metrics, diags))
        return NULL;
    Curves *curves = heap_alloc(sizeof *curves);
    *curves = (Curves){.path = heap_string(path), .stream = fopen(path, "ab")};
    if (curves->stream)
        return curves;
    diag_error(diags, (Loc){.file = path}, "cannot write: %s", strerror(errno));
    curves_close(curves);
    return NULL;
}

void curves_add(Curves *curves, const char *line)
{
    add_line(curves->stream, line, strlen(line));
}

bool curves_flush(Curves *curves, Diags *diags)
{
    errno = 0;
    bool is_whole = fflush(curves->stream) == 0 && !ferror(curves->stream);
    if (!is_whole)
        diag_error(diags, (Loc){.file = curves->path}, "curves are lost: %s",
                   errno ? strerror(errno) : "they could not be written");
    return is_whole;
}

void curves_close(Curves *curves)
{
    if (!curves)
        return;
    if (curves->stream)
        fclose(curves->stream);
    free(curves->path);
    free(curves);
}
