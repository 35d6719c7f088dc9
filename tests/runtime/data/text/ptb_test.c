/* Tokens of captions. Files of cases have a line each: text, tab, words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/data/text/lists.h"
#include "runtime/data/text/ptb.h"
#include "tests/check.h"

static void join(void *context, const char *token, size_t len)
{
    TextBuffer *out = context;
    if (out->count)
        text_buffer_add(out, " ", 1);
    text_buffer_add(out, token, len);
}

/* With no-break spaces as blanks, as words are counted. */
static char *words_of(const char *text, TextBuffer *out)
{
    out->count = 0;
    ptb_tokenize(text, join, out);
    text_buffer_add(out, "", 1);
    for (char *at; (at = strstr(out->bytes, "\xc2\xa0"));) {
        *at = ' ';
        memmove(at + 1, at + 2, strlen(at + 2) + 1);
    }
    return out->bytes;
}

static void test_file(Check *check, const char *path)
{
    FILE *file = fopen(path, "r");
    char line[1024];
    size_t cases = 0;
    TextBuffer found = {0};
    CHECK(check, file, "%s cannot be read", path);
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *tab = strchr(line, '\t');
        CHECK(check, tab, "%s: no tab in '%s'", path, line);
        if (!tab)
            continue;
        *tab = 0;
        CHECK(check, strcmp(words_of(line, &found), tab + 1) == 0, "'%s': '%s', not '%s'",
              line, found.bytes, tab + 1);
        cases++;
    }
    CHECK(check, cases > 50, "%s has %zu cases", path, cases);
    text_buffer_free(&found);
    if (file)
        fclose(file);
}

/* However long a word is, its tokens are not, nor what a rule looks at: a text of which
 * every other character starts a tag that never ends is done in a moment. */
static void test_bounds(Check *check)
{
    enum { LEN = 40000 };
    char *text = malloc(LEN + 1);
    TextBuffer found = {0};
    memset(text, 'a', LEN);
    text[LEN] = 0;
    words_of(text, &found);
    CHECK(check, strcspn(found.bytes, " ") == PTB_LONGEST,
          "the first of %d letters has %zu", LEN, strcspn(found.bytes, " "));
    for (size_t i = 0; i < LEN; i += 2)
        text[i] = '<';
    words_of(text, &found);
    CHECK(check, found.count == 2 * LEN, "%zu bytes", found.count);
    text_buffer_free(&found);
    free(text);
}

int main(int argc, char **argv)
{
    Check check = {0};
    for (int i = 1; i < argc; i++)
        test_file(&check, argv[i]);
    test_bounds(&check);
    return check_finish(&check);
}
