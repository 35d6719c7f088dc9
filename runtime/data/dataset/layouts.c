/* The tasks as tables. Prompts are as published, the misspelt one of gqa included. */
#include "runtime/data/dataset/layouts.h"

#include <string.h>

const char image_features[] = "clip_features/data_clip_RN101_att";
const char video_features[] = "clip-vit";

/* clang-format off */
const Layout layouts[] = {
    {"vqa", "vqa: ", ANSWER_annotated, "karpathy_test_predict.json",
     1, false, 20, 10, read_vqa},
    {"gqa", "gpa: ", ANSWER_label, NULL,
     1, false, 20, 0, read_gqa},
    {"nlvr", "nlvr: ", ANSWER_statement, "nlvr_submit.csv",
     2, false, 0, 0, read_nlvr},
    {"caption", "caption: ", ANSWER_caption, NULL,
     1, false, 40, 40, read_caption},
    {"tvqa", "tvqa: ", ANSWER_choice, "tvqa_test_predictions.json",
     1, true, 600, 20, read_tvqa},
    {"how2qa", "how2qa: ", ANSWER_choice, "how2qa_test_public_predictions.json",
     1, true, 600, 20, read_how2qa},
    {"tvc", "tvc: ", ANSWER_caption, "tvc_test_predictions.jsonl",
     1, true, 600, 20, read_tvc},
    {"yc2c", "yc2c: ", ANSWER_caption, "yc2c_test_predictions.jsonl",
     1, true, 600, 20, read_yc2c},
};
/* clang-format on */
const uint32_t layout_count = sizeof layouts / sizeof *layouts;

#define TVQA(split) "video/ann/tvqa/tvqa_" split ".jsonl"
#define HOW2QA(split) "video/ann/how2qa/how2qa_" split ".jsonl"
#define TVC(split) "video/ann/tvc/tvc_" split ".jsonl"
#define YC2C(split) "video/ann/yc2c/yc2c_" split ".jsonl"

/* Where no answers of a test split are public, validation stands in for it. */
const LayoutFile layout_files[] = {
    {"vqa", SPLIT_train, "vqa/karpathy_train.json", "COCO", false},
    {"vqa", SPLIT_valid, "vqa/karpathy_val.json", "COCO", false},
    {"vqa", SPLIT_test, "vqa/karpathy_test.json", "COCO", false},
    {"gqa", SPLIT_train, "GQA/train.json", "VG", false},
    {"gqa", SPLIT_train, "GQA/valid.json", "VG", false},
    {"gqa", SPLIT_valid, "GQA/testdev.json", "GQA", false},
    {"gqa", SPLIT_test, "GQA/testdev.json", "GQA", false},
    {"gqa", SPLIT_test, "GQA/submit.json", "GQA", true},
    {"nlvr", SPLIT_train, "nlvr/train.json", "nlvr", false},
    {"nlvr", SPLIT_valid, "nlvr/valid.json", "nlvr", false},
    {"nlvr", SPLIT_test, "nlvr/test.json", "nlvr", false},
    {"caption", SPLIT_train, "COCO/dataset_coco.json", "COCO", false},
    {"caption", SPLIT_valid, "COCO/dataset_coco.json", "COCO", false},
    {"caption", SPLIT_test, "COCO/dataset_coco.json", "COCO", false},
    {"tvqa", SPLIT_train, TVQA("train"), "video/vis_features/tv", false},
    {"tvqa", SPLIT_valid, TVQA("val"), "video/vis_features/tv", false},
    {"tvqa", SPLIT_test, TVQA("val"), "video/vis_features/tv", false},
    {"tvqa", SPLIT_test, TVQA("test_public"), "video/vis_features/tv", true},
    {"tvqa", SPLIT_test, TVQA("test_release"), "video/vis_features/tv", true},
    {"how2qa", SPLIT_train, HOW2QA("train_release"), "video/vis_features/how2", false},
    {"how2qa", SPLIT_valid, HOW2QA("val_release"), "video/vis_features/how2", false},
    {"how2qa", SPLIT_test, HOW2QA("val_release"), "video/vis_features/how2", false},
    {"how2qa", SPLIT_test, HOW2QA("test_public_release"), "video/vis_features/how2",
     true},
    {"tvc", SPLIT_train, TVC("train_release"), "video/vis_features/tv", false},
    {"tvc", SPLIT_valid, TVC("val_release"), "video/vis_features/tv", false},
    {"tvc", SPLIT_test, TVC("val_release"), "video/vis_features/tv", false},
    {"tvc", SPLIT_test, TVC("test_release"), "video/vis_features/tv", true},
    {"yc2c", SPLIT_train, YC2C("train_release"), "video/vis_features/yc2", false},
    {"yc2c", SPLIT_valid, YC2C("val_release"), "video/vis_features/yc2", false},
    {"yc2c", SPLIT_test, YC2C("val_release"), "video/vis_features/yc2", false},
    {"yc2c", SPLIT_test, YC2C("test_release"), "video/vis_features/yc2", true},
};
const uint32_t layout_file_count = sizeof layout_files / sizeof *layout_files;

const Layout *layout_find(const char *task, Loc loc, Diags *diags)
{
    const char *names[sizeof layouts / sizeof *layouts];
    for (uint32_t i = 0; i < layout_count; i++) {
        names[i] = layouts[i].name;
        if (strcmp(task, names[i]) == 0)
            return &layouts[i];
    }
    const char *near = nearest_name(task, names, layout_count);
    if (near)
        diag_error(diags, loc, "there are no data for task '%s'; did you mean '%s'?",
                   task, near);
    else
        diag_error(
            diags, loc,
            "there are no data for task '%s'; there are for vqa, gqa, nlvr, caption, "
            "tvqa, how2qa, tvc and yc2c",
            task);
    return NULL;
}
