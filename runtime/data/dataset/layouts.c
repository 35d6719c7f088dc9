/* The tasks as tables. Prompts are as published, the misspelt one of gqa included. */
#include "runtime/data/dataset/layouts.h"

#include <string.h>

#include "runtime/data/records/records.h"

const char image_features[] = "clip_features/data_clip_RN101_att";
const char video_features[] = "clip-vit";

const char *const metric_names[ANSWER_KIND_COUNT] = {
    [ANSWER_annotated] = "vqa_accuracy", [ANSWER_label] = "exact_match",
    [ANSWER_statement] = "true_false",   [ANSWER_choice] = "choice",
    [ANSWER_caption] = "captions",
};

#define QUESTION(choices)                                                                \
    "[Subs] {subtitles} [Q] {question} [TS] ({timestamp}) [Choices] " choices "{prompt}"
#define FOUR "a0: {a0}. a1: {a1}. a2: {a2}. a3: {a3}. "

/* Rows of three splits with answers; and one of a test split without, which leaderboards
 * have the answers of. Where no answers of a test split are public, validation stands in
 * for it. */
#define FILES(train, valid, test, folder, member)                                        \
    {SPLIT_train, train, folder, member, false},                                         \
        {SPLIT_valid, valid, folder, member, false},                                     \
    {                                                                                    \
        SPLIT_test, test, folder, member, false                                          \
    }
#define HIDDEN(path, folder) {SPLIT_test, path, folder, NULL, true}
#define NO_MORE_FILES {.path = NULL}

#define TV "video/vis_features/tv"
#define HOW2 "video/vis_features/how2"
#define YC2 "video/vis_features/yc2"
#define TVQA(split) "video/ann/tvqa/tvqa_" split ".jsonl"
#define HOW2QA(split) "video/ann/how2qa/how2qa_" split ".jsonl"
#define TVC(split) "video/ann/tvc/tvc_" split ".jsonl"
#define YC2C(split) "video/ann/yc2c/yc2c_" split ".jsonl"

/* clang-format off */
static const LayoutFile vqa_files[] = {
    FILES("vqa/karpathy_train.json", "vqa/karpathy_val.json", "vqa/karpathy_test.json",
          "COCO", NULL),
    NO_MORE_FILES,
};
static const LayoutFile gqa_files[] = {
    {SPLIT_train, "GQA/train.json", "VG", NULL, false},
    {SPLIT_train, "GQA/valid.json", "VG", NULL, false},
    {SPLIT_valid, "GQA/testdev.json", "GQA", NULL, false},
    {SPLIT_test, "GQA/testdev.json", "GQA", NULL, false},
    HIDDEN("GQA/submit.json", "GQA"),
    NO_MORE_FILES,
};
static const LayoutFile nlvr_files[] = {
    FILES("nlvr/train.json", "nlvr/valid.json", "nlvr/test.json", "nlvr", NULL),
    NO_MORE_FILES,
};
static const LayoutFile caption_files[] = {
    FILES("COCO/dataset_coco.json", "COCO/dataset_coco.json", "COCO/dataset_coco.json",
          "COCO", "images"),
    NO_MORE_FILES,
};
static const LayoutFile tvqa_files[] = {
    FILES(TVQA("train"), TVQA("val"), TVQA("val"), TV, NULL),
    HIDDEN(TVQA("test_public"), TV),
    HIDDEN(TVQA("test_release"), TV),
    NO_MORE_FILES,
};
static const LayoutFile how2qa_files[] = {
    FILES(HOW2QA("train_release"), HOW2QA("val_release"), HOW2QA("val_release"), HOW2,
          NULL),
    HIDDEN(HOW2QA("test_public_release"), HOW2),
    NO_MORE_FILES,
};
static const LayoutFile tvc_files[] = {
    FILES(TVC("train_release"), TVC("val_release"), TVC("val_release"), TV, NULL),
    HIDDEN(TVC("test_release"), TV),
    NO_MORE_FILES,
};
static const LayoutFile yc2c_files[] = {
    FILES(YC2C("train_release"), YC2C("val_release"), YC2C("val_release"), YC2, NULL),
    HIDDEN(YC2C("test_release"), YC2),
    NO_MORE_FILES,
};
static const LayoutFile plain_files[] = {
    FILES("train.jsonl", "valid.jsonl", "test.jsonl", "", NULL),
    NO_MORE_FILES,
};
/* clang-format on */

/* Name and fields of records. */
#define NAMED(name) #name, name##_fields
#define RECORDS(name, fields, metrics) static const char name##_fields[] = fields;
#define OPEN_RECORDS(name, metrics)
#include "runtime/data/records/records.def"

/* clang-format off */
const Layout layouts[] = {
    {NAMED(vqa), "{prompt}{question}",
     "vqa: ", ANSWER_annotated, "karpathy_test_predict.json", "{image}", 0, false, 20, 10,
     vqa_files, read_vqa},
    {NAMED(gqa), "{prompt}{question}", "gpa: ",
     ANSWER_label, NULL, "{image}", 0, false, 20, 0, gqa_files, read_gqa},
    {NAMED(nlvr), "{prompt}{statement}",
     "nlvr: ", ANSWER_statement, "nlvr_submit.csv", "{left} {right}", 0, false, 0, 0,
     nlvr_files, read_nlvr},
    {NAMED(caption), "{prompt}", "caption: ",
     ANSWER_caption, NULL, "{image}", 0, false, 40, 40, caption_files, read_caption},
    {NAMED(tvqa),
     QUESTION(FOUR "a4: {a4}. "), "tvqa: ",
     ANSWER_choice, "tvqa_test_predictions.json", "{video}", 5, true, 600, 20, tvqa_files,
     read_video_choice},
    {NAMED(how2qa),
     QUESTION(FOUR), "how2qa: ",
     ANSWER_choice, "how2qa_test_public_predictions.json", "{video}", 4, true, 600, 20,
     how2qa_files, read_video_choice},
    {NAMED(tvc),
     "[Subs] {subtitles} [TS] ({timestamp}) {prompt}", "tvc: ",
     ANSWER_caption, "tvc_test_predictions.jsonl", "{video}", 0, true, 600, 20, tvc_files,
     read_tvc},
    {NAMED(yc2c), "[Subs] {subtitles} {prompt}", "yc2c: ",
     ANSWER_caption, "yc2c_test_predictions.jsonl", "{video}", 0, true, 600, 20,
     yc2c_files, read_yc2c},
    {"jsonl", NULL, NULL, NULL, ANSWER_label, NULL, "{image}", 0, false, 0, 0,
     plain_files, read_plain},
};
/* clang-format on */
const uint32_t layout_count = sizeof layouts / sizeof *layouts;

static const Layout *find(const char *name)
{
    for (uint32_t i = 0; i < layout_count; i++)
        if (strcmp(name, layouts[i].name) == 0)
            return &layouts[i];
    return NULL;
}

const Layout *layout_find(const char *task, Loc loc, Diags *diags)
{
    const char *names[sizeof layouts / sizeof *layouts], *list = "";
    uint32_t count = 0;
    const Layout *found = find(task);
    if (found && found->fields)
        return found;
    Arena *arena = arena_new();
    for (uint32_t i = 0; i < layout_count; i++) {
        if (!layouts[i].fields)
            continue;
        list = arena_format(arena, "%s%s%s", list, count ? ", " : "", layouts[i].name);
        names[count++] = layouts[i].name;
    }
    const char *near = nearest_name(task, names, count);
    diag_error(diags, loc, "there are no data for task '%s'%s%s%s", task,
               near ? "; did you mean '" : "; there are for ", near ? near : list,
               near ? "'?" : "");
    arena_free(arena);
    return NULL;
}

const Layout *layout_of_records(const char *records, Loc loc, Diags *diags)
{
    const Records *found = records_find(records, loc, diags);
    return found ? find(found->name) : NULL;
}

const char *layout_member(const Layout *layout, const char *field, size_t *out_len)
{
    size_t len = strlen(field);
    for (const char *at = layout->fields ? layout->fields : ""; *at;) {
        size_t word = strcspn(at, " ");
        if (word > len && at[len] == '=' && memcmp(at, field, len) == 0) {
            *out_len = word - len - 1;
            return at + len + 1;
        }
        at += word + (at[word] == ' ');
    }
    *out_len = len;
    return field;
}
