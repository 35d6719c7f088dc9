/* Tables. */
#include <math.h>
#include <stdlib.h>

#include "ir/base/heap.h"
#include "runtime/page/page_parts.h"

static void write_column(FILE *out, const PageColumn *column)
{
    fprintf(out, "<th scope=\"col\"%s", column->is_number ? " class=\"n\"" : "");
    if (column->meaning) {
        fputs(" title=\"", out);
        html_text(out, column->meaning);
        fputc('"', out);
    }
    fputc('>', out);
    html_text(out, column->name);
    fputs("</th>", out);
}

void page_table_begin(Page *page, const char *caption, const PageColumn *columns,
                      uint32_t count)
{
    FILE *out = page->out;
    page->columns = count;
    page->column = 0;
    page->is_number = heap_grow(page->is_number, count, sizeof *page->is_number);
    fputs("<div class=\"wide\"><table>\n", out);
    if (caption) {
        fputs("<caption>", out);
        html_text(out, caption);
        fputs("</caption>\n", out);
    }
    fputs("<thead><tr>", out);
    for (uint32_t i = 0; i < count; i++) {
        write_column(out, &columns[i]);
        page->is_number[i] = columns[i].is_number;
    }
    fputs("</tr></thead>\n<tbody>\n", out);
}

static void begin_cell(Page *page, const char *tag)
{
    if (page->column == 0)
        fputs("<tr>", page->out);
    fprintf(page->out, "<td class=\"%s%s\">", page->is_number[page->column] ? "n" : "",
            tag);
}

static void end_cell(Page *page)
{
    fputs("</td>", page->out);
    if (++page->column < page->columns)
        return;
    fputs("</tr>\n", page->out);
    page->column = 0;
}

void page_cell(Page *page, const char *text)
{
    begin_cell(page, "");
    html_text(page->out, text);
    end_cell(page);
}

void page_cell_number(Page *page, double value, int decimals)
{
    begin_cell(page, "");
    if (isfinite(value))
        fprintf(page->out, "%.*f", decimals, value);
    end_cell(page);
}

void page_cell_best(Page *page, double value, int decimals)
{
    begin_cell(page, " best");
    fprintf(page->out, "%.*f", decimals, value);
    end_cell(page);
}

void page_table_end(Page *page)
{
    fputs("</tbody></table></div>\n", page->out);
}
