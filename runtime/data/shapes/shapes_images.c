/* The files of vqa, gqa, nlvr and caption over scenes. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/data/dataset/layouts.h"
#include "runtime/data/features/features.h"
#include "runtime/data/shapes/shapes.h"

enum { ANNOTATORS = 10 };

/* -- features --------------------------------------------------------------------- */

static bool write_scene(ShapesWriter *writer, const char *folder, const char *name,
                        const Scene *scene, Draws *noise)
{
    const char *path =
        shapes_next_file(writer, "%s/%s/%s.h5", folder, image_features, name);
    if (!path)
        return false;
    Features features = {.count = SCENE_CELLS, .width = writer->looks.width};
    features.rows =
        heap_array((size_t)(features.count * features.width), sizeof *features.rows);
    scene_show(scene, &writer->looks, noise, features.rows);
    bool is_written = features_write_hdf5(path, name, &features, writer->diags);
    features_free(&features);
    return is_written;
}

static bool make_folder(const ShapesWriter *writer, const char *folder)
{
    return directory_make(arena_format(writer->arena, "%s/%s/%s",
                                       writer->options.directory, folder, image_features),
                          writer->diags);
}

/* -- answers ------------------------------------------------------------------------- */

/* Every answer there is, numbered as it comes. */
typedef struct AnswerTable {
    json_t *numbers, *texts;
} AnswerTable;

static AnswerTable answers_new(void)
{
    return (AnswerTable){json_object(), json_array()};
}

static json_t *label_of(const Example *example, AnswerTable *table)
{
    json_t *label = json_object();
    for (uint32_t i = 0; i < example->answer_count; i++) {
        const Answer *answer = &example->answers[i];
        /* Scores are tenths. */
        double score = (double)(int)((double)answer->score * 10 + 0.5) / 10;
        json_object_set_new(label, answer->text, json_real(score));
        if (json_object_get(table->numbers, answer->text))
            continue;
        json_object_set_new(table->numbers, answer->text,
                            json_integer((json_int_t)json_array_size(table->texts)));
        json_array_append_new(table->texts, json_string(answer->text));
    }
    return label;
}

static bool write_json(ShapesWriter *writer, const char *path, const json_t *value)
{
    const char *full =
        arena_format(writer->arena, "%s/%s", writer->options.directory, path);
    FILE *file = shapes_create(writer, full);
    if (!file)
        return false;
    json_dumpf(value, file, 0);
    return shapes_close(file, full, writer->diags);
}

static bool answers_write(const AnswerTable *table, ShapesWriter *writer,
                          const char *folder)
{
    return write_json(writer,
                      arena_format(writer->arena, "%s/trainval_ans2label.json", folder),
                      table->numbers) &&
           write_json(writer,
                      arena_format(writer->arena, "%s/trainval_label2ans.json", folder),
                      table->texts);
}

static void answers_free(AnswerTable *table)
{
    json_decref(table->numbers);
    json_decref(table->texts);
}

/* -- vqa --------------------------------------------------------------------------- */

/* What ten people said: of the second best answer one says 0.3, two 0.6, three 0.9. */
static json_t *annotation_of(const Example *example, int64_t id)
{
    json_t *answers = json_array();
    uint32_t others = 0;
    if (example->answer_count > 1)
        others = (uint32_t)((double)example->answers[1].score / 0.3 + 0.5);
    for (uint32_t i = 0; i < ANNOTATORS; i++)
        json_array_append_new(
            answers, json_pack("{s:s, s:s, s:i}", "answer",
                               example->answers[i >= ANNOTATORS - others].text,
                               "answer_confidence", "yes", "answer_id", (int)i + 1));
    return json_pack("{s:I, s:s, s:s, s:o}", "question_id", (json_int_t)id,
                     "question_type", "what", "answer_type", "other", "answers", answers);
}

static bool write_vqa_split(ShapesWriter *writer, Split split, RecordFile *annotations,
                            AnswerTable *table)
{
    static const char *const files[] = {
        "vqa/karpathy_train.json", "vqa/karpathy_val.json", "vqa/karpathy_test.json"};
    static const char *const names[] = {"train", "val", "test"};
    RecordFile out;
    if (!records_open(&out, writer, files[split], "[\n", "\n]"))
        return false;
    bool ok = true;
    for (int64_t i = 0; ok && i < shapes_count(writer, split); i++) {
        Draws draws = shapes_draws(writer, "vqa", split, i);
        Example example;
        example_make("vqa", &draws, split, &example);
        char name[64];
        snprintf(name, sizeof name, "vqa_%s_%06" PRId64, names[split], i);
        int64_t id = (i + 1) * 10 + split;
        records_add(&out,
                    json_pack("{s:s, s:s, s:I, s:o, s:s, s:s, s:b}", "img_id", name,
                              "sent", example.question, "question_id", (json_int_t)id,
                              "label", label_of(&example, table), "answer_type", "other",
                              "question_type", "what", "is_topk_optimal", 1));
        records_add(annotations, annotation_of(&example, id));
        ok = write_scene(writer, "COCO", name, &example.images[0], &draws);
    }
    return records_close(&out, writer->diags) && ok;
}

/* One file of annotations, of the splits from `first` to `last`. */
static bool write_annotated(ShapesWriter *writer, const char *path, Split first,
                            Split last, AnswerTable *table)
{
    RecordFile annotations;
    if (!records_open(&annotations, writer, path, "{\"annotations\": [\n", "\n]}"))
        return false;
    bool ok = true;
    for (int split = (int)first; ok && split <= (int)last; split++)
        ok = write_vqa_split(writer, (Split)split, &annotations, table);
    return records_close(&annotations, writer->diags) && ok;
}

static bool write_vqa(ShapesWriter *writer)
{
    AnswerTable table = answers_new();
    bool is_written = write_annotated(writer, "vqa/v2_mscoco_train2014_annotations.json",
                                      SPLIT_train, SPLIT_train, &table) &&
                      write_annotated(writer, "vqa/v2_mscoco_val2014_annotations.json",
                                      SPLIT_valid, SPLIT_test, &table) &&
                      answers_write(&table, writer, "vqa");
    answers_free(&table);
    return is_written;
}

/* -- gqa --------------------------------------------------------------------------- */

static bool write_gqa_split(ShapesWriter *writer, Split split, AnswerTable *table)
{
    static const char *const names[] = {"train", "valid", "testdev"};
    const char *folder = split == SPLIT_test ? "GQA" : "VG";
    RecordFile out;
    if (!records_open(&out, writer,
                      arena_format(writer->arena, "GQA/%s.json", names[split]), "[\n",
                      "\n]"))
        return false;
    bool ok = true;
    for (int64_t i = 0; ok && i < shapes_count(writer, split); i++) {
        Draws draws = shapes_draws(writer, "gqa", split, i);
        Example example;
        example_make("gqa", &draws, split, &example);
        char name[64], id[32];
        snprintf(name, sizeof name, "gqa_%s_%06" PRId64, names[split], i);
        snprintf(id, sizeof id, "%" PRId64, (i + 1) * 10 + split);
        records_add(&out, json_pack("{s:s, s:s, s:s, s:o}", "img_id", name, "sent",
                                    example.question, "question_id", id, "label",
                                    label_of(&example, table)));
        ok = write_scene(writer, folder, name, &example.images[0], &draws);
    }
    return records_close(&out, writer->diags) && ok;
}

static bool write_gqa(ShapesWriter *writer)
{
    AnswerTable table = answers_new();
    bool ok = true;
    for (int split = 0; ok && split < SPLIT_COUNT; split++)
        ok = write_gqa_split(writer, (Split)split, &table);
    ok = ok && answers_write(&table, writer, "GQA");
    answers_free(&table);
    return ok;
}

/* -- nlvr -------------------------------------------------------------------------- */

static bool write_nlvr(ShapesWriter *writer, Split split)
{
    static const char *const files[] = {"nlvr/train.json", "nlvr/valid.json",
                                        "nlvr/test.json"};
    static const char *const names[] = {"train", "dev", "test1"};
    RecordFile out;
    if (!records_open(&out, writer, files[split], "[\n", "\n]"))
        return false;
    bool ok = true;
    for (int64_t i = 0; ok && i < shapes_count(writer, split); i++) {
        Draws draws = shapes_draws(writer, "nlvr", split, i);
        Example example;
        example_make("nlvr", &draws, split, &example);
        char id[64], images[EXAMPLE_MAX_IMAGES][64], uid[64];
        snprintf(id, sizeof id, "%s-%" PRId64 "-0-0", names[split], i);
        snprintf(uid, sizeof uid, "nlvr2_%s_%" PRId64, names[split], i);
        for (int image = 0; image < EXAMPLE_MAX_IMAGES; image++)
            snprintf(images[image], sizeof *images, "%s-%" PRId64 "-0-img%d",
                     names[split], i, image);
        bool is_true = strcmp(example.answers[0].text, "true") == 0;
        records_add(&out, json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "identifier", id,
                                    "img0", images[0], "img1", images[1], "label",
                                    (int)is_true, "sent", example.question, "uid", uid));
        for (int image = 0; ok && image < EXAMPLE_MAX_IMAGES; image++)
            ok = write_scene(writer, "nlvr", images[image], &example.images[image],
                             &draws);
    }
    return records_close(&out, writer->diags) && ok;
}

/* -- captions ---------------------------------------------------------------------- */

static bool write_captions(ShapesWriter *writer, Split split, RecordFile *out)
{
    enum { RESTVAL_EVERY = 10 };
    static const char *const names[] = {"train", "val", "test"};
    bool ok = true;
    for (int64_t i = 0; ok && i < shapes_count(writer, split); i++) {
        Draws draws = shapes_draws(writer, "caption", split, i);
        Example example;
        example_make("caption", &draws, split, &example);
        char name[64], file[72];
        snprintf(name, sizeof name, "caption_%s_%06" PRId64, names[split], i);
        snprintf(file, sizeof file, "%s.jpg", name);
        bool is_rest = split == SPLIT_train && i % RESTVAL_EVERY == RESTVAL_EVERY - 1;
        records_add(out, json_pack("{s:s, s:s, s:[{s:s}]}", "filename", file, "split",
                                   is_rest ? "restval" : names[split], "sentences", "raw",
                                   example.answers[0].text));
        ok = write_scene(writer, "COCO", name, &example.images[0], &draws);
    }
    return ok;
}

static bool write_coco(ShapesWriter *writer)
{
    RecordFile out;
    if (!records_open(&out, writer, "COCO/dataset_coco.json", "{\"images\": [\n",
                      "\n], \"dataset\": \"coco\"}"))
        return false;
    bool ok = true;
    for (int split = 0; ok && split < SPLIT_COUNT; split++)
        ok = write_captions(writer, (Split)split, &out);
    return records_close(&out, writer->diags) && ok;
}

bool shapes_write_images(ShapesWriter *writer)
{
    bool ok = make_folder(writer, "COCO") && make_folder(writer, "VG") &&
              make_folder(writer, "GQA") && make_folder(writer, "nlvr") &&
              write_vqa(writer) && write_gqa(writer) && write_coco(writer);
    for (int split = 0; ok && split < SPLIT_COUNT; split++)
        ok = write_nlvr(writer, (Split)split);
    return ok;
}
