/* What records of the image tasks say. */
#include <string.h>

#include "runtime/data/dataset_load.h"

/* The members of "label", {answer: score}, as answers. */
static bool take_label(Loader *loader, const json_t *record, DatasetExample *example)
{
    json_t *label = json_object_get(record, "label"), *score;
    if (!label)
        return true; /* of a test split */
    if (!json_is_object(label))
        return loader_fault(loader, record, "\"label\" is no object of answers");
    DatasetAnswer *answers =
        ARENA_ARRAY(loader->arena, DatasetAnswer, json_object_size(label));
    const char *text;
    uint32_t count = 0;
    json_object_foreach(label, text, score)
    {
        double value = json_number_value(score);
        if (!json_is_number(score) || !(value >= 0 && value <= 1))
            return loader_fault(loader, record, "the score of answer '%s' is not in 0..1",
                                text);
        answers[count++] =
            (DatasetAnswer){intern(loader->interns, text), (float)value};
    }
    example->answers = answers;
    example->answer_count = count;
    return true;
}

static bool take_question(Loader *loader, const json_t *record, DatasetExample *example)
{
    const char *key = json_object_get(record, "sent") ? "sent" : "question";
    example->folder = loader->file->folder;
    example->is_topk_optimal = true;
    return (example->images[0] = loader_file_name(loader, record, "img_id")) &&
           (example->text = loader_text(loader, record, key)) &&
           (example->id = loader_text(loader, record, "question_id")) &&
           take_label(loader, record, example);
}

bool read_vqa(Loader *loader, const json_t *record)
{
    DatasetExample example = {0};
    if (!take_question(loader, record, &example))
        return false;
    const char *type = json_string_value(json_object_get(record, "answer_type"));
    const json_t *optimal = json_object_get(record, "is_topk_optimal");
    example.group = type ? intern(loader->interns, type) : NULL;
    example.is_topk_optimal = !json_is_false(optimal);
    loader_add(loader, &example);
    return true;
}

bool read_gqa(Loader *loader, const json_t *record)
{
    DatasetExample example = {0};
    if (!take_question(loader, record, &example))
        return false;
    loader_add(loader, &example);
    return true;
}

bool read_nlvr(Loader *loader, const json_t *record)
{
    static const DatasetAnswer answers[] = {{"false", 1}, {"true", 1}};
    DatasetExample example = {.folder = loader->file->folder};
    const json_t *label = json_object_get(record, "label");
    if (!(example.id = loader_text(loader, record, "identifier")) ||
        !(example.text = loader_text(loader, record, "sent")) ||
        !(example.images[0] = loader_file_name(loader, record, "img0")) ||
        !(example.images[1] = loader_file_name(loader, record, "img1")))
        return false;
    json_int_t value = json_integer_value(label);
    if (label && (!json_is_integer(label) || value < 0 || value > 1))
        return loader_fault(loader, record, "\"label\" is neither 0 nor 1");
    if (label) {
        example.answers = &answers[value];
        example.answer_count = 1;
    }
    loader_add(loader, &example);
    return true;
}

/* -- captions ---------------------------------------------------------------------- */

static bool is_of_split(const char *name, Split split)
{
    switch (split) {
    case SPLIT_train:
        return strcmp(name, "train") == 0 || strcmp(name, "restval") == 0;
    case SPLIT_valid:
        return strcmp(name, "val") == 0;
    default:
        return strcmp(name, "test") == 0;
    }
}

/* An example per caption for training, else one with all of them. */
static void add_captions(Loader *loader, DatasetExample *example,
                         const DatasetAnswer *answers, const char **texts, uint32_t count)
{
    example->answers = answers;
    example->answer_count = count;
    example->references = texts;
    example->reference_count = count;
    if (loader->file->split != SPLIT_train) {
        loader_add(loader, example);
        return;
    }
    example->answer_count = 1;
    for (uint32_t i = 0; i < count; i++) {
        example->answers = answers + i;
        loader_add(loader, example);
    }
}

bool read_caption(Loader *loader, const json_t *record)
{
    const char *split = json_string_value(json_object_get(record, "split"));
    const json_t *sentences = json_object_get(record, "sentences"), *sentence;
    if (!split || !json_is_array(sentences))
        return loader_fault(loader, record, "has no \"split\" and \"sentences\"");
    if (!is_of_split(split, loader->file->split))
        return true;
    const char *file = loader_file_name(loader, record, "filename");
    if (!file)
        return false;
    /* The image is called what its file is, without the extension. */
    const char *end = strrchr(file, '.');
    size_t len = end && end > file ? (size_t)(end - file) : strlen(file);
    DatasetExample example = {.folder = loader->file->folder, .text = ""};
    example.images[0] = example.id = intern_span(loader->interns, file, len);
    size_t i, count = json_array_size(sentences);
    DatasetAnswer *answers = ARENA_ARRAY(loader->arena, DatasetAnswer, count);
    const char **texts = ARENA_ARRAY(loader->arena, const char *, count);
    json_array_foreach(sentences, i, sentence)
    {
        const char *raw = loader_text(loader, sentence, "raw");
        if (!raw)
            return false;
        texts[i] = loader_stripped(loader, raw);
        answers[i] = (DatasetAnswer){texts[i], 1};
    }
    add_captions(loader, &example, answers, texts, (uint32_t)count);
    return true;
}
