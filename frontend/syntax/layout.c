/* A file in its one form, from what is written in it. `column` is where the next
 * character is printed. */
#include "frontend/syntax/layout.h"

#include <string.h>

#include "frontend/syntax/attribute_order.h"
#include "frontend/syntax/markup.h"

enum { MOST_COLUMNS = 100, INDENT = 2 };

typedef struct LayoutPrinter {
    FILE *out;
    size_t column;
} LayoutPrinter;

static void put(LayoutPrinter *printer, const char *text)
{
    fputs(text, printer->out);
    printer->column += strlen(text);
}

static void put_span(LayoutPrinter *printer, SourceSpan span)
{
    fwrite(span.text, 1, span.len, printer->out);
    printer->column += span_columns(span);
}

static void start_line(LayoutPrinter *printer, size_t column)
{
    fprintf(printer->out, "\n%*s", (int)column, "");
    printer->column = column;
}

/* The text up to `stop`, and *rest after it. False if there is none. */
static bool next_line(SourceSpan *rest, SourceSpan *out)
{
    if (!rest->text)
        return false;
    const char *end = memchr(rest->text, '\n', rest->len);
    *out = *rest;
    if (end) {
        out->len = (size_t)(end - rest->text);
        rest->text = end + 1;
        rest->len -= out->len + 1;
    } else {
        rest->text = NULL;
    }
    return true;
}

/* Without blanks at its end. */
static SourceSpan trimmed(SourceSpan line)
{
    while (line.len > 0 && strchr(" \t", line.text[line.len - 1]))
        line.len--;
    return line;
}

static size_t leading_blanks(SourceSpan line)
{
    size_t count = 0;
    while (count < line.len && strchr(" \t", line.text[count]))
        count++;
    return count;
}

/* -- comments ----------------------------------------------------------------------- */

/* The lines of a comment move as far as its first. */
static void put_comment(LayoutPrinter *printer, const Markup *comment)
{
    size_t column = printer->column;
    SourceSpan rest = comment->text, line;
    for (bool first = true; next_line(&rest, &line); first = false) {
        size_t blanks = first ? 0 : leading_blanks(line);
        SourceSpan text = trimmed((SourceSpan){line.text + blanks, line.len - blanks});
        if (!first && text.len == 0) {
            fputc('\n', printer->out);
            continue;
        }
        if (!first)
            start_line(printer, blanks > comment->column
                                    ? column + blanks - comment->column
                                    : column);
        put_span(printer, text);
    }
}

/* -- attributes --------------------------------------------------------------------- */

static bool has_lines(SourceSpan span)
{
    return memchr(span.text, '\n', span.len) != NULL;
}

/* The quote that begins `text`, as itself or as an entity; 0 if none does. */
static char quote_at(SourceSpan text)
{
    static const struct {
        const char *spelling;
        char quote;
    } spellings[] = {{"'", '\''},     {"\"", '"'},    {"&apos;", '\''}, {"&quot;", '"'},
                     {"&#39;", '\''}, {"&#34;", '"'}, {"&#x27;", '\''}, {"&#x22;", '"'}};
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (strlen(spellings[i].spelling) <= text.len &&
            memcmp(text.text, spellings[i].spelling, strlen(spellings[i].spelling)) == 0)
            return spellings[i].quote;
    return 0;
}

/* The quote that a text is in at the end of a line that begins in `quote`; 0 if none. */
static char quote_after(SourceSpan line, char quote)
{
    for (; line.len > 0; line.text++, line.len--) {
        char found = quote_at(line);
        if (found && (!quote || found == quote))
            quote = quote ? 0 : found;
    }
    return quote;
}

/* Formulas, shapes and patterns, in which blanks only separate: their lines begin where
 * the first does. Quoted texts stay as they are, and all other attributes. */
static void put_aligned(LayoutPrinter *printer, SourceSpan value)
{
    size_t column = printer->column;
    char quote = 0;
    SourceSpan rest = value, line;
    for (bool first = true; next_line(&rest, &line); first = false) {
        size_t blanks = first || quote ? 0 : leading_blanks(line);
        if (!first && quote)
            fputc('\n', printer->out);
        else if (!first)
            start_line(printer, column);
        line.text += blanks;
        line.len -= blanks;
        quote = quote_after(line, quote);
        put_span(printer, quote || !rest.text ? line : trimmed(line));
    }
}

static void put_attribute(LayoutPrinter *printer, const Markup *element,
                          const MarkupAttribute *attribute)
{
    bool is_plain = memchr(attribute->value.text, '"', attribute->value.len) == NULL;
    char quote[] = {is_plain ? '"' : attribute->quote, 0};
    put_span(printer, attribute->name);
    put(printer, "=");
    put(printer, quote);
    if (has_lines(attribute->value) && blanks_only_separate(element, attribute))
        put_aligned(printer, attribute->value);
    else
        put_span(printer, attribute->value);
    put(printer, quote);
}

/* Columns of an attribute, or of its first line. */
static size_t attribute_columns(const MarkupAttribute *attribute)
{
    SourceSpan rest = attribute->value, line = {0};
    (void)next_line(&rest, &line);
    return span_columns(attribute->name) + 3 + span_columns(line);
}

static void put_attributes(LayoutPrinter *printer, const Markup *element, const char *end)
{
    size_t column = printer->column + 1;
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        const MarkupAttribute *attribute = &element->attributes[i];
        size_t needed = 1 + attribute_columns(attribute) +
                        (i + 1 == element->attribute_count ? strlen(end) : 0);
        if (i > 0 && printer->column + needed > MOST_COLUMNS)
            start_line(printer, column);
        else
            put(printer, " ");
        put_attribute(printer, element, attribute);
    }
}

/* -- elements ----------------------------------------------------------------------- */

/* Columns of the element on one line; no more than the first over `most` are counted. */
static size_t columns_of(const Markup *markup, size_t most)
{
    size_t columns = span_columns(markup->text);
    if (markup->kind != MARKUP_element)
        return columns + 1;
    columns += markup->first ? columns + strlen("<></>") : strlen("</>");
    for (uint32_t i = 0; i < markup->attribute_count && columns <= most; i++)
        columns += 1 + attribute_columns(&markup->attributes[i]);
    for (const Markup *child = markup->first; child && columns <= most;
         child = child->next)
        columns += columns_of(child, most - columns);
    return columns;
}

static void put_flat(LayoutPrinter *printer, const Markup *markup)
{
    if (markup->kind != MARKUP_element) {
        put_span(printer, markup->text);
        return;
    }
    put(printer, "<");
    put_span(printer, markup->text);
    for (uint32_t i = 0; i < markup->attribute_count; i++) {
        put(printer, " ");
        put_attribute(printer, markup, &markup->attributes[i]);
    }
    put(printer, markup->first ? ">" : "/>");
    for (const Markup *child = markup->first; child; child = child->next) {
        if (child->kind == MARKUP_comment && child != markup->first)
            put(printer, " ");
        put_flat(printer, child);
    }
    if (!markup->first)
        return;
    put(printer, "</");
    put_span(printer, markup->text);
    put(printer, ">");
}

static void put_children(LayoutPrinter *printer, const Markup *parent, size_t column);

static void put_element(LayoutPrinter *printer, const Markup *element)
{
    size_t column = printer->column;
    if (element->first && element->line == element->last &&
        column + columns_of(element, MOST_COLUMNS) <= MOST_COLUMNS) {
        put_flat(printer, element);
        return;
    }
    const char *end = element->first ? ">" : "/>";
    put(printer, "<");
    put_span(printer, element->text);
    put_attributes(printer, element, end);
    put(printer, end);
    if (!element->first)
        return;
    put_children(printer, element, column + INDENT);
    start_line(printer, column);
    put(printer, "</");
    put_span(printer, element->text);
    put(printer, ">");
}

/* Each on a line of its own, but for a comment behind what stands before it. */
static void put_children(LayoutPrinter *printer, const Markup *parent, size_t column)
{
    for (const Markup *child = parent->first; child; child = child->next) {
        bool is_first = child == parent->first;
        bool begins_file = is_first && !parent->parent && !parent->text.len;
        if (child->breaks > 1 && !is_first)
            fputc('\n', printer->out);
        if (child->kind == MARKUP_comment && child->breaks == 0 && !begins_file)
            put(printer, " ");
        else if (!begins_file)
            start_line(printer, column);
        if (child->kind == MARKUP_element)
            put_element(printer, child);
        else if (child->kind == MARKUP_comment)
            put_comment(printer, child);
        else
            put_span(printer, child->text);
    }
}

static void order_all(const Markup *markup)
{
    order_attributes(markup);
    for (const Markup *child = markup->first; child; child = child->next)
        order_all(child);
}

/* <?xml version="1.0"?>, which tells nothing: all files are XML 1.0 in UTF-8. */
static bool is_declaration(const Markup *markup)
{
    static const char start[] = "<?xml ";
    size_t len = sizeof start - 1;
    return markup && markup->kind == MARKUP_instruction && markup->text.len > len &&
           memcmp(markup->text.text, start, len) == 0;
}

void layout_print(const Source *source, Arena *arena, FILE *out)
{
    Markup outside = *markup_read(source, arena);
    LayoutPrinter printer = {out, 0};
    if (is_declaration(outside.first))
        outside.first = outside.first->next;
    order_all(&outside);
    put_children(&printer, &outside, 0);
    fputc('\n', out);
}
