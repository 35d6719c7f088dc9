/* Files of examples: texts and targets as published, and damage of every kind, which
 * names the file, the record and the example, and which may be skipped. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/data/dataset/dataset_load.h"
#include "runtime/data/features/features.h"
#include "tests/check.h"
#include "tests/runtime/data/dataset/loading.h"
#include "tests/scratch.h"

/* -- streams ---------------------------------------------------------------------------
 */

/* How a stream goes: r record, b bad record, e end, x broken. */
static void check_stream(Check *check, const Scratch *scratch, const char *name,
                         const char *member, const char *text, const char *steps)
{
    static const char letters[] = {[JSON_STEP_record] = 'r',
                                   [JSON_STEP_bad] = 'b',
                                   [JSON_STEP_end] = 'e',
                                   [JSON_STEP_broken] = 'x'};
    Messages messages;
    messages_open(&messages);
    const char *path = scratch_text(scratch, name, text);
    JsonStream *stream = json_stream_open(path, member, messages.diags);
    char went[32] = "";
    for (size_t i = 0; i + 1 < sizeof went; i++) {
        json_t *record;
        JsonStep step = json_stream_next(stream, &record, messages.diags);
        CHECK(check, (record != NULL) == (step == JSON_STEP_record), "a record or none");
        json_decref(record);
        went[i] = letters[step];
        if (step > JSON_STEP_bad)
            break;
    }
    json_stream_close(stream);
    CHECK(check, strcmp(went, steps) == 0, "%s: %s, not %s", text, went, steps);
    bool is_faulty = strchr(steps, 'b') || strchr(steps, 'x');
    CHECK(check, messages_have(&messages, name) == is_faulty, "%s: %s", text,
          messages.text);
    messages_close(&messages);
}

static void test_streams(Check *check, const Scratch *scratch)
{
    static const struct {
        const char *member, *text, *steps;
    } arrays[] = {
        {NULL, "[]", "e"},
        {NULL, " [ {\"a\": [1, {\"]\": \"}\"}]} ,\n{}\n]\n", "rre"},
        {NULL, "[{\"a\": \"\\\"}\"}, {\"b\": \"\\\\\"}]", "rre"},
        {NULL, "[{\"a\": 1,}, {\"b\": 2}]", "bre"},
        {NULL, "[1, {\"b\": 2}, null]", "brbe"},
        {NULL, "[{\"a\": \"\xff\"}, {}]", "bre"},
        {NULL, "[{\"a\": 1} {\"b\": 2}]", "rx"},
        {NULL, "[{\"a\": 1}, {\"b\"", "rx"},
        {NULL, "[{\"a\": 1}", "rx"},
        {NULL, "[{}] {}", "rx"},
        {NULL, "[,]", "x"},
        {NULL, "", "x"},
        {NULL, "{}", "x"},
        {"images", "{\"other\": [{}, \"]\"], \"n\": 1, \"images\": [{}, {}], \"z\": {}}",
         "rre"},
        {"images", "{\"images\": 3}", "x"},
        {"images", "{\"imagez\": []}", "x"},
        {"images", "{\"imag", "x"},
        {"images", "[{}]", "re"},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        check_stream(check, scratch, "stream.json", arrays[i].member, arrays[i].text,
                     arrays[i].steps);
    check_stream(check, scratch, "stream.jsonl", NULL, "{}\n\n{\"a\": 1}", "rre");
    check_stream(check, scratch, "stream.jsonl", NULL, "{}\n{\"a\"\n{}\n", "rbre");
    check_stream(check, scratch, "stream.jsonl", NULL, "", "e");
}

/* A record that is too long is bad, and the next one good. */
static void test_bounds(Check *check, const Scratch *scratch)
{
    const size_t size = ((size_t)1 << 22) + 1;
    char *text = arena_alloc(scratch->arena, size + 64);
    memcpy(text, "[{\"a\": \"", 8);
    memset(text + 8, 'x', size);
    memcpy(text + 8 + size, "\"},\n{}]", 8);
    text[8 + size + 8] = 0;
    check_stream(check, scratch, "stream.json", NULL, text, "bre");
    memcpy(text + 8 + size, "\"}\n{}\n", 7);
    check_stream(check, scratch, "stream.jsonl", NULL, text + 1, "bre");
    memset(text, '[', size);
    text[size] = 0;
    check_stream(check, scratch, "stream.json", NULL, text, "x");
    memcpy(text, "[{\"a\":", 6);
    memset(text + 6, '[', 4000);
    memset(text + 4006, ']', 4000);
    memcpy(text + 8006, "}, {}]", 7);
    check_stream(check, scratch, "stream.json", NULL, text, "bre");
}

/* What was downloaded in the file's place. */
static void check_kind(Check *check, const Scratch *scratch, const char *name,
                       const char *text, const char *message)
{
    Messages messages;
    json_t *record;
    messages_open(&messages);
    const char *path = scratch_text(scratch, name, text);
    JsonStream *stream = json_stream_open(path, NULL, messages.diags);
    CHECK(check,
          json_stream_next(stream, &record, messages.diags) == JSON_STEP_broken &&
              messages_have(&messages, message),
          "should say '%s': %s", message, messages.text);
    json_stream_close(stream);
    messages_close(&messages);
}

static void test_kinds(Check *check, const Scratch *scratch)
{
    static const char *const names[] = {"train.json", "train.jsonl"};
    for (int i = 0; i < 2; i++) {
        check_kind(check, scratch, names[i],
                   "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
                   "is no JSON file, but a git-lfs pointer");
        check_kind(check, scratch, names[i], "\n<!DOCTYPE html>\n<html>",
                   "but an HTML page");
        check_kind(check, scratch, names[i], "\x1f\x8b", "but a gzip file");
    }
    check_kind(check, scratch, names[0], "", "the file ends");
    check_kind(check, scratch, names[0], "{}", "'{' where an array");
}

/* -- what records say -------------------------------------------------------------- */

static void check_text(Check *check, const DatasetExample *example, const char *task,
                       const char *use_prompt, const char *wanted)
{
    DataSetting setting = {.key = "use_prompt", .value = use_prompt};
    const Task of = {.name = task, .data = &setting, .data_count = 1};
    Arena *arena = arena_new();
    TaskTexts texts;
    Diags *diags = diags_new(stderr);
    bool is_found = task_texts_find(&texts, &of, arena, diags);
    const char *text = is_found ? task_texts_read(&texts, example, arena) : "";
    CHECK(check, strcmp(text, wanted) == 0, "'%s', not '%s'", text, wanted);
    diags_free(diags);
    arena_free(arena);
}

static void test_questions(Check *check, const Scratch *scratch)
{
    scratch_text(scratch, "GQA/train.json",
                 "[{\"img_id\": \"1\", \"sent\": \"what?\", \"question_id\": \"07\","
                 " \"label\": {\"pipe\": 1.0}}]");
    scratch_text(scratch, "GQA/valid.json",
                 "[{\"img_id\": \"2\", \"question\": \"who?\", \"question_id\": 8,"
                 " \"label\": {\"dog\": 0.5}}]");
    Loading loading;
    loading_open(&loading, scratch, "gqa", SPLIT_train, false);
    CHECK(check, loading.is_loaded && loading.list.count == 2, "train and valid");
    const DatasetExample *items = loading.list.items;
    CHECK(check, strcmp(items[0].id, "07") == 0 && strcmp(items[1].id, "8") == 0, "ids");
    CHECK(check, items[0].answer_count == 1 && items[1].answer_count == 1, "answers");
    check_text(check, &items[0], "gqa", "1", "gpa: what?");
    check_text(check, &items[1], "gqa", "0", "who?");
    loading_close(&loading);
}

static void test_captions(Check *check, const Scratch *scratch)
{
    scratch_text(scratch, "COCO/dataset_coco.json",
                 "{\"images\": [{\"filename\": \"a.b.jpg\", \"split\": \"restval\","
                 " \"sentences\": [{\"raw\": \" one \\n\"}, {\"raw\": \"two\"}]},"
                 " {\"filename\": \"c.jpg\", \"split\": \"val\","
                 " \"sentences\": [{\"raw\": \"three\"}, {\"raw\": \"four\"}]}]}");
    Loading loading;
    loading_open(&loading, scratch, "caption", SPLIT_train, false);
    CHECK(check, loading.is_loaded && loading.list.count == 2, "one per caption");
    CHECK(check, strcmp(loading.list.items[0].answers[0].text, "one") == 0, "stripped");
    CHECK(check, strcmp(loading.list.items[1].images[0], "a.b") == 0, "stem");
    check_text(check, &loading.list.items[0], "caption", "1", "caption: ");
    check_text(check, &loading.list.items[0], "caption", "0", "");
    loading_close(&loading);
    loading_open(&loading, scratch, "caption", SPLIT_valid, false);
    CHECK(check,
          loading.is_loaded && loading.list.count == 1 &&
              loading.list.items[0].reference_count == 2,
          "one per image");
    loading_close(&loading);
    loading_open(&loading, scratch, "caption", SPLIT_test, false);
    CHECK(check,
          loading.is_loaded && loading.list.count == 0 &&
              messages_have(&loading.messages, "warning: has no example"),
          "an empty split");
    loading_close(&loading);
}

static void test_videos(Check *check, const Scratch *scratch)
{
    scratch_text(scratch, "video/ann/tv_subtitles.jsonl",
                 "{\"vid_name\": \"v\", \"sub\": [{\"text\": \" hi \", \"start\": 0, "
                 "\"end\": 1}, {\"text\": \"you\"}]}\n");
    scratch_text(
        scratch, "video/ann/tvqa/tvqa_train.jsonl",
        "{\"vid_name\": \"v\", \"qid\": 5, \"q\": \" why? \", \"ts\": \"20.16-25.12\","
        " \"a0\": \" x.. \", \"a1\": \"y\", \"a2\": \".\", \"a3\": \"z. w\","
        " \"a4\": \"v\", \"answer_idx\": 3, \"show_name\": \"s\"}\n");
    scratch_text(
        scratch, "video/ann/tvc/tvc_train_release.jsonl",
        "{\"vid_name\": \"v\", \"clip_id\": 1, \"ts\": [20.16, 25],"
        " \"descs\": [{\"desc\": \"d\"}, {\"desc\": \"e\"}]}\n"
        "{\"vid_name\": \"w\", \"clip_id\": 2, \"ts\": [0.1, 100.0], \"descs\": []}\n");
    Loading loading;
    loading_open(&loading, scratch, "tvqa", SPLIT_train, false);
    CHECK(check, loading.is_loaded && loading.list.count == 1, "one");
    if (loading.is_loaded)
        check_text(
            check, &loading.list.items[0], "tvqa", "1",
            "[Subs] hi you [Q] why? [TS] (20.16-25.12) [Choices] a0: x. a1: y. a2: . "
            "a3: z. w. a4: v. tvqa: ");
    CHECK(check, strcmp(loading.list.items[0].answers[0].text, "a3") == 0, "answer");
    loading_close(&loading);
    loading_open(&loading, scratch, "tvc", SPLIT_train, false);
    CHECK(check,
          !loading.is_loaded && messages_have(&loading.messages, "video 'w' is not in"),
          "no subtitles");
    CHECK(check, messages_have(&loading.messages, "tvc_train_release.jsonl:2"),
          "the line");
    loading_close(&loading);
    loading_open(&loading, scratch, "tvc", SPLIT_train, true);
    CHECK(check, loading.is_loaded && loading.list.count == 2, "one per description");
    if (loading.list.count == 2)
        check_text(check, &loading.list.items[1], "tvc", "1",
                   "[Subs] hi you [TS] ([20.16, 25]) tvc: ");
    loading_close(&loading);
}

/* -- what records should not say --------------------------------------------------- */

#define NLVR(extra)                                                                      \
    "{\"identifier\": \"n-1\", \"sent\": \"s\", \"img1\": \"j\", " extra "}"

static void test_faults(Check *check, const Scratch *scratch)
{
    static const char ok[] = NLVR("\"img0\": \"i\", \"label\": 1");
    static const struct {
        const char *record, *message;
    } cases[] = {
        {NLVR("\"img0\": \"i\", \"label\": 2"), "neither 0 nor 1"},
        {NLVR("\"img0\": \"i\", \"label\": \"1\""), "neither 0 nor 1"},
        {NLVR("\"label\": 1"), "has no \"img0\""},
        {NLVR("\"img0\": \"../../etc\", \"label\": 1"), "cannot be the name of a file"},
        {NLVR("\"img0\": \"..\", \"label\": 1"), "cannot be the name of a file"},
        {NLVR("\"img0\": \"\", \"label\": 1"), "cannot be the name of a file"},
        {"{\"identifier\": [1]}", "\"identifier\" is no string"},
        {"{\"identifier\": \"n-1\\u0000\"}", "NUL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scratch_text(scratch, "nlvr/train.json",
                     arena_format(scratch->arena, "[%s,\n%s]", ok, cases[i].record));
        Loading loading;
        loading_open(&loading, scratch, "nlvr", SPLIT_train, false);
        CHECK(check,
              !loading.is_loaded && messages_have(&loading.messages, cases[i].message),
              "should say '%s': %s", cases[i].message, loading.messages.text);
        CHECK(check,
              messages_have(&loading.messages, "nlvr/train.json:2") &&
                  messages_have(&loading.messages, "record 2"),
              "names the record: %s", loading.messages.text);
        loading_close(&loading);
        loading_open(&loading, scratch, "nlvr", SPLIT_train, true);
        CHECK(check, loading.is_loaded && loading.list.count == 1, "skips the record");
        CHECK(check, !messages_have(&loading.messages, "error"), "which is no error");
        loading_close(&loading);
    }
}

static void test_annotations(Check *check, const Scratch *scratch)
{
    scratch_text(scratch, "vqa/karpathy_val.json",
                 "[{\"img_id\": \"i\", \"sent\": \"s\", \"question_id\": 4, \"label\": "
                 "{\"net\": 1, \"a net\": 0.3}, \"is_topk_optimal\": false}]");
    scratch_text(scratch, "vqa/v2_mscoco_train2014_annotations.json",
                 "{\"annotations\": []}");
    scratch_text(
        scratch, "vqa/v2_mscoco_val2014_annotations.json",
        "{\"info\": {\"annotations\": 1}, \"annotations\": [{\"question_id\": 9, "
        "\"answers\": []}, {\"question_id\": 4, \"answers\": [{\"answer\": \"net\"}, "
        "{\"answer\": \"nets\"}]}]}");
    Loading loading;
    loading_open(&loading, scratch, "vqa", SPLIT_valid, false);
    const DatasetExample *example = loading.list.items;
    CHECK(check, loading.is_loaded && loading.list.count == 1, "loaded");
    CHECK(check,
          loading.is_loaded && example->reference_count == 2 &&
              strcmp(example->references[1], "nets") == 0,
          "annotators' answers");
    CHECK(check, loading.is_loaded && !example->is_topk_optimal, "is_topk_optimal");
    loading_close(&loading);
}

int main(void)
{
    Check check = {0};
    Scratch scratch = scratch_new();
    loading_folders(&scratch);
    test_streams(&check, &scratch);
    test_bounds(&check, &scratch);
    test_kinds(&check, &scratch);
    test_questions(&check, &scratch);
    test_captions(&check, &scratch);
    test_videos(&check, &scratch);
    test_faults(&check, &scratch);
    test_annotations(&check, &scratch);
    scratch_free(&scratch);
    return check_finish(&check);
}
