/* The table of vlc compare: a column for each model, a row for each figure. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "frontend/vlc/compare.h"

typedef enum ValueKind {
    VALUE_count,
    VALUE_percent,
    VALUE_amount,
    VALUE_seconds
} ValueKind;

static const struct {
    const char *name, *meaning;
    ValueKind kind;
} figures[FIGURE_COUNT] = {
#define FIGURE(name, kind, meaning) {#name, meaning, VALUE_##kind},
    MODEL_FIGURES TASK_FIGURES
#undef FIGURE
};

/* A row of the table. */
typedef struct Row {
    const FigureBlock *block;
    FigureKind figure;
} Row;

static double value_of(const Row *row, uint32_t model)
{
    return row->block->has[model] ? row->block->values[model][row->figure] : NAN;
}

/* The second model against the first, or NAN. */
static double ratio_of(const Row *row)
{
    double first = value_of(row, 0);
    return first != 0 ? value_of(row, 1) / first : NAN;
}

/* Calls `print` for the rows of a block, in order. */
static void each_row(const Compare *compare, const FigureBlock *block,
                     void (*print)(const Compare *, const Row *))
{
    bool is_task = block->task[0] != 0;
    FigureKind first = is_task ? FIRST_TASK_FIGURE : 0;
    FigureKind end = is_task ? FIGURE_COUNT : FIRST_TASK_FIGURE;
    for (FigureKind figure = first; figure < end; figure++)
        print(compare, &(Row){block, figure});
}

static void print_blocks(const Compare *compare, void (*head)(const FigureBlock *),
                         void (*print)(const Compare *, const Row *))
{
    for (uint32_t i = 0; i < compare->block_count; i++) {
        if (head)
            head(&compare->blocks[i]);
        each_row(compare, &compare->blocks[i], print);
    }
}

/* -- text
 * -------------------------------------------------------------------------------- */

enum { LABEL_WIDTH = 36, LEAST_WIDTH = 14 };

/* "27.5 G" */
static void amount_text(double value, char *out)
{
    static const char *const prefixes[] = {"", " k", " M", " G", " T", " P"};
    size_t prefix = 0;
    while (value >= 999.5 && prefix + 1 < sizeof prefixes / sizeof *prefixes) {
        value /= 1000;
        prefix++;
    }
    snprintf(out, COUNT_TEXT, "%.*f%s",
             value < 9.995   ? 2
             : value < 99.95 ? 1
                             : 0,
             value, prefixes[prefix]);
}

static void value_text(double value, ValueKind kind, char *out)
{
    if (isnan(value))
        snprintf(out, COUNT_TEXT, "-");
    else if (kind == VALUE_count)
        count_text((int64_t)value, out);
    else if (kind == VALUE_amount)
        amount_text(value, out);
    else
        snprintf(out, COUNT_TEXT, kind == VALUE_percent ? "%.4f" : "%.3g", value);
}

static int column_width(const Compare *compare, uint32_t model)
{
    int width = (int)strlen(compare->models[model]);
    return width > LEAST_WIDTH ? width : LEAST_WIDTH;
}

static void print_text_head(const FigureBlock *block)
{
    if (block->task[0])
        printf("\ntask %s\n", block->task);
}

static void print_text_row(const Compare *compare, const Row *row)
{
    bool is_task = row->block->task[0] != 0;
    printf("%s%-*s", is_task ? "  " : "", LABEL_WIDTH - (is_task ? 2 : 0),
           figures[row->figure].meaning);
    for (uint32_t i = 0; i < compare->model_count; i++) {
        char text[COUNT_TEXT];
        value_text(value_of(row, i), figures[row->figure].kind, text);
        printf("  %*s", column_width(compare, i), text);
    }
    if (compare->model_count == 2) {
        if (isnan(ratio_of(row)))
            printf("  %7s", "-");
        else
            printf("  %7.3f", ratio_of(row));
    }
    putchar('\n');
}

static void print_text(const Compare *compare)
{
    printf("%-*s", LABEL_WIDTH, "");
    for (uint32_t i = 0; i < compare->model_count; i++)
        printf("  %*s", column_width(compare, i), compare->models[i]);
    puts(compare->model_count == 2 ? "    ratio" : "");
    print_blocks(compare, print_text_head, print_text_row);
    const char *lengths = compare->arguments->lengths;
    printf("\nSequences have %s%sthe longest declared lengths.\n"
           "Seconds are an estimate for one core at %g GFLOP/s and %g GB/s, update "
           "included.\n",
           lengths ? lengths : "", lengths ? ", else " : "", compare->arguments->gflops,
           compare->arguments->bandwidth);
}

/* -- tsv and json
 * ------------------------------------------------------------------------ */

static void print_exact(double value, const char *nothing)
{
    if (isnan(value))
        fputs(nothing, stdout);
    else if (value == floor(value) && fabs(value) < 0x1p53)
        printf("%.0f", value);
    else
        printf("%.9g", value);
}

static void print_tsv_row(const Compare *compare, const Row *row)
{
    printf("%s\t%s", row->block->task, figures[row->figure].name);
    for (uint32_t i = 0; i < compare->model_count; i++) {
        putchar('\t');
        print_exact(value_of(row, i), "");
    }
    if (compare->model_count == 2) {
        putchar('\t');
        print_exact(ratio_of(row), "");
    }
    putchar('\n');
}

static void print_tsv(const Compare *compare)
{
    fputs("task\tfigure", stdout);
    for (uint32_t i = 0; i < compare->model_count; i++)
        printf("\t%s", compare->models[i]);
    puts(compare->model_count == 2 ? "\tratio" : "");
    print_blocks(compare, NULL, print_tsv_row);
}

static void print_json_row(const Compare *compare, const Row *row)
{
    const FigureBlock *last = &compare->blocks[compare->block_count - 1];
    fputs("    {\"task\": ", stdout);
    print_json_string(row->block->task);
    printf(", \"figure\": \"%s\", \"values\": [", figures[row->figure].name);
    for (uint32_t i = 0; i < compare->model_count; i++) {
        fputs(i ? ", " : "", stdout);
        print_exact(value_of(row, i), "null");
    }
    putchar(']');
    if (compare->model_count == 2) {
        fputs(", \"ratio\": ", stdout);
        print_exact(ratio_of(row), "null");
    }
    puts(row->block == last && row->figure + 1 == FIGURE_COUNT ? "}" : "},");
}

static void print_json(const Compare *compare)
{
    const char *lengths = compare->arguments->lengths;
    fputs("{\n  \"models\": [\n", stdout);
    for (uint32_t i = 0; i < compare->model_count; i++) {
        fputs("    {\"model\": ", stdout);
        print_json_string(compare->models[i]);
        fputs(", \"file\": ", stdout);
        print_json_string(compare->files[i]);
        puts(i + 1 < compare->model_count ? "}," : "}");
    }
    fputs("  ],\n  \"lengths\": ", stdout);
    print_json_string(lengths ? lengths : "");
    printf(",\n  \"gflops\": %.9g,\n  \"bandwidth\": %.9g,\n  \"figures\": [\n",
           compare->arguments->gflops, compare->arguments->bandwidth);
    print_blocks(compare, NULL, print_json_row);
    puts("  ]\n}");
}

void compare_print(const Compare *compare, Format format)
{
    if (format == FORMAT_text)
        print_text(compare);
    else if (format == FORMAT_tsv)
        print_tsv(compare);
    else
        print_json(compare);
}
