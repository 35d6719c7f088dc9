#include "runtime/train/metrics_table.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/files.h"

const char *const metrics_rows[3] = {"steps", "scores", NULL};

/* By rows: the members in their columns, the first of which only such lines have. */
static const char *const columns[][11] = {
    [METRICS_steps] = {"loss", "step", "task", "lr", "gradient_norm", "sequences",
                       "tokens", "microbatches", "seconds", "time"},
    [METRICS_scores] = {"score", "step", "split", "task", "metric", "main", "unit",
                        "examples", "seconds", "time"},
};

static void print_text(const char *text, FILE *out)
{
    bool is_plain = !strpbrk(text, ",\"\r\n");
    if (is_plain) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', out);
}

static void print_cell(const json_t *value, FILE *out)
{
    if (json_is_integer(value))
        fprintf(out, "%" PRId64, (int64_t)json_integer_value(value));
    else if (json_is_real(value))
        fprintf(out, "%.9g", json_real_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "1" : "0", out);
    else if (json_is_string(value))
        print_text(json_string_value(value), out);
}

static void print_row(MetricsRows rows, const json_t *line, FILE *out)
{
    for (int i = 0; columns[rows][i]; i++) {
        if (i)
            fputc(',', out);
        print_cell(json_object_get(line, columns[rows][i]), out);
    }
    fputc('\n', out);
}

static bool take_line(MetricsRows rows, const char *text, size_t len, Loc loc, FILE *out,
                      Diags *diags)
{
    json_error_t error;
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!line)
        diag_error(diags, loc, "%s; expected a JSON object", error.text);
    else if (json_object_get(line, columns[rows][0]))
        print_row(rows, line, out);
    json_decref(line);
    return line;
}

bool metrics_table_print(const char *path, MetricsRows rows, FILE *out, Diags *diags)
{
    FILE *from = file_open_stream(path, diags);
    if (!from)
        return false;
    for (int i = 0; columns[rows][i]; i++)
        fprintf(out, "%s%s", i ? "," : "", columns[rows][i]);
    fputc('\n', out);
    Loc loc = {.file = path};
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    bool ok = true;
    while (ok && (len = getline(&text, &room, from)) > 0 && text[len - 1] == '\n') {
        loc.line++;
        ok = take_line(rows, text, (size_t)len, loc, out, diags);
    }
    if (ok && ferror(from)) {
        diag_error(diags, loc, "cannot read: %s", strerror(errno));
        ok = false;
    }
    free(text);
    fclose(from);
    return ok;
}
