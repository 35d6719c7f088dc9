/* What the commands that print tables have in common. */
#include "frontend/vlc/format.h"

#include <inttypes.h>
#include <stdio.h>

const char *const format_choices[4] = {"text", "tsv", "json"};

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
