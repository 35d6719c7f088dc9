/* Diagnostics: one shape of message, with the source line and a caret where the text is
 * known. */
#include "ir/base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"

typedef struct SourceText {
    struct SourceText *next;
    const char *file, *bytes;
    size_t len;
} SourceText;

struct Diags {
    FILE *out;
    DiagSink *sink; /* or NULL */
    void *state;    /* of the sink */
    Arena *arena;
    SourceText *sources;
    uint32_t errors;
    bool saw_not_finite;
    bool quiet; /* too many errors: the one being reported is counted, not printed */
};

enum { MOST_ERRORS = 20, WIDEST_LINE = 200 };

Diags *diags_new(FILE *out)
{
    Diags *diags = heap_alloc(sizeof *diags);
    *diags = (Diags){.out = out, .arena = arena_new()};
    return diags;
}

Diags *diags_new_to(DiagSink *sink, void *state)
{
    Diags *diags = diags_new(NULL);
    diags->sink = sink;
    diags->state = state;
    return diags;
}

void diags_free(Diags *diags)
{
    if (!diags)
        return;
    arena_free(diags->arena);
    free(diags);
}

uint32_t diags_error_count(const Diags *diags)
{
    return diags->errors;
}

bool diags_saw_not_finite(const Diags *diags)
{
    return diags->saw_not_finite;
}

void diags_add_source(Diags *diags, const char *file, const char *bytes, size_t len)
{
    SourceText *source = arena_alloc(diags->arena, sizeof *source);
    source->next = diags->sources;
    source->file = arena_string(diags->arena, file, strlen(file));
    source->bytes = arena_string(diags->arena, bytes, len);
    source->len = len;
    diags->sources = source;
}

/* The line's bytes, or NULL. */
static const char *find_line(const Diags *diags, Loc loc, size_t *out_len)
{
    const SourceText *source = diags->sources;
    while (source && strcmp(source->file, loc.file) != 0)
        source = source->next;
    if (!source || loc.line == 0)
        return NULL;
    const char *at = source->bytes, *end = source->bytes + source->len;
    for (uint32_t line = 1; line < loc.line; line++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            return NULL;
        at++;
    }
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    *out_len = (size_t)((stop ? stop : end) - at);
    return at;
}

static void print_caret(const Diags *diags, Loc loc)
{
    size_t len;
    const char *line = find_line(diags, loc, &len);
    if (!line || loc.column == 0 || loc.column > WIDEST_LINE)
        return;
    if (len > WIDEST_LINE)
        len = WIDEST_LINE;
    fputs("  ", diags->out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i];
        fputc(c < ' ' || c == 0x7f ? ' ' : c, diags->out);
    }
    fprintf(diags->out, "\n  %*s\n", (int)loc.column, "^");
}

PRINTF_LIKE(4, 0)
static void give(const Diags *diags, Loc loc, DiagKind kind, const char *format,
                 va_list args)
{
    char *text = heap_format_list(format, args);
    diags->sink(diags->state, kind, loc, text);
    free(text);
}

PRINTF_LIKE(4, 0)
static void report(Diags *diags, Loc loc, DiagKind kind, const char *format, va_list args)
{
    static const char *const names[] = {"error", "warning", "note"};
    if (diags->sink)
        give(diags, loc, kind, format, args);
    if (!diags->out)
        return;
    if (loc.file) {
        fputs(loc.file, diags->out);
        if (loc.line)
            fprintf(diags->out, ":%u", loc.line);
        if (loc.line && loc.column)
            fprintf(diags->out, ":%u", loc.column);
        fputs(": ", diags->out);
    }
    fprintf(diags->out, "%s: ", names[kind]);
    vfprintf(diags->out, format, args);
    fputc('\n', diags->out);
    if (loc.file)
        print_caret(diags, loc);
}

PRINTF_LIKE(3, 0)
static void report_error(Diags *diags, Loc loc, const char *format, va_list args)
{
    diags->errors++;
    diags->quiet = diags->errors > MOST_ERRORS && !diags->sink;
    if (diags->out && diags->errors == MOST_ERRORS + 1)
        fputs("error: more than 20 errors; the rest are not shown\n", diags->out);
    if (!diags->quiet)
        report(diags, loc, DIAG_error, format, args);
}

void diag_error(Diags *diags, Loc loc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report_error(diags, loc, format, args);
    va_end(args);
}

void diag_not_finite(Diags *diags, Loc loc, const char *format, ...)
{
    diags->saw_not_finite = true;
    va_list args;
    va_start(args, format);
    report_error(diags, loc, format, args);
    va_end(args);
}

void diag_warning(Diags *diags, Loc loc, const char *format, ...)
{
    diags->quiet = false;
    va_list args;
    va_start(args, format);
    report(diags, loc, DIAG_warning, format, args);
    va_end(args);
}

void diag_note(Diags *diags, Loc loc, const char *format, ...)
{
    if (diags->quiet)
        return;
    va_list args;
    va_start(args, format);
    report(diags, loc, DIAG_note, format, args);
    va_end(args);
}

/* Damerau-Levenshtein distance (adjacent swaps cost 1), or limit + 1 if it exceeds the
 * limit. What both begin and end with costs nothing, and is left out: names of tensors
 * are long, and differ in little. */
static size_t edit_distance(const char *a, const char *b, size_t limit)
{
    enum { MOST = 64 };
    size_t n = strlen(a), m = strlen(b);
    for (; n > 0 && m > 0 && *a == *b; a++, b++, n--, m--)
        continue;
    for (; n > 0 && m > 0 && a[n - 1] == b[m - 1]; n--, m--)
        continue;
    if (n > MOST || m > MOST || (n > m ? n - m : m - n) > limit)
        return limit + 1;
    size_t rows[3][MOST + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= m; j++)
        last[j] = j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[m];
}

/* What differs only in capital letters is nearest. */
static size_t name_distance(const char *name, const char *candidate, size_t limit)
{
    return strcasecmp(name, candidate) == 0 ? 0 : edit_distance(name, candidate, limit);
}

const char *nearest_name(const char *name, const char *const *candidates, size_t count)
{
    size_t len = strlen(name);
    size_t limit = len <= 3 ? 1 : len <= 7 ? 2 : 3;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance = name_distance(name, candidates[i], limit);
        if (distance <= limit && distance < len) {
            nearest = candidates[i];
            if (distance == 0)
                break;
            limit = distance - 1;
        }
    }
    return nearest;
}
