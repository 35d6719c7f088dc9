/* What records of the image tasks say. */
#include <string.h>

#include "runtime/data/dataset/dataset_load.h"

/* The members of "label", {answer: score}, as answers. Empty ones are not to be learned:
 * they are left out beside others, and a fault alone. */
static bool take_answers(Loader *loader, const json_t *record, json_t *label,
                         DatasetExample *example)
{
    json_t *score;
    DatasetAnswer *answers =
        ARENA_ARRAY(loader->arena, DatasetAnswer, json_object_size(label));
    const char *text;
    uint32_t count = 0, empty = 0;
    bool is_learned = loader->file->split == SPLIT_train;
    json_object_foreach(label, text, score)
    {
        double value = json_number_value(score);
        if (!json_is_number(score) || !(value >= 0 && value <= 1))
            return loader_fault(loader, record, "the score of answer '%s' is not in 0..1",
                                text);
        if (is_learned && !text[strspn(text, " \t\n\v\f\r")])
            empty++;
        else
            answers[count++] = (DatasetAnswer){
                loader_said(loader, intern(loader->interns, text)), (float)value};
    }
    example->answers = answers;
    example->answer_count = count;
    example->is_told = true;
    if (empty > 0 && !loader_has_score(example))
        return loader_fault(loader, record, "\"label\" has an empty answer and no other");
    loader->empty += empty;
    return true;
}

static bool take_label(Loader *loader, const json_t *record, DatasetExample *example)
{
    const json_t *label;
    if (!loader_answer(loader, record, "label", &label))
        return false;
    if (!label)
        return true;
    if (!json_is_object(label))
        return loader_fault(loader, record, "\"label\" is no object of answers");
    return take_answers(loader, record, (json_t *)(uintptr_t)label, example);
}

/* "sent", or "question". */
static const char *take_sentence(Loader *loader, const json_t *record)
{
    const json_t *question;
    if (json_object_get(record, "sent"))
        return loader_text(loader, record, "sent");
    if (!loader_optional(loader, record, "question", &question))
        return NULL;
    return loader_text(loader, record, question ? "question" : "sent");
}

static bool take_question(Loader *loader, const json_t *record, DatasetExample *example)
{
    const char *question;
    *example = loader_example(loader);
    example->is_topk_optimal = true;
    if (!(example->images[0] = loader_file_name(loader, record, "img_id")) ||
        !(question = take_sentence(loader, record)) ||
        !(example->id = loader_name(loader, record, "question_id")))
        return false;
    loader_field(loader, example, "question", question);
    loader_field(loader, example, "image", example->images[0]);
    loader_field(loader, example, "question_id", example->id);
    return take_label(loader, record, example);
}

static bool check_score(Loader *loader, const json_t *record,
                        const DatasetExample *example)
{
    return loader->file->split != SPLIT_train || loader_has_score(example) ||
           loader_fault(loader, record, "\"label\" has no answer with a score");
}

/* An answer without a score weighs nothing if the model weighs answers. */
bool read_vqa(Loader *loader, const json_t *record)
{
    DatasetExample example;
    const json_t *optimal;
    if (!take_question(loader, record, &example) ||
        !loader_group(loader, record, "answer_type", &example.group) ||
        !loader_optional(loader, record, "is_topk_optimal", &optimal))
        return false;
    if (optimal && !json_is_boolean(optimal))
        return loader_fault(loader, record, "\"is_topk_optimal\" is not true or false");
    example.is_topk_optimal = !json_is_false(optimal);
    loader_field(loader, &example, "answer_type", example.group);
    if (loader->needs_scores && !check_score(loader, record, &example))
        return false;
    return loader_add(loader, record, &example);
}

bool read_gqa(Loader *loader, const json_t *record)
{
    DatasetExample example;
    return take_question(loader, record, &example) &&
           check_score(loader, record, &example) && loader_add(loader, record, &example);
}

bool read_nlvr(Loader *loader, const json_t *record)
{
    DatasetExample example = loader_example(loader);
    const json_t *label;
    const char *statement;
    if (!(example.id = loader_name(loader, record, "identifier")) ||
        !(statement = loader_text(loader, record, "sent")) ||
        !(example.images[0] = loader_file_name(loader, record, "img0")) ||
        !(example.images[1] = loader_file_name(loader, record, "img1")) ||
        !loader_answer(loader, record, "label", &label))
        return false;
    json_int_t value = json_integer_value(label);
    if (label && (!json_is_integer(label) || value < 0 || value > 1))
        return loader_fault(loader, record, "\"label\" is neither 0 nor 1");
    if (label)
        loader_answer_is(loader, &example, value ? "true" : "false");
    loader_field(loader, &example, "statement", statement);
    loader_field(loader, &example, "left", example.images[0]);
    loader_field(loader, &example, "right", example.images[1]);
    loader_field(loader, &example, "identifier", example.id);
    return loader_add(loader, record, &example);
}

/* -- captions ---------------------------------------------------------------------- */

/* Whether the record is of the file's split; a name that is no split's is a fault. */
static bool take_split(Loader *loader, const json_t *record, bool *out_is_of_it)
{
    static const struct {
        const char *name;
        Split split;
    } splits[] = {{"train", SPLIT_train},
                  {"restval", SPLIT_train},
                  {"val", SPLIT_valid},
                  {"test", SPLIT_test}};
    const char *name = loader_text(loader, record, "split");
    for (size_t i = 0; name && i < sizeof splits / sizeof *splits; i++)
        if (strcmp(name, splits[i].name) == 0) {
            *out_is_of_it = splits[i].split == loader->file->split;
            return true;
        }
    return name &&
           loader_fault(loader, record,
                        "\"split\" is not train, restval, val or test but '%s'", name);
}

/* The image is called what its file is, without the extension. */
static const char *take_image(Loader *loader, const json_t *record)
{
    const char *file = loader_file_name(loader, record, "filename");
    const char *end = file ? strrchr(file, '.') : NULL;
    return file && end && end > file
               ? intern_span(loader->interns, file, (size_t)(end - file))
               : file;
}

bool read_caption(Loader *loader, const json_t *record)
{
    DatasetExample example = loader_example(loader);
    const json_t *sentences, *sentence;
    bool is_of_split = false;
    if (!take_split(loader, record, &is_of_split))
        return false;
    if (!is_of_split)
        return true;
    if (!(example.images[0] = example.id = take_image(loader, record)) ||
        !loader_answer(loader, record, "sentences", &sentences))
        return false;
    size_t i, count = json_array_size(sentences);
    if (sentences && !json_is_array(sentences))
        return loader_fault(loader, record, "\"sentences\" is no array");
    if (count == 0 && loader->file->split == SPLIT_train)
        return loader_fault(loader, record, "\"sentences\" has no caption");
    DatasetAnswer *answers = ARENA_ARRAY(loader->arena, DatasetAnswer, count);
    const char **texts = ARENA_ARRAY(loader->arena, const char *, count);
    json_array_foreach(sentences, i, sentence)
    {
        const char *raw = loader_text(loader, sentence, "raw");
        if (!raw)
            return false;
        texts[i] = loader_said(loader, loader_stripped(loader, raw));
        answers[i] = (DatasetAnswer){texts[i], 1};
    }
    loader_field(loader, &example, "image", example.id);
    return loader_add_captions(loader, record, &example, answers, texts, (uint32_t)count);
}
