/* Curves over steps. Losses and norms leap from step to step, so that what is drawn
 * boldly is their mean over some steps about each; what they are lies faintly behind. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "ir/base/list.h"
#include "runtime/report/report.h"

/* A mean is over one in so many points, and over one at least. */
enum { WINDOW_SHARE = 40 };

/* -- lists of series ----------------------------------------------------------------- */

typedef struct SeriesList {
    PageSeries *items;
    size_t count, capacity;
    double **owned; /* numbers that were made for it */
    size_t owned_count, owned_capacity;
} SeriesList;

static void series_add(SeriesList *list, PageSeries series)
{
    if (series.count == 0)
        return;
    LIST_ROOM(list->items, list->count + 1, list->capacity);
    list->items[list->count++] = series;
}

static double *series_numbers(SeriesList *list, size_t count)
{
    double *numbers = HEAP_ARRAY(double, count);
    LIST_ROOM(list->owned, list->owned_count + 1, list->owned_capacity);
    list->owned[list->owned_count++] = numbers;
    return numbers;
}

static void series_free(SeriesList *list)
{
    for (size_t i = 0; i < list->owned_count; i++)
        free(list->owned[i]);
    free(list->owned);
    free(list->items);
}

static size_t window_of(size_t count)
{
    return count / WINDOW_SHARE | 1;
}

/* Means over a window about each point, cut at both ends; of what is finite. */
static void average(const double *y, size_t count, double *out)
{
    size_t half = window_of(count) / 2, from = 0, to = 0, finite = 0;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        for (; to < count && to <= i + half; to++) {
            sum += isfinite(y[to]) ? y[to] : 0;
            finite += isfinite(y[to]) != 0;
        }
        for (; from + half < i; from++) {
            sum -= isfinite(y[from]) ? y[from] : 0;
            finite -= isfinite(y[from]) != 0;
        }
        out[i] = finite && isfinite(y[i]) ? sum / (double)finite : NAN;
    }
}

static void add_averaged(SeriesList *list, const char *name, const Curve *curve)
{
    if (window_of(curve->count) == 1) {
        series_add(
            list, (PageSeries){
                      .name = name, .x = curve->x, .y = curve->y, .count = curve->count});
        return;
    }
    double *mean = series_numbers(list, curve->count);
    average(curve->y, curve->count, mean);
    series_add(list, (PageSeries){.name = name,
                                  .x = curve->x,
                                  .y = curve->y,
                                  .count = curve->count,
                                  .is_faint = true});
    series_add(list, (PageSeries){
                         .name = name, .x = curve->x, .y = mean, .count = curve->count});
}

/* A chart of what is in the list, which it empties. */
static void add_chart(Page *page, SeriesList *list, PageChart chart)
{
    chart.x_name = "step";
    chart.series = list->items;
    chart.count = (uint32_t)list->count;
    if (list->count > 0)
        page_chart(page, &chart);
    series_free(list);
    *list = (SeriesList){0};
}

/* -- charts -------------------------------------------------------------------------- */

static const Curve *find_losses(const History *history, const char *task)
{
    for (uint32_t t = 0; t < history_task_count(history); t++)
        if (strcmp(history_task(history, t), task) == 0)
            return &history->losses[t];
    return NULL;
}

/* Of one run all tasks are in one chart; of several, each task has a chart of its own. */
static void add_losses(Page *page, const ReportRuns *runs, const Strings *tasks)
{
    SeriesList list = {0};
    for (uint32_t t = 0; t < strings_count(tasks); t++) {
        const char *task = strings_text(tasks, t);
        for (uint32_t r = 0; r < runs->count; r++) {
            const Curve *curve = find_losses(&runs->items[r].history, task);
            if (curve)
                add_averaged(&list, runs->count > 1 ? runs->items[r].name : task, curve);
        }
        if (runs->count == 1)
            continue;
        char *title = heap_format("Loss: %s", task);
        add_chart(page, &list, (PageChart){.title = title, .y_name = "loss"});
        free(title);
    }
    add_chart(page, &list, (PageChart){.title = "Loss", .y_name = "loss"});
}

/* The scores that stand for a task on the validation split, and of the test split at
 * last. */
static PageSeries scores_of(SeriesList *list, const History *history, const char *task,
                            const char *name)
{
    double *x = series_numbers(list, history->score_count),
           *y = series_numbers(list, history->score_count);
    size_t count = 0;
    for (size_t i = 0; i < history->score_count; i++) {
        const HistoryScore *score = &history->scores[i];
        if (!score->is_main || strcmp(score->split, "valid") != 0 ||
            strcmp(history_task(history, score->task), task) != 0)
            continue;
        x[count] = score->step;
        y[count++] = score->score;
    }
    return (PageSeries){.name = name, .x = x, .y = y, .count = count};
}

static const char *unit_of(const ReportRuns *runs, const char *task)
{
    for (uint32_t r = 0; r < runs->count; r++) {
        const HistoryScore *score =
            history_last(&runs->items[r].history, task, "valid", 0);
        if (score)
            return score->unit && *score->unit ? score->unit : score->metric;
    }
    return "";
}

static void add_validation(Page *page, const ReportRuns *runs, const Strings *tasks)
{
    SeriesList list = {0};
    for (uint32_t t = 0; t < strings_count(tasks); t++) {
        const char *task = strings_text(tasks, t);
        for (uint32_t r = 0; r < runs->count; r++)
            series_add(&list, scores_of(&list, &runs->items[r].history, task,
                                        runs->items[r].name));
        char *title = heap_format("Validation: %s", task);
        add_chart(page, &list,
                  (PageChart){
                      .title = title, .y_name = unit_of(runs, task), .has_marks = true});
        free(title);
    }
}

static void add_steps(Page *page, const ReportRuns *runs)
{
    SeriesList list = {0};
    for (uint32_t r = 0; r < runs->count; r++) {
        const Curve *curve = &runs->items[r].history.rate;
        series_add(&list, (PageSeries){.name = runs->items[r].name,
                                       .x = curve->x,
                                       .y = curve->y,
                                       .count = curve->count});
    }
    add_chart(page, &list, (PageChart){.title = "Learning rate", .y_name = "rate"});
    for (uint32_t r = 0; r < runs->count; r++)
        add_averaged(&list, runs->items[r].name, &runs->items[r].history.norm);
    add_chart(page, &list,
              (PageChart){.title = "Norm of the gradients, before clipping",
                          .y_name = "norm",
                          .is_log_y = true});
}

void report_add_curves(Page *page, const ReportRuns *runs)
{
    Strings *tasks = report_tasks(runs);
    page_heading(page, "Curves");
    page_text(
        page,
        "Losses and norms are means over a %dth of the points, about each; what they "
        "are means of lies faintly behind. Of lines of more than %d points each "
        "column of the chart shows the first, least, greatest and last.",
        WINDOW_SHARE, PAGE_CHART_COLUMNS);
    page_charts_begin(page);
    add_losses(page, runs, tasks);
    add_validation(page, runs, tasks);
    add_steps(page, runs);
    page_charts_end(page);
    strings_free(tasks);
}
