/* A page with all that pages have, of hostile texts and difficult numbers:
 *     gallery OUT.html PICTURE */
#include <math.h>
#include <stdlib.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/page/page.h"

#define HOSTILE "<script>document.title = 'hurt'</script>\"' onload=\"x\" & \xff\x01"

enum { LONG = 100000, SHORT = 24 };

static void add_table(Page *page)
{
    static const PageColumn columns[] = {{.name = "task " HOSTILE, .meaning = HOSTILE},
                                         {.name = "score", .is_number = true},
                                         {.name = "tokens/s", .is_number = true}};
    static const double scores[] = {9, 61.5, 100, NAN, -3};
    page_table_begin(page, "of " HOSTILE, columns, 3);
    for (int i = 0; i < 5; i++) {
        page_cell(page, i == 1 ? HOSTILE : i == 2 ? NULL : "gqa");
        if (i == 2)
            page_cell_best(page, scores[i], 1);
        else
            page_cell_number(page, scores[i], 1);
        page_cell_number(page, 1e5 / (i + 1), 0);
    }
    page_table_end(page);
}

static void add_lines(Page *page)
{
    double *x = HEAP_ARRAY(double, LONG), *y = HEAP_ARRAY(double, LONG);
    for (int i = 0; i < LONG; i++) {
        x[i] = i;
        y[i] = 4 * exp(-i / 20000.0) + 0.01 + 0.5 * sin(i * 0.37) * sin(i * 0.011);
    }
    for (int i = 30000; i < 40000; i++)
        y[i] = NAN;
    y[60000] = 9;
    PageSeries series[10];
    double some_x[10][SHORT], some_y[10][SHORT];
    for (int s = 0; s < 10; s++) {
        for (int i = 0; i < SHORT; i++) {
            some_x[s][i] = i * 4000;
            some_y[s][i] = pow(10, -s * 0.4) * (1 + 0.2 * cos(i + s));
        }
        some_y[s][5] = s == 1 ? INFINITY : some_y[s][5];
        series[s] = (PageSeries){
            .name = "series", .x = some_x[s], .y = some_y[s], .count = SHORT};
    }
    series[3].name = HOSTILE;
    page_charts_begin(page);
    page_chart(page,
               &(PageChart){
                   .title = "Long " HOSTILE,
                   .x_name = "step",
                   .y_name = "loss",
                   .series = &(PageSeries){.name = "one", .x = x, .y = y, .count = LONG},
                   .count = 1});
    page_chart(page, &(PageChart){.title = "Logarithmic",
                                  .x_name = "step",
                                  .y_name = "norm",
                                  .is_log_y = true,
                                  .has_marks = true,
                                  .series = series,
                                  .count = 10});
    page_chart(page,
               &(PageChart){.title = "Nothing", .x_name = "step", .y_name = "loss"});
    page_charts_end(page);
    free(x);
    free(y);
}

static void add_points(Page *page)
{
    PagePoint points[9];
    for (int i = 0; i < 9; i++)
        points[i] = (PagePoint){.label = i == 4 ? HOSTILE : "7",
                                .meaning = HOSTILE,
                                .x = 0.02 * pow(3, i),
                                .y = 60 + 3 * i,
                                .group = (uint32_t)i / 5};
    page_scatter(page, &(PageScatter){.title = "Scores",
                                      .x_name = "trained %",
                                      .y_name = "mean",
                                      .is_log_x = true,
                                      .points = points,
                                      .count = 9});
}

static void add_cards(Page *page, const char *picture, size_t len)
{
    page_cards_begin(page);
    for (int i = 0; i < 5; i++) {
        page_card_begin(page);
        page_picture(page, picture, i == 3 ? 5 : len, HOSTILE);
        page_fact(page, "question", i == 1 ? HOSTILE : "what is above the blue circle?");
        page_fact_judged(page, "answer", "a red star", i % 2);
        page_card_end(page);
    }
    page_cards_end(page);
}

int main(int argc, char **argv)
{
    Diags *diags = diags_new(stderr);
    size_t len = 0;
    char *picture = argc == 3 ? file_read(argv[2], 1 << 20, &len, diags) : NULL;
    Page *page = picture ? page_open(argv[1], "Gallery " HOSTILE, diags) : NULL;
    if (!page)
        return 2;
    page_text(page, "Text %s.", HOSTILE);
    page_warning(page, "Warning %s.", HOSTILE);
    page_heading(page, "Table " HOSTILE);
    add_table(page);
    page_heading(page, "Charts");
    add_lines(page);
    add_points(page);
    page_heading(page, "Cards");
    page_subheading(page, HOSTILE);
    page_lines(page, "vlrun report\n" HOSTILE);
    add_cards(page, picture, len);
    bool ok = page_finish(page, diags);
    free(picture);
    diags_free(diags);
    return ok ? 0 : 1;
}
