/* What words and numbers are made of. */
#include "frontend/syntax/words.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool begins_name(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

bool continues_name(char c)
{
    return begins_name(c) || isdigit((unsigned char)c);
}

bool is_bare_word(const char *text)
{
    if (!begins_name(*text))
        return false;
    while (continues_name(*text) || (*text && strchr("-./", *text)))
        text++;
    return *text == 0;
}

bool is_name(const char *text)
{
    if (!begins_name(*text))
        return false;
    while (continues_name(*text))
        text++;
    return *text == 0;
}

bool number_vanished(const char *text, double number)
{
    text += *text == '-' || *text == '+';
    text += strspn(text, "0.");
    return number == 0 && isdigit((unsigned char)*text);
}

size_t name_length(const char *at, bool dots)
{
    size_t len = 0;
    if (!begins_name(*at))
        return 0;
    while (continues_name(at[len]) ||
           (dots && at[len] == '.' && continues_name(at[len + 1])))
        len++;
    return len;
}

bool number_parse(const char *text, double *out)
{
    char *end;
    if (text[0] == 0 || text[strspn(text, "0123456789+-.eE")] != 0)
        return false;
    *out = strtod(text, &end);
    return *end == 0 && isfinite(*out) && !number_vanished(text, *out);
}
