/* What the commands that print tables have in common. */
#include <inttypes.h>
#include <string.h>

#include "frontend/vlc/vlc.h"

bool read_format(const Arguments *arguments, Format *out)
{
    static const char *const names[] = {"text", "tsv", "json"};
    const char *found = arguments->values[OPTION_format];
    for (*out = FORMAT_text; found && *out <= FORMAT_json; ++*out)
        if (strcmp(found, names[*out]) == 0)
            return true;
    if (found)
        fprintf(stderr, "vlc: --format: found '%s', expected text, tsv or json\n", found);
    return !found;
}

void count_text(int64_t count, char *out)
{
    char digits[COUNT_TEXT];
    int len = snprintf(digits, sizeof digits, "%" PRId64, count);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = 0;
}

void print_json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < ' ')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

double percent(int64_t part, int64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}
