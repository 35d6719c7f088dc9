/* A message is known again by its text without numbers and quoted names. */
#include "runtime/survey/findings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"
#include "ir/base/strings.h"

struct Findings {
    Arena *arena;
    Diags *diags;
    Strings *keys; /* numbered as the items are */
    SurveyFinding items[FINDINGS_MOST];
    int64_t counts[DIAG_note + 1];
    const char *task;
    Split split;
    SurveyFinding *last; /* whose newest message is shown, for notes; or NULL */
};

/* -- what is alike ------------------------------------------------------------------- */

/* Behind a text in quotes, if one begins here; else NULL. */
static const char *skip_quoted(const char *at, const char *begin)
{
    bool is_opening = *at == '\'' && (at == begin || !isalnum((unsigned char)at[-1]));
    const char *end = is_opening ? at + 1 : NULL;
    while (end && *end && (*end != '\'' || isalnum((unsigned char)end[1])))
        end++;
    return end && *end ? end + 1 : NULL;
}

/* Of the message, into `out`, which has room for it. */
static size_t strip(const char *text, char *out)
{
    size_t len = 0;
    for (const char *at = text; *at;) {
        const char *behind = skip_quoted(at, text);
        if (isdigit((unsigned char)*at))
            behind = at + strspn(at, "0123456789.");
        out[len++] = behind ? '#' : *at;
        at = behind ? behind : at + 1;
    }
    return len;
}

static SurveyFinding *find(Findings *findings, DiagKind kind, const char *text)
{
    size_t room = strlen(text) + 1;
    char *bare = heap_alloc(room);
    size_t len = strip(text, bare);
    char *key =
        heap_format("%d %s %d %.*s", (int)kind, findings->task ? findings->task : "",
                    (int)findings->split, (int)len, bare);
    uint32_t number = strings_find(findings->keys, key, strlen(key));
    if (number == STRING_ABSENT && strings_count(findings->keys) < FINDINGS_MOST)
        number = strings_add(findings->keys, key, strlen(key));
    if (number == STRING_ABSENT)
        number = FINDINGS_MOST - 1;
    free(key);
    free(bare);
    return &findings->items[number];
}

/* -- messages ------------------------------------------------------------------------ */

static void add_note(Findings *findings, Loc loc, const char *text)
{
    SurveyFinding *of = findings->last;
    if (!of)
        return;
    const char **note = &of->notes[of->shown_count - 1];
    const char *file = loc.file ? loc.file : "";
    const char *before = *note ? arena_format(findings->arena, "%s; ", *note) : "";
    *note = loc.line ? arena_format(findings->arena, "%s%s:%u: %s", before, file,
                                    loc.line, text)
                     : arena_format(findings->arena, "%s%s%s%s", before, file,
                                    loc.file ? ": " : "", text);
}

static const char *with_place(Findings *findings, Loc loc, const char *text)
{
    if (loc.file && loc.line)
        return arena_format(findings->arena, "%s:%u: %s", loc.file, loc.line, text);
    return arena_format(findings->arena, "%s%s%s", loc.file ? loc.file : "",
                        loc.file ? ": " : "", text);
}

static void take(void *state, DiagKind kind, Loc loc, const char *text)
{
    Findings *findings = state;
    if (kind == DIAG_note) {
        add_note(findings, loc, text);
        return;
    }
    SurveyFinding *of = find(findings, kind, text);
    of->kind = kind;
    of->task = findings->task;
    of->split = findings->split;
    of->count++;
    findings->counts[kind]++;
    findings->last = of->shown_count < FINDING_SHOWN ? of : NULL;
    if (findings->last)
        of->shown[of->shown_count++] = with_place(findings, loc, text);
}

/* -- the whole ----------------------------------------------------------------------- */

Findings *findings_new(void)
{
    Findings *findings = heap_alloc(sizeof *findings);
    *findings =
        (Findings){.arena = arena_new(), .keys = strings_new(), .split = SPLIT_COUNT};
    findings->diags = diags_new_to(take, findings);
    return findings;
}

void findings_free(Findings *findings)
{
    if (!findings)
        return;
    diags_free(findings->diags);
    strings_free(findings->keys);
    arena_free(findings->arena);
    free(findings);
}

Diags *findings_diags(Findings *findings)
{
    return findings->diags;
}

void findings_at(Findings *findings, const char *task, Split split)
{
    findings->task = task;
    findings->split = split;
    findings->last = NULL;
}

const SurveyFinding *findings_items(const Findings *findings, uint32_t *out_count)
{
    *out_count = strings_count(findings->keys);
    return findings->items;
}

int64_t findings_count(const Findings *findings, DiagKind kind)
{
    return findings->counts[kind];
}
