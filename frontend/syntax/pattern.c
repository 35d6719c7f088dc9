/* PathPattern matching in time pattern times name: `*` needs no memory but where the last
 * one of each kind stood, because a later star can do whatever an earlier one of its kind
 * could. */
#include "frontend/syntax/pattern.h"

#include <string.h>

#include "frontend/syntax/words.h"

enum { LONGEST_PATTERNS = 4096 };

static const char blanks[] = " \t\r\n";

/* -- matching ----------------------------------------------------------------------- */

/* A place to try again from: the pattern after a star, and the name it had reached. A
 * binding is a star that has taken a letter, and knows where it began. */
typedef struct Retry {
    const char *pattern, *name;
    PatternBinding *binding;
    uint32_t bound; /* bindings so far */
} Retry;

typedef struct Matching {
    Retry one, any;
    PatternBinding *bindings;
    uint32_t bound;
} Matching;

/* At a '{': takes the first letter. False if there is none to take. */
static bool begin_binding(Matching *matching, const char **pattern, const char **name)
{
    if (!**name || **name == '.' || matching->bound == MOST_BINDINGS)
        return false;
    size_t len = strcspn(*pattern, "}");
    PatternBinding *binding = &matching->bindings[matching->bound++];
    *binding = (PatternBinding){*pattern + 1, *name, len - 1, 1};
    *pattern += len + ((*pattern)[len] == '}');
    ++*name;
    matching->one = (Retry){*pattern, *name, binding, matching->bound};
    return true;
}

/* The nearest star takes a letter more. False if none can. */
static bool try_again(Matching *matching, const char **pattern, const char **name)
{
    Retry *one = &matching->one, *any = &matching->any, *star = one;
    if (!one->pattern || !*one->name || *one->name == '.') {
        star = any;
        *one = (Retry){0};
    }
    if (!star->pattern || !*star->name)
        return false;
    *name = ++star->name;
    *pattern = star->pattern;
    matching->bound = star->bound;
    if (star->binding)
        star->binding->text_len++;
    return true;
}

bool pattern_binds(const char *pattern, const char *name, PatternBinding *out,
                   uint32_t *out_count)
{
    Matching matching = {.bindings = out};
    for (;;) {
        if (pattern[0] == '*' && pattern[1] == '*') {
            pattern += 2;
            matching.any = (Retry){pattern, name, NULL, matching.bound};
            matching.one = (Retry){0};
        } else if (pattern[0] == '*') {
            pattern++;
            matching.one = (Retry){pattern, name, NULL, matching.bound};
        } else if (pattern[0] == '{' && begin_binding(&matching, &pattern, &name)) {
            continue;
        } else if (*pattern && *pattern == *name && *pattern != '{') {
            pattern++;
            name++;
        } else if (!*pattern && !*name) {
            *out_count = matching.bound;
            return true;
        } else if (!try_again(&matching, &pattern, &name)) {
            return false;
        }
    }
}

bool pattern_matches(const char *pattern, const char *name)
{
    PatternBinding bindings[MOST_BINDINGS];
    uint32_t count;
    return pattern_binds(pattern, name, bindings, &count);
}

static size_t count_words(const char *text)
{
    size_t count = 0;
    for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
        text += strcspn(text, blanks);
        count++;
    }
    return count;
}

Patterns patterns_parse(const char *text, Arena *arena)
{
    Patterns patterns = {.items = ARENA_ARRAY(arena, PathPattern, count_words(text))};
    for (;;) {
        text += strspn(text, blanks);
        size_t len = strcspn(text, blanks);
        if (len == 0)
            return patterns;
        patterns.items[patterns.count++].text = arena_string(arena, text, len);
        text += len;
    }
}

const PathPattern *patterns_match(Patterns *patterns, const char *name)
{
    const PathPattern *last = NULL;
    for (uint32_t i = 0; i < patterns->count; i++) {
        if (!pattern_matches(patterns->items[i].text, name))
            continue;
        patterns->items[i].matched = true;
        last = &patterns->items[i];
    }
    return last;
}

/* -- reading ------------------------------------------------------------------------ */

/* Each {name} of a pattern is a name, and allowed. */
static bool check_bindings(const Patterns *patterns, const char *pattern, Diags *diags)
{
    uint32_t count = 0;
    for (const char *at = pattern; (at = strpbrk(at, "{}")); at++) {
        size_t len = name_length(at + 1, false);
        if (*at == '}' || len == 0 || at[1 + len] != '}') {
            diag_error(diags, patterns->loc, "'%s': expected a name between '{' and '}'",
                       pattern);
            return false;
        }
        if (!patterns->may_bind) {
            diag_error(diags, patterns->loc,
                       "'%s': {%.*s} has nothing to give a name to here; a run without "
                       "'.' is '*'",
                       pattern, (int)len, at + 1);
            return false;
        }
        if (++count > MOST_BINDINGS) {
            diag_error(diags, patterns->loc, "'%s': more than %d names in braces",
                       pattern, MOST_BINDINGS);
            return false;
        }
        at += len + 1;
    }
    return true;
}

/* What a constant is replaced by. Several patterns have no place beside other letters. */
static const char *constant_text(const Patterns *patterns, const char *start,
                                 const char *dollar, size_t len, NameLookup names,
                                 Interns *interns, Diags *diags)
{
    const char *name = intern_span(interns, dollar + 1, len), *after = dollar + 1 + len;
    Value value;
    if (len == 0) {
        diag_error(diags, patterns->loc, "expected the name of a constant after '$'");
        return NULL;
    }
    if (!names.find(names.self, name, patterns->loc, &value))
        return NULL;
    if (!value.text)
        return number_text(interns, value.number);
    bool alone = (dollar == start || strchr(blanks, dollar[-1])) &&
                 (!*after || strchr(blanks, *after));
    if (alone || !strpbrk(value.text, blanks))
        return value.text;
    diag_error(diags, patterns->loc,
               "$%s is several patterns, '%s', and must stand between blanks", name,
               value.text);
    return NULL;
}

/* The text of the attribute with every $name replaced. */
static bool expand(const Patterns *patterns, NameLookup names, Interns *interns,
                   Diags *diags, char *out)
{
    const char *start = patterns->source->value;
    size_t used = 0;
    for (const char *at = start; *at;) {
        size_t len = strcspn(at, "$"), taken = len;
        const char *text = at;
        if (len == 0) {
            size_t name_len = name_length(at + 1, false);
            text = constant_text(patterns, start, at, name_len, names, interns, diags);
            if (!text)
                return false;
            len = strlen(text);
            taken = 1 + name_len;
        }
        if (used + len > LONGEST_PATTERNS) {
            diag_error(diags, patterns->loc, "the patterns are longer than %d bytes",
                       LONGEST_PATTERNS);
            return false;
        }
        memcpy(out + used, text, len);
        used += len;
        at += taken;
    }
    out[used] = 0;
    return true;
}

bool patterns_read(Patterns *patterns, NameLookup names, Arena *arena, Interns *interns,
                   Diags *diags)
{
    char text[LONGEST_PATTERNS + 1];
    if (!expand(patterns, names, interns, diags, text))
        return false;
    Patterns parsed = patterns_parse(text, arena);
    patterns->items = parsed.items;
    patterns->count = parsed.count;
    for (uint32_t i = 0; i < patterns->count; i++)
        if (!check_bindings(patterns, patterns->items[i].text, diags))
            return false;
    return true;
}
