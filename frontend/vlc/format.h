/* Tables for people (text), scripts (tsv) and programs (json). */
#ifndef VLG_FRONTEND_VLC_FORMAT_H
#define VLG_FRONTEND_VLC_FORMAT_H

#include <stdint.h>

#include "ir/base/command_line.h"

typedef enum Format { FORMAT_text, FORMAT_tsv, FORMAT_json } Format;

extern const char *const format_choices[4]; /* NULL at the end */

/* `field`: the offset of a Format. */
#define OPTION_FORMAT(field)                                                             \
    OPTION(choice, "--format", field, "FORMAT", "of the table",                          \
           .choices = format_choices, .preset = "text")

enum { COUNT_TEXT = 32 };
void count_text(int64_t count, char *out); /* "19,333,632", into COUNT_TEXT bytes */
void print_json_string(const char *text);
double percent(int64_t part, int64_t whole); /* 0 of nothing */

#endif
