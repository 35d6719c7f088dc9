/* Walks over values by brackets and quotes; whoever calls has parsed the text before. */
#include "runtime/sweep/place.h"

#include <string.h>

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* At the first quote; after the last. */
static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

static const char *skip_value(const char *at)
{
    int depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        at++;
    } while (*at && (depth > 0 || !strchr(",]}", *at)));
    return at;
}

static const char *find_member(const char *at, const char *name)
{
    size_t len = strlen(name);
    for (at = skip_blanks(at + 1); *at == '"'; at = skip_blanks(at + 1)) {
        const char *quote = at;
        at = skip_string(at);
        if ((size_t)(at - quote) == len + 2 && memcmp(quote + 1, name, len) == 0)
            return quote;
        at = skip_blanks(skip_value(skip_blanks(skip_blanks(at) + 1)));
        if (*at != ',')
            break;
    }
    return NULL;
}

static const char *find_element(const char *at, size_t index)
{
    at = skip_blanks(at + 1);
    for (size_t i = 0; i < index; i++) {
        at = skip_blanks(skip_value(at));
        if (*at != ',')
            return NULL;
        at = skip_blanks(at + 1);
    }
    return at;
}

/* From the name of a member to its value. */
static const char *value_of(const char *at)
{
    return skip_blanks(skip_blanks(skip_string(at)) + 1);
}

static const char *find(const char *text, const JsonPath *path)
{
    if (!path)
        return skip_blanks(text);
    const char *in = find(text, path->up);
    if (path->up && path->up->member && *in == '"')
        in = value_of(in);
    bool is_object = *in == '{', is_array = *in == '[';
    const char *at = path->member && is_object   ? find_member(in, path->member)
                     : !path->member && is_array ? find_element(in, path->index)
                                                 : NULL;
    return at ? at : in;
}

Loc json_place(const char *file, const char *text, const JsonPath *path)
{
    Loc loc = {.file = file, .line = 1, .column = 1};
    for (const char *end = find(text, path); text < end; text++) {
        loc.column = *text == '\n' ? 1 : loc.column + 1;
        loc.line += *text == '\n';
    }
    return loc;
}
