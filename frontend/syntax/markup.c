/* A file that is known to be well-formed, without document type, and without text but
 * blanks, is cut at its `<`. */
#include "frontend/syntax/markup.h"

#include <string.h>

#include "ir/base/list.h"

typedef struct Scanner {
    Arena *arena;
    const char *at, *counted; /* columns are counted up to there */
    uint32_t column, line, breaks;
    Markup *open;   /* the innermost element that has not ended */
    Markup **tails; /* where the next one is linked in, at each depth */
    size_t tail_capacity;
    uint32_t depth;
} Scanner;

size_t span_columns(SourceSpan span)
{
    size_t columns = 0;
    for (size_t i = 0; i < span.len; i++)
        columns += ((unsigned char)span.text[i] & 0xc0) != 0x80;
    return columns;
}

bool span_is(SourceSpan span, const char *text)
{
    return strlen(text) == span.len && memcmp(span.text, text, span.len) == 0;
}

/* Line ends as XML reads them: CR LF and CR are LF. */
static const char *with_plain_lines(const Source *source, Arena *arena)
{
    char *text = arena_copy(arena, source->bytes, source->len + 1);
    size_t kept = 0;
    for (size_t i = 0; i <= source->len; i++) {
        if (text[i] == '\r' && text[i + 1] == '\n')
            continue;
        text[kept++] = text[i] == '\r' ? '\n' : text[i];
    }
    return text;
}

/* Everything up to `end`, whose lines are counted. */
static SourceSpan take(Scanner *scanner, const char *end)
{
    SourceSpan span = {scanner->at, (size_t)(end - scanner->at)};
    for (; scanner->at < end; scanner->at++)
        if (*scanner->at == '\n') {
            scanner->line++;
            scanner->counted = scanner->at + 1;
            scanner->column = 0;
        }
    return span;
}

/* From `begin` through `end`, both of which are there. */
static SourceSpan take_through(Scanner *scanner, const char *begin, const char *end)
{
    /* Not by strstr, which reads the whole text under the address sanitizer. */
    const char *at = strchr(scanner->at + strlen(begin), *end);
    while (strncmp(at, end, strlen(end)) != 0)
        at = strchr(at + 1, *end);
    return take(scanner, at + strlen(end));
}

static void skip_blanks(Scanner *scanner)
{
    (void)take(scanner, scanner->at + strspn(scanner->at, " \t\n"));
}

static Markup *add(Scanner *scanner, MarkupKind kind)
{
    Markup *markup = arena_alloc(scanner->arena, sizeof *markup);
    SourceSpan before = {scanner->counted, (size_t)(scanner->at - scanner->counted)};
    scanner->column += (uint32_t)span_columns(before);
    scanner->counted = scanner->at;
    *markup = (Markup){.kind = kind,
                       .column = scanner->column,
                       .line = scanner->line,
                       .breaks = scanner->breaks,
                       .parent = scanner->open};
    Markup **tail = &scanner->tails[scanner->depth];
    if (*tail)
        (*tail)->next = markup;
    else
        scanner->open->first = markup;
    *tail = markup;
    scanner->breaks = 0;
    return markup;
}

static void add_whole(Scanner *scanner, MarkupKind kind, const char *begin,
                      const char *end)
{
    Markup *markup = add(scanner, kind);
    markup->text = take_through(scanner, begin, end);
    markup->last = scanner->line;
}

static MarkupAttribute take_attribute(Scanner *scanner)
{
    MarkupAttribute attribute;
    attribute.name = take(scanner, scanner->at + strcspn(scanner->at, "= \t\n"));
    skip_blanks(scanner);
    scanner->at++; /* = */
    skip_blanks(scanner);
    attribute.quote = *scanner->at++;
    attribute.value = take(scanner, strchr(scanner->at, attribute.quote));
    scanner->at++;
    return attribute;
}

static void take_attributes(Scanner *scanner, Markup *element)
{
    size_t capacity = 0;
    for (;;) {
        skip_blanks(scanner);
        if (*scanner->at == '>' || *scanner->at == '/')
            return;
        ARENA_LIST_ROOM(scanner->arena, element->attributes, element->attribute_count + 1,
                        capacity);
        element->attributes[element->attribute_count++] = take_attribute(scanner);
    }
}

static void open_element(Scanner *scanner, Markup *element)
{
    scanner->open = element;
    scanner->depth++;
    ARENA_LIST_ROOM(scanner->arena, scanner->tails, scanner->depth + 1,
                    scanner->tail_capacity);
    scanner->tails[scanner->depth] = NULL;
}

static void add_element(Scanner *scanner)
{
    Markup *element = add(scanner, MARKUP_element);
    scanner->at++; /* < */
    element->text = take(scanner, scanner->at + strcspn(scanner->at, " \t\n/>"));
    take_attributes(scanner, element);
    if (*scanner->at == '>')
        open_element(scanner, element);
    (void)take_through(scanner, "", ">");
    element->last = scanner->line;
}

static void close_element(Scanner *scanner)
{
    (void)take_through(scanner, "", ">");
    scanner->open->last = scanner->line;
    scanner->open = scanner->open->parent;
    scanner->depth--;
    scanner->breaks = 0;
}

static bool begins(const Scanner *scanner, const char *mark)
{
    return strncmp(scanner->at, mark, strlen(mark)) == 0;
}

const Markup *markup_read(const Source *source, Arena *arena)
{
    const char *text = with_plain_lines(source, arena);
    Markup *outside = arena_alloc(arena, sizeof *outside);
    *outside = (Markup){.kind = MARKUP_element};
    Scanner scanner = {.arena = arena, .at = text, .counted = text, .open = outside};
    ARENA_LIST_ROOM(arena, scanner.tails, 1, scanner.tail_capacity);
    scanner.tails[0] = NULL;
    for (;;) {
        uint32_t line = scanner.line;
        (void)take(&scanner, scanner.at + strcspn(scanner.at, "<"));
        scanner.breaks += scanner.line - line;
        if (!*scanner.at)
            return outside;
        if (begins(&scanner, "<!--"))
            add_whole(&scanner, MARKUP_comment, "<!--", "-->");
        else if (begins(&scanner, "<?"))
            add_whole(&scanner, MARKUP_instruction, "<?", "?>");
        else if (begins(&scanner, "<!")) /* a section of blanks */
            (void)take_through(&scanner, "<![CDATA[", "]]>");
        else if (begins(&scanner, "</"))
            close_element(&scanner);
        else
            add_element(&scanner);
    }
}
