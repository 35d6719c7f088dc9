/* One HTML page in one file: nothing is fetched from elsewhere, all of it can be read
 * without its script, in light and in dark and on paper, and 400 pixels are wide enough.
 *
 * Whatever is given is plain text. It is escaped here, bytes that are no UTF-8 become
 * U+FFFD, and the page forbids every script but its own (Content-Security-Policy), so
 * that nothing of a data set or a name can become markup.
 *
 *     Page *page = page_open("page.html", "Runs", diags);
 *     page_heading(page, "Scores");
 *     page_table_begin(page, "of the test split", columns, 2);
 *     page_cell(page, "vqa");
 *     page_cell_number(page, 61.5, 1);
 *     page_table_end(page);
 *     if (!page_finish(page, diags)) ...
 *
 * A page is written as it is made; no function here but page_open and page_finish can
 * fail. */
#ifndef VLG_RUNTIME_PAGE_PAGE_H
#define VLG_RUNTIME_PAGE_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "ir/base/diag.h"

typedef struct Page Page;

/* The page that becomes the file `path` when it is finished, as new_file_open. NULL and
 * an error if it cannot be written. */
NODISCARD Page *page_open(const char *path, const char *title, Diags *diags);
/* Frees the page. False and an error if it is not on disk; an old file then stays. */
NODISCARD bool page_finish(Page *page, Diags *diags);
void page_discard(Page *page); /* NULL is allowed; an old file stays */

/* -- texts --------------------------------------------------------------------------- */

/* Begins a section; lists of sections at the head of the page follow from it. */
void page_heading(Page *page, const char *text);
void page_subheading(Page *page, const char *text);
void page_text(Page *page, const char *format, ...) PRINTF_LIKE(2, 3);
/* A paragraph that is marked as one to be seen. */
void page_warning(Page *page, const char *format, ...) PRINTF_LIKE(2, 3);
/* Lines as they are, such as a command or what a program said. */
void page_lines(Page *page, const char *text);

/* What lies between these two is shown when it is asked for, under a line of text. */
void page_fold_begin(Page *page, const char *text);
void page_fold_end(Page *page);

/* -- tables -------------------------------------------------------------------------- */

typedef struct PageColumn {
    const char *name;
    const char *meaning; /* shown where the pointer rests on the name; or NULL */
    bool is_number;      /* to the right, and sorted as numbers */
} PageColumn;

/* Rows are cells from left to right, as many as there are columns. `caption` or NULL. The
 * columns are read here only. */
void page_table_begin(Page *page, const char *caption, const PageColumn *columns,
                      uint32_t count);
void page_cell(Page *page, const char *text); /* NULL: nothing there */
/* With so many decimals; nothing there if it is not finite. */
void page_cell_number(Page *page, double value, int decimals);
/* The same for the best of its column. */
void page_cell_best(Page *page, double value, int decimals);
void page_table_end(Page *page);

/* -- charts -------------------------------------------------------------------------- */

/* A line through points, whose x do not fall. Where y is not finite, or an axis has no
 * place for it, the line has a gap. */
typedef struct PageSeries {
    const char *name;
    const double *x, *y; /* [count] */
    size_t count;
    bool is_faint; /* lies behind the next, in its colour, and is not in the legend */
} PageSeries;

typedef struct PageChart {
    const char *title, *x_name, *y_name;
    bool is_log_x,
        is_log_y;   /* logarithmic axes; only what is above 0 has a place there */
    bool has_marks; /* points are marked, as where there are few */
    const PageSeries *series;
    uint32_t count;
} PageChart;

/* Charts between these two stand beside each other where there is room. */
void page_charts_begin(Page *page);
void page_charts_end(Page *page);
/* Series differ in colour (for all kinds of colour vision: Okabe and Ito, Color Universal
 * Design, 2008) and in dashes. Of a series with more points than a chart has columns,
 * each column shows its first, least, greatest and last one, which draws the same line
 * (M4: Jugel, Jerzak, Hackenbroich and Markl, VLDB 2014). */
void page_chart(Page *page, const PageChart *chart);
/* Columns of a chart. */
enum { PAGE_CHART_COLUMNS = 420 };

/* A point each, with its label beside it. */
typedef struct PagePoint {
    const char *label;   /* short */
    const char *meaning; /* shown where the pointer rests on it; or NULL */
    double x, y;
    uint32_t group; /* its colour */
} PagePoint;

typedef struct PageScatter {
    const char *title, *x_name, *y_name;
    bool is_log_x, is_log_y;
    const PagePoint *points;
    size_t count;
} PageScatter;

void page_scatter(Page *page, const PageScatter *scatter);

/* -- cards ------------------------------------------------------------------------- */

/* Examples, each with its pictures and facts, beside each other where there is room:
 *
 *     page_cards_begin; { page_card_begin; page_picture...; page_fact...; page_card_end;
 *     }...; page_cards_end */
void page_cards_begin(Page *page);
void page_card_begin(Page *page);
void page_fact(Page *page, const char *name, const char *value);
/* The same, marked as right or wrong. */
void page_fact_judged(Page *page, const char *name, const char *value, bool is_right);
void page_card_end(Page *page);
void page_cards_end(Page *page);

/* A picture of the bytes of a file: PNG, JPEG, GIF or WebP, by its first bytes. `name` is
 * what stands for it where pictures are not seen. One that is larger than
 * PAGE_PICTURE_BYTES, or would make those of the page more than PAGE_PICTURES_BYTES, or
 * is of another kind, is named and left out. */
void page_picture(Page *page, const void *bytes, size_t len, const char *name);
enum { PAGE_PICTURE_BYTES = 4 << 20, PAGE_PICTURES_BYTES = 48 << 20 };

#endif
