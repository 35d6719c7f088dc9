/* Scores as tables and as JSON; names of splits. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "runtime/evaluate.h"

const char *const split_names[SPLIT_COUNT] = {"train", "valid", "test"};

bool split_find(const char *name, const char *command, Split *out)
{
    for (int i = 0; i < SPLIT_COUNT; i++)
        if (strcmp(name, split_names[i]) == 0) {
            *out = (Split)i;
            return true;
        }
    const char *near = nearest_name(name, split_names, SPLIT_COUNT);
    fprintf(stderr, "vlrun %s: no split '%s'; %s%s\n", command, name,
            near ? "did you mean " : "there are train, valid and ", near ? near : "test");
    return false;
}

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

void evaluate_print(const Evaluation *evaluation, FILE *out)
{
    double sum = 0;
    uint32_t tasks = 0;
    fprintf(out, "%-12s %-*s %8s %9s\n", "task", METRIC_WIDTH, "metric", "examples",
            "score");
    for (uint32_t i = 0; i < evaluation->count; i++) {
        const TaskScore *score = &evaluation->scores[i];
        print_head(score, out);
        print_value(score->metric.value, score->metric.unit, out);
        fputc('\n', out);
        sum += score->is_main ? score->metric.value : 0;
        tasks += score->is_main;
    }
    if (tasks < 2)
        return;
    fprintf(out, "%-12s %-*s %8s", "mean", METRIC_WIDTH, "of first metrics", "");
    print_value(sum / tasks, "", out);
    fputc('\n', out);
}

static const TaskScore *find_main(const Evaluation *evaluation, const char *task)
{
    for (uint32_t i = 0; i < evaluation->count; i++)
        if (evaluation->scores[i].is_main &&
            strcmp(evaluation->scores[i].task, task) == 0)
            return &evaluation->scores[i];
    return NULL;
}

void evaluate_compare(const Evaluation *before, const Evaluation *after, FILE *out)
{
    double sum[2] = {0};
    uint32_t tasks = 0;
    fprintf(out, "%-12s %-*s %8s%s%s\n", "task", METRIC_WIDTH, "metric", "examples",
            before->count ? "    before" : "",
            before->count ? "     after" : "     score");
    for (uint32_t i = 0; i < after->count; i++) {
        const TaskScore *score = &after->scores[i];
        if (!score->is_main)
            continue;
        const TaskScore *earlier = find_main(before, score->task);
        print_head(score, out);
        if (before->count)
            print_value(earlier ? earlier->metric.value : 0, score->metric.unit, out);
        print_value(score->metric.value, score->metric.unit, out);
        fputc('\n', out);
        sum[0] += earlier ? earlier->metric.value : 0;
        sum[1] += score->metric.value;
        tasks++;
    }
    if (tasks < 2)
        return;
    fprintf(out, "%-12s %-*s %8s", "mean", METRIC_WIDTH, "", "");
    if (before->count)
        print_value(sum[0] / tasks, "", out);
    print_value(sum[1] / tasks, "", out);
    fputc('\n', out);
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
