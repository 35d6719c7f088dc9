/* A survey for programs: one object. What is not known is left out. */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "runtime/data/text/lists.h"
#include "runtime/data/text/unicode.h"
#include "runtime/survey/survey_parts.h"

/* Bytes that are no UTF-8 become U+FFFD. */
static json_t *text_of(const char *text)
{
    TextBuffer valid = {0};
    size_t len = text ? strlen(text) : 0;
    if (!text)
        return json_null();
    for (size_t at = 0, bytes; at < len; at += bytes)
        text_buffer_add_code(&valid, utf8_decode(text + at, len - at, &bytes));
    json_t *out = json_stringn(valid.count ? valid.bytes : "", valid.count);
    text_buffer_free(&valid);
    return out;
}

static json_t *list_tallies(const TextCounts *list)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < list->count; i++)
        json_array_append_new(out, json_pack("{s:o, s:I}", "text",
                                             text_of(list->items[i].text), "count",
                                             (json_int_t)list->items[i].count));
    return out;
}

/* [length, texts] of each length that there is. */
static json_t *list_lengths(const LengthCounts *lengths)
{
    json_t *out = json_array();
    for (int64_t i = 0; lengths->total > 0 && i <= lengths->longest; i++)
        if (lengths->counts[i] > 0)
            json_array_append_new(
                out, json_pack("[I, I]", (json_int_t)i, (json_int_t)lengths->counts[i]));
    return out;
}

static json_t *list_samples(const SurveySplit *split)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < split->sample_count; i++) {
        const SurveySample *sample = &split->samples[i];
        const DatasetExample *example = sample->example;
        json_t *images = json_array(), *answers = json_array();
        for (int k = 0; k < EXAMPLE_IMAGES_MAX && example->images[k]; k++)
            json_array_append_new(images, text_of(example->images[k]));
        for (uint32_t k = 0; k < example->answer_count; k++)
            json_array_append_new(answers,
                                  json_pack("{s:o, s:f}", "text",
                                            text_of(example->answers[k].text), "score",
                                            (double)example->answers[k].score));
        json_array_append_new(out, json_pack("{s:o, s:o, s:I, s:o, s:o}", "id",
                                             text_of(example->id), "text",
                                             text_of(sample->text), "tokens",
                                             (json_int_t)sample->tokens, "pictures",
                                             images, "answers", answers));
    }
    return out;
}

static json_t *split_of(const SurveySplit *split)
{
    json_t *out = json_pack("{s:s, s:b}", "split", split_names[split->split], "is_there",
                            (int)split->is_there);
    for (uint32_t i = 0; i < survey_row_count; i++) {
        double value = survey_value(&survey_rows[i], split);
        if (isnan(value))
            continue;
        json_object_set_new(out, survey_rows[i].field,
                            survey_rows[i].is_count ? json_integer((json_int_t)value)
                                                    : json_real(value));
    }
    json_object_set_new(out, "text_lengths", list_lengths(&split->texts));
    json_object_set_new(out, "target_lengths", list_lengths(&split->targets));
    json_object_set_new(out, "most_frequent", list_tallies(&split->said));
    json_object_set_new(out, "unknown_words", list_tallies(&split->unknown));
    json_object_set_new(out, "samples", list_samples(split));
    return out;
}

static json_t *task_of(const SurveyTask *task)
{
    json_t *splits = json_array();
    for (uint32_t i = 0; i < task->split_count; i++)
        json_array_append_new(splits, split_of(&task->splits[i]));
    return json_pack("{s:s, s:b, s:o, s:o, s:o}", "task", task->name, "fits",
                     (int)task->is_open, "records", text_of(task->records), "metric",
                     text_of(task->metric), "splits", splits);
}

static json_t *finding_of(const SurveyFinding *finding)
{
    json_t *shown = json_array();
    for (uint32_t i = 0; i < finding->shown_count; i++) {
        json_t *one = json_pack("{s:o}", "text", text_of(finding->shown[i]));
        if (finding->notes[i])
            json_object_set_new(one, "note", text_of(finding->notes[i]));
        json_array_append_new(shown, one);
    }
    return json_pack("{s:s, s:o, s:o, s:I, s:o}", "kind",
                     finding->kind == DIAG_error ? "error" : "warning", "task",
                     text_of(finding->task), "split",
                     text_of(finding->task ? split_names[finding->split] : NULL), "count",
                     (json_int_t)finding->count, "shown", shown);
}

void survey_print_json(const Survey *survey, FILE *out)
{
    json_t *tasks = json_array(), *findings = json_array();
    uint32_t count;
    const SurveyFinding *items = findings_items(survey->findings, &count);
    for (uint32_t i = 0; i < survey->task_count; i++)
        json_array_append_new(tasks, task_of(&survey->tasks[i]));
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(findings, finding_of(&items[i]));
    json_t *whole =
        json_pack("{s:o, s:o, s:I, s:I, s:b}", "tasks", tasks, "findings", findings,
                  "errors", (json_int_t)findings_count(survey->findings, DIAG_error),
                  "warnings", (json_int_t)findings_count(survey->findings, DIAG_warning),
                  "stopped_early", (int)survey->is_stopped);
    json_dumpf(whole, out, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
    fputc('\n', out);
    json_decref(whole);
}
