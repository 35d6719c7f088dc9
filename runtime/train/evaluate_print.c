/* Scores as tables and as JSON. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "runtime/train/evaluate.h"

enum { METRIC_WIDTH = 20 };

static void print_value(double value, const char *unit, FILE *out)
{
    fprintf(out, " %7.1f %-1s", value, unit);
}

static void print_head(const TaskScore *score, FILE *out)
{
    fprintf(out, "%-12s %-*s %8" PRId64, score->task, METRIC_WIDTH, score->metric.name,
            score->metric.examples);
}

/* A table of all metrics, or of main ones only. */
static void print_table(const Evaluation *evaluation, bool all, FILE *out)
{
    fprintf(out, "%-12s %-*s %8s %9s\n", "task", METRIC_WIDTH, "metric", "examples",
            "score");
    for (uint32_t i = 0; i < evaluation->count; i++) {
        const TaskScore *score = &evaluation->scores[i];
        if (!all && !score->is_main)
            continue;
        print_head(score, out);
        if (score->metric.examples > 0)
            print_value(score->metric.value, score->metric.unit, out);
        else
            fprintf(out, " %7s", "-");
        fputc('\n', out);
    }
    double mean;
    if (evaluation_mean(evaluation, &mean) < 2)
        return;
    fprintf(out, "%-12s %-*s %8s", "mean", METRIC_WIDTH, "of first metrics", "");
    print_value(mean, "", out);
    fputc('\n', out);
}

const char *const score_formats[3] = {"table", "json"};

void evaluate_print(const Evaluation *evaluation, FILE *out)
{
    print_table(evaluation, true, out);
}

void evaluate_print_main(const Evaluation *evaluation, FILE *out)
{
    print_table(evaluation, false, out);
}

void evaluate_print_json(const Evaluation *evaluation, Split split, FILE *out)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < evaluation->count; i++) {
        const TaskScore *score = &evaluation->scores[i];
        const Metric *metric = &score->metric;
        json_array_append_new(
            all, json_pack("{s:s, s:s, s:s, s:f, s:s, s:I, s:b}", "task", score->task,
                           "split", split_names[split], "metric", metric->name, "value",
                           metric->value, "unit", metric->unit, "examples",
                           (json_int_t)metric->examples, "main", score->is_main));
    }
    json_dumpf(all, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(all);
}
