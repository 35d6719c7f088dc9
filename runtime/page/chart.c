/* Lines through points. */
#include <math.h>

#include "runtime/page/frame.h"

/* Above and below lines. */
static const double ROOM = 0.03;

typedef struct Plot {
    FILE *out;
    Scale x, y;
    bool is_down; /* the pen: the next point goes on with the line */
} Plot;

static bool has_place(const Plot *plot, const PageSeries *series, size_t i)
{
    return scale_takes(&plot->x, series->x[i]) && scale_takes(&plot->y, series->y[i]);
}

/* A line of one point is seen as a dot: its ends are round. */
static void write_point(Plot *plot, const PageSeries *series, size_t i)
{
    double x = scale_place(&plot->x, series->x[i]),
           y = scale_place(&plot->y, series->y[i]);
    if (plot->is_down)
        fprintf(plot->out, "L%.1f %.1f", x, y);
    else
        fprintf(plot->out, "M%.1f %.1fl0 0", x, y);
    plot->is_down = true;
}

static void write_all_points(Plot *plot, const PageSeries *series)
{
    for (size_t i = 0; i < series->count; i++)
        if (has_place(plot, series, i))
            write_point(plot, series, i);
        else
            plot->is_down = false;
}

/* -- many points: four of each column ----------------------------------------------- */

typedef struct ColumnPoints {
    size_t first, least, greatest, last;
    bool has_any;
} ColumnPoints;

static void column_add(ColumnPoints *column, const PageSeries *series, size_t i)
{
    if (!column->has_any)
        *column = (ColumnPoints){i, i, i, i, true};
    if (series->y[i] < series->y[column->least])
        column->least = i;
    if (series->y[i] > series->y[column->greatest])
        column->greatest = i;
    column->last = i;
}

static void write_column(Plot *plot, const PageSeries *series, ColumnPoints *column)
{
    if (!column->has_any)
        return;
    size_t a = column->least, b = column->greatest;
    const size_t points[] = {column->first, a < b ? a : b, a < b ? b : a, column->last};
    for (int i = 0; i < 4; i++)
        if (i == 0 || points[i] != points[i - 1])
            write_point(plot, series, points[i]);
    column->has_any = false;
}

/* Gaps within a column are not to be seen; those between two are. */
static void write_columns(Plot *plot, const PageSeries *series)
{
    ColumnPoints column = {0};
    double at = -1;
    bool is_gap = false;
    for (size_t i = 0; i < series->count; i++) {
        if (!has_place(plot, series, i)) {
            is_gap = true;
            continue;
        }
        double now = floor(scale_place(&plot->x, series->x[i]));
        if (now != at) {
            write_column(plot, series, &column);
            plot->is_down &= !is_gap;
            at = now;
        }
        is_gap = false;
        column_add(&column, series, i);
    }
    write_column(plot, series, &column);
}

/* -- a series ------------------------------------------------------------------------ */

static void write_marks(Plot *plot, const PageSeries *series)
{
    for (size_t i = 0; i < series->count; i++)
        if (has_place(plot, series, i))
            fprintf(plot->out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\"/>",
                    scale_place(&plot->x, series->x[i]),
                    scale_place(&plot->y, series->y[i]));
}

/* `number`: which one it is of those that are not faint. */
static void write_series(Plot *plot, const PageSeries *series, uint32_t number,
                         bool has_marks)
{
    bool is_long = series->count > PAGE_CHART_COLUMNS;
    if (series->is_faint)
        fprintf(plot->out, "<g class=\"c%u faint\"><title>", number % COLOURS);
    else
        fprintf(plot->out, "<g class=\"c%u d%u\"><title>", number % COLOURS,
                number % DASHES);
    html_text(plot->out, series->name);
    fputs("</title><path d=\"", plot->out);
    plot->is_down = false;
    if (is_long)
        write_columns(plot, series);
    else
        write_all_points(plot, series);
    fputs("\"/>", plot->out);
    if (has_marks && !is_long && !series->is_faint)
        write_marks(plot, series);
    fputs("</g>\n", plot->out);
}

static void write_legend(Page *page, const PageChart *chart)
{
    fputs("<ul class=\"legend\">", page->out);
    for (uint32_t s = 0, i = 0; s < chart->count; i += !chart->series[s++].is_faint) {
        if (chart->series[s].is_faint)
            continue;
        fprintf(page->out,
                "<li><svg viewBox=\"0 0 28 8\"><g class=\"c%u d%u\"><path d=\"M1 4H27\"/>"
                "</g></svg>",
                i % COLOURS, i % DASHES);
        html_text(page->out, chart->series[s].name);
        fputs("</li>\n", page->out);
    }
    fputs("</ul>\n", page->out);
}

void page_chart(Page *page, const PageChart *chart)
{
    Plot plot = {.out = page->out,
                 .x = {.is_log = chart->is_log_x},
                 .y = {.is_log = chart->is_log_y, .room = ROOM}};
    for (uint32_t s = 0; s < chart->count; s++)
        for (size_t i = 0; i < chart->series[s].count; i++)
            if (has_place(&plot, &chart->series[s], i)) {
                scale_add(&plot.x, chart->series[s].x[i]);
                scale_add(&plot.y, chart->series[s].y[i]);
            }
    frame_begin(page, chart->title, chart->x_name, chart->y_name, &plot.x, &plot.y);
    uint32_t number = 0;
    for (uint32_t s = 0; s < chart->count; s++) {
        write_series(&plot, &chart->series[s], number, chart->has_marks);
        number += !chart->series[s].is_faint;
    }
    frame_end(page);
    if (number > 1)
        write_legend(page, chart);
    frame_close(page);
}

void page_charts_begin(Page *page)
{
    fputs("<div class=\"charts\">\n", page->out);
}

void page_charts_end(Page *page)
{
    fputs("</div>\n", page->out);
}
