/* The page itself: its head and foot, texts and cards. */
#include "runtime/page/page.h"

#include <stdarg.h>
#include <stdlib.h>

#include "ir/base/heap.h"
#include "runtime/page/page_parts.h"

/* -- head and foot ----------------------------------------------------------------- */

/* Nothing but what is in the page, and of scripts the one that is known by its digest. */
static void write_policy(FILE *out)
{
    fputs("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "img-src data:; style-src 'unsafe-inline'; script-src 'sha256-",
          out);
    html_base64(out, page_js_digest, page_js_digest_len);
    fputs("'; base-uri 'none'; form-action 'none'\">\n", out);
}

static void write_head(Page *page, const char *title)
{
    FILE *out = page->out;
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", out);
    write_policy(out);
    fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" "
          "href=\"data:,\">\n<title>",
          out);
    html_text(out, title);
    fputs("</title>\n<style>\n", out);
    fwrite(page_css, 1, page_css_len, out);
    fputs("</style>\n</head>\n<body>\n<main>\n<h1>", out);
    html_text(out, title);
    fputs("</h1>\n<nav></nav>\n", out);
}

static void write_foot(Page *page)
{
    if (page->sections)
        fputs("</section>\n", page->out);
    fputs("</main>\n<script>", page->out);
    fwrite(page_js, 1, page_js_len, page->out);
    fputs("</script>\n</body>\n</html>\n", page->out);
}

Page *page_open(const char *path, const char *title, Diags *diags)
{
    NewFile *file = new_file_open(path, diags);
    if (!file)
        return NULL;
    Page *page = heap_alloc(sizeof *page);
    *page = (Page){.file = file, .out = new_file_stream(file)};
    write_head(page, title);
    return page;
}

static void free_page(Page *page)
{
    free(page->is_number);
    free(page);
}

bool page_finish(Page *page, Diags *diags)
{
    write_foot(page);
    bool ok = new_file_finish(page->file, diags);
    free_page(page);
    return ok;
}

void page_discard(Page *page)
{
    if (!page)
        return;
    new_file_discard(page->file);
    free_page(page);
}

/* -- texts ------------------------------------------------------------------------- */

void page_heading(Page *page, const char *text)
{
    if (page->sections)
        fputs("</section>\n", page->out);
    fprintf(page->out, "<section>\n<h2 id=\"s%u\">", ++page->sections);
    html_text(page->out, text);
    fputs("</h2>\n", page->out);
}

void page_subheading(Page *page, const char *text)
{
    fputs("<h3>", page->out);
    html_text(page->out, text);
    fputs("</h3>\n", page->out);
}

static void write_paragraph(Page *page, const char *tag, const char *format, va_list args)
{
    char *text = heap_format_list(format, args);
    fprintf(page->out, "<p%s>", tag);
    html_text(page->out, text);
    fputs("</p>\n", page->out);
    free(text);
}

void page_text(Page *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_paragraph(page, "", format, args);
    va_end(args);
}

void page_warning(Page *page, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_paragraph(page, " class=\"warning\"", format, args);
    va_end(args);
}

void page_lines(Page *page, const char *text)
{
    fputs("<pre>", page->out);
    html_text(page->out, text);
    fputs("</pre>\n", page->out);
}

void page_fold_begin(Page *page, const char *text)
{
    fputs("<details>\n<summary>", page->out);
    html_text(page->out, text);
    fputs("</summary>\n", page->out);
}

void page_fold_end(Page *page)
{
    fputs("</details>\n", page->out);
}

/* -- cards ------------------------------------------------------------------------- */

void page_cards_begin(Page *page)
{
    fputs("<div class=\"cards\">\n", page->out);
}

void page_card_begin(Page *page)
{
    fputs("<article>\n", page->out);
}

static void write_fact(Page *page, const char *tag, const char *name, const char *value)
{
    fprintf(page->out, "<p class=\"fact%s\"><span>", tag);
    html_text(page->out, name);
    fputs("</span> ", page->out);
    html_text(page->out, value);
    fputs("</p>\n", page->out);
}

void page_fact(Page *page, const char *name, const char *value)
{
    write_fact(page, "", name, value);
}

void page_fact_judged(Page *page, const char *name, const char *value, bool is_right)
{
    write_fact(page, is_right ? " right" : " wrong", name, value);
}

void page_card_end(Page *page)
{
    fputs("</article>\n", page->out);
}

void page_cards_end(Page *page)
{
    fputs("</div>\n", page->out);
}
