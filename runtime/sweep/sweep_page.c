/* The page of a sweep: its table, scores against what they cost, and settings. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/sweep/sweep_pages.h"

/* Curves of more runs than these cannot be told apart. */
enum { MOST_CURVES = 10 };

static const double BYTES_IN_MB = 1e6;

/* -- the table ----------------------------------------------------------------------- */

static const char *label_of(const SweepRow *row, const char *label)
{
    return json_string_value(json_object_get(row->labels, label));
}

static bool is_number(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    return *text && !*end && isfinite(value);
}

/* Whether all rows that have it have a number there. */
static bool has_numbers(const SweepFile *sweep, const char *label)
{
    bool has_any = false;
    for (uint32_t i = 0; i < sweep->count; i++) {
        const char *text = label_of(&sweep->rows[i], label);
        if (text && !is_number(text))
            return false;
        has_any |= text != NULL;
    }
    return has_any;
}

static double best_score(const SweepResults *results, const char *task)
{
    double best = NAN;
    for (uint32_t i = 0; i < results->sweep->count; i++)
        best = fmax(best, task ? sweep_row_score(results->sweep, &results->runs[i], task)
                               : results->rows[i].mean);
    return best;
}

static void add_score(Page *page, double score, double best)
{
    if (score == best)
        page_cell_best(page, score, 1);
    else
        page_cell_number(page, score, 1);
}

static void add_row(Page *page, const SweepResults *results, uint32_t number)
{
    const SweepRow *row = &results->sweep->rows[number];
    const ReportRun *run = &results->runs[number];
    const RowResult *result = &results->rows[number];
    page_cell_number(page, row->number, 0);
    for (uint32_t i = 0; i < strings_count(results->labels); i++)
        page_cell(page, label_of(row, strings_text(results->labels, i)));
    page_cell_number(page, result->percent, 2);
    for (uint32_t i = 0; i < strings_count(results->tasks); i++) {
        const char *task = strings_text(results->tasks, i);
        add_score(page, sweep_row_score(results->sweep, run, task),
                  best_score(results, task));
    }
    add_score(page, result->mean, best_score(results, NULL));
    page_cell_number(page, result->train_speed, 0);
    page_cell_number(page, result->test_speed, 0);
    page_cell_number(page, result->peak_bytes / BYTES_IN_MB, 0);
    page_cell_number(page, result->seconds, 0);
}

static void add_table(Page *page, const SweepResults *results)
{
    static const PageColumn ends[] = {
        {"mean", "of the scores of all tasks", true},
        {"train/s", "examples a second in training steps, in this run", true},
        {"answer/s", "examples of the test split answered and scored a second", true},
        {"peak MB", "of resident memory, scoring included", true},
        {"seconds", "in training steps", true}};
    enum { ENDS = sizeof ends / sizeof *ends };
    uint32_t labels = strings_count(results->labels),
             tasks = strings_count(results->tasks), count = 0;
    PageColumn *columns = HEAP_ARRAY(PageColumn, labels + tasks + ENDS + 2);
    columns[count++] = (PageColumn){"#", "number of the row, for --only", true};
    for (uint32_t i = 0; i < labels; i++) {
        const char *label = strings_text(results->labels, i);
        columns[count++] =
            (PageColumn){.name = label, .is_number = has_numbers(results->sweep, label)};
    }
    columns[count++] = (PageColumn){"trained %", "of all parameters", true};
    for (uint32_t i = 0; i < tasks; i++)
        columns[count++] =
            (PageColumn){strings_text(results->tasks, i), "of the test split", true};
    memcpy(columns + count, ends, sizeof ends);
    page_table_begin(page, NULL, columns, count + ENDS);
    for (uint32_t i = 0; i < results->sweep->count; i++)
        add_row(page, results, i);
    page_table_end(page);
    free(columns);
}

/* -- charts of results --------------------------------------------------------------- */

/* Rows of one value of the first label are of one colour. */
static PagePoint *points_of(const SweepResults *results, char **labels)
{
    const SweepFile *sweep = results->sweep;
    PagePoint *points = HEAP_ARRAY(PagePoint, sweep->count);
    Strings *groups = strings_new();
    for (uint32_t i = 0; i < sweep->count; i++) {
        const char *group =
            strings_count(results->labels)
                ? label_of(&sweep->rows[i], strings_text(results->labels, 0))
                : NULL;
        group = group ? group : "";
        labels[i] = heap_format("%" PRIu32, sweep->rows[i].number);
        points[i] = (PagePoint){.label = labels[i],
                                .meaning = sweep->rows[i].name,
                                .y = results->rows[i].mean,
                                .group = strings_add(groups, group, strlen(group))};
    }
    strings_free(groups);
    return points;
}

static void add_scatter(Page *page, const SweepResults *results, PagePoint *points,
                        PageScatter scatter)
{
    scatter.y_name = "mean score";
    scatter.points = points;
    scatter.count = results->sweep->count;
    page_scatter(page, &scatter);
}

static void add_costs(Page *page, const SweepResults *results)
{
    uint32_t count = results->sweep->count;
    char **labels = HEAP_ARRAY(char *, count);
    PagePoint *points = points_of(results, labels);
    for (uint32_t i = 0; i < count; i++)
        points[i].x = results->rows[i].percent;
    add_scatter(page, results, points,
                (PageScatter){.title = "Score and share of trained parameters",
                              .x_name = "trained %",
                              .is_log_x = true});
    for (uint32_t i = 0; i < count; i++)
        points[i].x = results->rows[i].train_speed;
    add_scatter(
        page, results, points,
        (PageScatter){.title = "Score and speed of training", .x_name = "examples/s"});
    for (uint32_t i = 0; i < count; i++)
        points[i].x = results->rows[i].test_speed;
    add_scatter(
        page, results, points,
        (PageScatter){.title = "Score and speed of answering", .x_name = "examples/s"});
    for (uint32_t i = 0; i < count; i++)
        free(labels[i]);
    free(labels);
    free(points);
}

/* -- scores over a label of numbers -------------------------------------------------- */

/* All labels of a row but one: rows that share them are one line. */
static char *others_of(const SweepResults *results, const SweepRow *row,
                       const char *label)
{
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    bool is_first = true;
    for (uint32_t i = 0; i < strings_count(results->labels); i++) {
        const char *name = strings_text(results->labels, i), *value = label_of(row, name);
        if (!value || strcmp(name, label) == 0)
            continue;
        fprintf(out, "%s%s", is_first ? "" : ", ", value);
        is_first = false;
    }
    fclose(out);
    return text;
}

typedef struct LabelPoint {
    double x, y;
} LabelPoint;

static int by_x(const void *a, const void *b)
{
    const LabelPoint *left = a, *right = b;
    return (left->x > right->x) - (left->x < right->x);
}

/* Of the rows of one line; room for as many as there are rows. */
static PageSeries line_of(const SweepResults *results, const Strings *lines,
                          const uint32_t *line_of_row, uint32_t line, const char *label)
{
    uint32_t count = 0, rows = results->sweep->count;
    LabelPoint *points = HEAP_ARRAY(LabelPoint, rows);
    for (uint32_t i = 0; i < rows; i++) {
        const char *text = label_of(&results->sweep->rows[i], label);
        if (text && line_of_row[i] == line)
            points[count++] = (LabelPoint){strtod(text, NULL), results->rows[i].mean};
    }
    qsort(points, count, sizeof *points, by_x);
    double *x = HEAP_ARRAY(double, rows), *y = HEAP_ARRAY(double, rows);
    for (uint32_t i = 0; i < count; i++) {
        x[i] = points[i].x;
        y[i] = points[i].y;
    }
    free(points);
    const char *name = strings_text(lines, line);
    return (PageSeries){.name = *name ? name : "mean", .x = x, .y = y, .count = count};
}

static void free_line(const PageSeries *series)
{
    free((double *)series->x);
    free((double *)series->y);
}

static void add_over_label(Page *page, const SweepResults *results, const char *label)
{
    uint32_t rows = results->sweep->count;
    Strings *lines = strings_new();
    uint32_t *line_of_row = HEAP_ARRAY(uint32_t, rows);
    for (uint32_t i = 0; i < rows; i++) {
        char *others = others_of(results, &results->sweep->rows[i], label);
        line_of_row[i] = strings_add(lines, others, strlen(others));
        free(others);
    }
    PageSeries *series = HEAP_ARRAY(PageSeries, strings_count(lines));
    uint32_t count = 0;
    for (uint32_t i = 0; i < strings_count(lines); i++) {
        series[count] = line_of(results, lines, line_of_row, i, label);
        if (series[count].count > 0)
            count++;
        else
            free_line(&series[count]);
    }
    char *title = heap_format("Score over %s", label);
    page_chart(page, &(PageChart){.title = title,
                                  .x_name = label,
                                  .y_name = "mean score",
                                  .has_marks = true,
                                  .series = series,
                                  .count = count});
    free(title);
    for (uint32_t i = 0; i < count; i++)
        free_line(&series[i]);
    free(series);
    free(line_of_row);
    strings_free(lines);
}

/* Whether rows have several values of it. */
static bool varies(const SweepFile *sweep, const char *label)
{
    const char *first = NULL;
    for (uint32_t i = 0; i < sweep->count; i++) {
        const char *text = label_of(&sweep->rows[i], label);
        if (text && first && strcmp(text, first) != 0)
            return true;
        first = first ? first : text;
    }
    return false;
}

static void add_charts(Page *page, const SweepResults *results)
{
    page_heading(page, "What scores cost");
    page_text(page, "Points bear the numbers of their rows.");
    page_charts_begin(page);
    for (uint32_t i = 0; i < strings_count(results->labels); i++) {
        const char *label = strings_text(results->labels, i);
        if (has_numbers(results->sweep, label) && varies(results->sweep, label))
            add_over_label(page, results, label);
    }
    add_costs(page, results);
    page_charts_end(page);
}

/* -- settings ------------------------------------------------------------------------ */

static char *words_of(const SweepRow *row)
{
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    const char *name;
    json_t *value;
    json_object_foreach(row->set, name, value)
        fprintf(out, "%s=%s ", name, json_string_value(value));
    for (uint32_t i = 0; i < row->compile.count; i++)
        fprintf(out, "%s ", row->compile.items[i]);
    for (uint32_t i = 0; i < row->train.count; i++)
        fprintf(out, "%s ", row->train.items[i]);
    fclose(out);
    return text;
}

static void add_settings(Page *page, const SweepResults *results)
{
    static const PageColumn columns[] = {{.name = "#", .is_number = true},
                                         {.name = "row"},
                                         {.name = "recipe"},
                                         {.name = "settings"},
                                         {.name = "directory"}};
    page_heading(page, "Settings");
    page_fold_begin(page, "What each row was given");
    page_table_begin(page, NULL, columns, sizeof columns / sizeof *columns);
    for (uint32_t i = 0; i < results->sweep->count; i++) {
        const SweepRow *row = &results->sweep->rows[i];
        char *words = words_of(row), *directory = heap_format("rows/%s", row->id);
        page_cell_number(page, row->number, 0);
        page_cell(page, row->name);
        page_cell(page, row->model);
        page_cell(page, words);
        page_cell(page, directory);
        free(words);
        free(directory);
    }
    page_table_end(page);
    page_fold_end(page);
}

/* -- the page ------------------------------------------------------------------------ */

/* Of the rows that have a run, if they are few. */
static void add_curves(Page *page, const SweepResults *results)
{
    ReportRuns runs = {.items = HEAP_ARRAY(ReportRun, results->sweep->count)};
    for (uint32_t i = 0; i < results->sweep->count; i++)
        if (results->runs[i].history.tasks)
            runs.items[runs.count++] = results->runs[i];
    if (runs.count > 0 && runs.count <= MOST_CURVES)
        report_add_curves(page, &runs);
    free(runs.items);
}

bool sweep_write_page(const SweepResults *results, const char *title, const char *path,
                      Diags *diags)
{
    const SweepFile *sweep = results->sweep;
    Page *page = page_open(path, title, diags);
    if (!page)
        return false;
    if (sweep->about)
        page_text(page, "%s", sweep->about);
    page_heading(page, "Rows");
    if (results->finished < sweep->count)
        page_warning(page,
                     "%" PRIu32 " of %" PRIu32
                     " rows are not finished: the same command goes on with them.",
                     sweep->count - results->finished, sweep->count);
    add_table(page, results);
    add_charts(page, results);
    add_curves(page, results);
    add_settings(page, results);
    return page_finish(page, diags);
}
