#include "ir/base/terminal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80, MOST_COLUMNS = 10000 };

FILE *terminal(FILE *out)
{
    const char *kind = getenv("TERM");
    bool is_dumb = !kind || !*kind || strcmp(kind, "dumb") == 0;
    return !is_dumb && isatty(fileno(out)) ? out : NULL;
}

int terminal_columns(FILE *out)
{
    const char *text = getenv("COLUMNS");
    long said = text ? strtol(text, NULL, 10) : 0;
    if (said > 0 && said <= MOST_COLUMNS)
        return (int)said;
    struct winsize size;
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                         : USUAL_COLUMNS;
}

/* Bytes of the first characters; each is taken to be one column wide. */
static size_t bytes_of(const char *text, int characters)
{
    size_t at = 0;
    for (; text[at]; at++) {
        bool begins = ((unsigned char)text[at] & 0xc0) != 0x80;
        if (begins && characters-- == 0)
            break;
    }
    return at;
}

/* The last column stays free: some terminals go on to the next line from there. */
void terminal_show(FILE *out, const char *text)
{
    size_t len = bytes_of(text, terminal_columns(out) - 1);
    fprintf(out, "\r%.*s\033[K", (int)len, text);
    fflush(out);
}
