/* Lines for people and objects for programs. */
#include "runtime/vlrun/ask_print.h"

#include <string.h>

#include "runtime/data/text/lists.h"
#include "runtime/data/text/unicode.h"

void answers_print(const ModelAnswers *answers, FILE *out)
{
    for (uint32_t i = 0; i < answers->count; i++)
        fprintf(out, "%s\t%.4g\n", answers->items[i].text, answers->items[i].confidence);
}

static json_t *text_of(const char *text)
{
    TextBuffer clean = {0};
    for (size_t len = strlen(text), bytes; len > 0; text += bytes, len -= bytes)
        text_buffer_add_code(&clean, utf8_decode(text, len, &bytes));
    json_t *out = json_stringn(clean.bytes ? clean.bytes : "", clean.count);
    text_buffer_free(&clean);
    return out;
}

static void dump(json_t *object, FILE *out)
{
    enum { DIGITS = 6 };
    json_dumpf(object, out, JSON_REAL_PRECISION(DIGITS));
    fputc('\n', out);
    json_decref(object);
}

static json_t *list_answers(const ModelAnswers *answers)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < answers->count; i++) {
        json_t *item = json_object();
        json_object_set_new(item, "answer", text_of(answers->items[i].text));
        json_object_set_new(item, "confidence", json_real(answers->items[i].confidence));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *list_images(const DatasetExample *example)
{
    json_t *list = json_array();
    for (int i = 0; i < EXAMPLE_IMAGES_MAX && example->images[i]; i++)
        json_array_append_new(list, text_of(example->images[i]));
    return list;
}

void answers_print_json(const DataQuestion *question, const AskedQuestion *asked,
                        const ModelAnswers *answers, FILE *out)
{
    json_t *object = json_object();
    json_object_set_new(object, "task", text_of(question->task));
    json_object_set_new(object, "id", text_of(asked->example->id));
    json_object_set_new(object, "prompt", text_of(asked->prompt));
    json_object_set_new(object, "images", list_images(asked->example));
    json_object_set_new(object, "answer", text_of(answers->items[0].text));
    json_object_set_new(object, "confidence", json_real(answers->items[0].confidence));
    json_object_set_new(object, "best", list_answers(answers));
    dump(object, out);
}

void fault_print_json(Loc asked, const char *message, FILE *out)
{
    json_t *object = json_object();
    if (asked.line > 0)
        json_object_set_new(object, "line", json_integer((json_int_t)asked.line));
    json_object_set_new(object, "error", text_of(message));
    dump(object, out);
}
