/* PathPattern matching in time pattern times name: `*` needs no memory but where the last
 * one of each kind stood, because a later star can do whatever an earlier one of its kind
 * could. */
#include "frontend/syntax/pattern.h"

#include <string.h>

/* A place to try again from: the pattern after a star, and the name it had reached. */
typedef struct Retry {
    const char *pattern, *name;
} Retry;

bool pattern_matches(const char *pattern, const char *name)
{
    Retry one = {0}, any = {0};
    for (;;) {
        if (pattern[0] == '*' && pattern[1] == '*') {
            pattern += 2;
            any = (Retry){pattern, name};
            one = (Retry){0};
        } else if (pattern[0] == '*') {
            pattern++;
            one = (Retry){pattern, name};
        } else if (*pattern && *pattern == *name) {
            pattern++;
            name++;
        } else if (!*pattern && !*name) {
            return true;
        } else if (one.pattern && *one.name && *one.name != '.') {
            name = ++one.name;
            pattern = one.pattern;
        } else if (any.pattern && *any.name) {
            name = ++any.name;
            pattern = any.pattern;
            one = (Retry){0};
        } else {
            return false;
        }
    }
}

Patterns patterns_parse(const char *text, Arena *arena)
{
    static const char blanks[] = " \t\r\n";
    Patterns patterns = {.items = ARENA_ARRAY(arena, PathPattern, strlen(text) / 2 + 1)};
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
