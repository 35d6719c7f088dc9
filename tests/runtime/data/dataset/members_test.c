/* Every member of the records of every task: without it, under another name, or with a
 * value of another kind, the record is refused and named, and nothing is trained in its
 * place. Only answers may be missing, and only where nothing is trained. */
#include <stdlib.h>
#include <string.h>

#include "runtime/data/dataset/dataset_unknown.h"
#include "tests/check.h"
#include "tests/runtime/data/dataset/loading.h"
#include "tests/runtime/data/tokenizer/train_sentencepiece.h"

typedef struct Case {
    const char *task;
    Split split;
    const char *path;      /* under the directory */
    const char *record;    /* a good one */
    const char *inside;    /* the records are in this member of an object, or NULL */
    const char *members;   /* needed everywhere */
    const char *answer;    /* needed to train */
    const char *no_answer; /* a value of it that says nothing, or NULL */
} Case;

#define TVQA                                                                             \
    "{\"vid_name\": \"v\", \"qid\": 5, \"q\": \"why?\", \"ts\": \"1-2\", \"a0\": \"x\"," \
    " \"a1\": \"y\", \"a2\": \"z\", \"a3\": \"w\", \"a4\": \"v\", \"answer_idx\": 3}"
#define CAPTION(split)                                                                   \
    "{\"filename\": \"a.jpg\", \"split\": \"" split                                      \
    "\", \"sentences\": [{\"raw\": \"one\"}]}"

static const Case cases[] = {
    {"vqa", SPLIT_train, "vqa/karpathy_train.json",
     "{\"img_id\": \"i\", \"sent\": \"s\", \"question_id\": 4, \"label\": {\"a\": 1}}",
     NULL, "img_id sent question_id", "label", "{\"\": 1}"},
    {"gqa", SPLIT_train, "GQA/train.json",
     "{\"img_id\": \"i\", \"sent\": \"s\", \"question_id\": \"4\", \"label\": "
     "{\"a\": 1}}",
     NULL, "img_id sent question_id", "label", "{\"a\": 0}"},
    {"gqa", SPLIT_valid, "GQA/testdev.json",
     "{\"img_id\": \"i\", \"sent\": \"s\", \"question_id\": \"4\", \"label\": {\"a\": "
     "1}}",
     NULL, "img_id sent question_id", "label", NULL},
    {"nlvr", SPLIT_train, "nlvr/train.json",
     "{\"identifier\": \"n\", \"sent\": \"s\", \"img0\": \"i\", \"img1\": \"j\", "
     "\"label\": 0}",
     NULL, "identifier sent img0 img1", "label", "null"},
    {"nlvr", SPLIT_test, "nlvr/test.json",
     "{\"identifier\": \"n\", \"sent\": \"s\", \"img0\": \"i\", \"img1\": \"j\", "
     "\"label\": 0}",
     NULL, "identifier sent img0 img1", "label", NULL},
    {"caption", SPLIT_train, "COCO/dataset_coco.json", CAPTION("train"), "images",
     "filename split", "sentences", "[{\"raw\": \" \\n\"}]"},
    {"caption", SPLIT_test, "COCO/dataset_coco.json", CAPTION("test"), "images",
     "filename split", "sentences", NULL},
    {"tvqa", SPLIT_train, "video/ann/tvqa/tvqa_train.jsonl", TVQA, NULL,
     "vid_name qid q ts a0 a1 a2 a3 a4", "answer_idx", "5"},
    {"tvqa", SPLIT_valid, "video/ann/tvqa/tvqa_val.jsonl", TVQA, NULL,
     "vid_name qid q ts a0 a1 a2 a3 a4", "answer_idx", NULL},
    {"how2qa", SPLIT_train, "video/ann/how2qa/how2qa_train_release.jsonl", TVQA, NULL,
     "vid_name qid q ts a0 a1 a2 a3", "answer_idx", "4"},
    {"tvc", SPLIT_train, "video/ann/tvc/tvc_train_release.jsonl",
     "{\"vid_name\": \"v\", \"clip_id\": 1, \"ts\": [1, 2], \"descs\": [{\"desc\": "
     "\"d\"}]}",
     NULL, "vid_name clip_id ts", "descs", "[]"},
    {"yc2c", SPLIT_train, "video/ann/yc2c/yc2c_train_release.jsonl",
     "{\"vid_name\": \"v\", \"clip_id\": 1, \"descs\": [{\"desc\": \"d\"}]}", NULL,
     "vid_name clip_id", "descs", "[{\"desc\": \"\"}]"},
    {"yc2c", SPLIT_valid, "video/ann/yc2c/yc2c_val_release.jsonl",
     "{\"vid_name\": \"v\", \"clip_id\": 1, \"descs\": [{\"desc\": \"d\"}]}", NULL,
     "vid_name clip_id", "descs", NULL},
};

static void write_records(const Scratch *scratch, const Case *of, const json_t *changed)
{
    char *text = changed ? json_dumps(changed, 0) : NULL;
    bool is_lines = strstr(of->path, ".jsonl");
    const char *both = arena_format(scratch->arena, "%s%s\n%s", of->record,
                                    !text || is_lines ? "" : ",", text ? text : "");
    if (!is_lines)
        both = arena_format(scratch->arena, "[%s]", both);
    if (of->inside)
        both = arena_format(scratch->arena, "{\"%s\": %s}", of->inside, both);
    scratch_text(scratch, of->path, both);
    free(text);
}

/* The second record is refused with both messages; with --skip-bad it is left out. */
static void check_refused(Check *check, const Scratch *scratch, const Case *of,
                          const json_t *changed, const char *message)
{
    Loading loading;
    write_records(scratch, of, changed);
    loading_open(&loading, scratch, of->task, of->split, false);
    CHECK(check, !loading.is_loaded && messages_have(&loading.messages, message),
          "%s should say '%s': %s", of->path, message, loading.messages.text);
    CHECK(check,
          messages_have(&loading.messages,
                        arena_format(scratch->arena, "%s:2", of->path)) &&
              messages_have(&loading.messages, "record 2"),
          "names file and record: %s", loading.messages.text);
    loading_close(&loading);
    loading_open(&loading, scratch, of->task, of->split, true);
    CHECK(check, loading.is_loaded && loading.list.count == 1, "%s: left out", of->path);
    loading_close(&loading);
}

static json_t *changed_record(const Case *of, const char *member, json_t **out_value)
{
    json_t *record = json_loads(of->record, 0, NULL);
    *out_value = json_incref(json_object_get(record, member));
    json_object_del(record, member);
    return record;
}

/* An 'x' more: too much for a name of one letter to be taken for it. */
static void check_renamed(Check *check, const Scratch *scratch, const Case *of,
                          const char *member)
{
    json_t *value, *record = changed_record(of, member, &value);
    const char *name = arena_format(scratch->arena, "%sx", member);
    json_object_set_new(record, name, value);
    const char *message =
        strlen(member) == 1
            ? arena_format(scratch->arena, "has no \"%s\"", member)
            : arena_format(scratch->arena, "has no \"%s\"; did you mean that by \"%s\"?",
                           member, name);
    check_refused(check, scratch, of, record, message);
    json_decref(record);
}

static void check_member(Check *check, const Scratch *scratch, const Case *of,
                         const char *member)
{
    json_t *value, *record = changed_record(of, member, &value);
    check_refused(check, scratch, of, record,
                  arena_format(scratch->arena, "has no \"%s\"", member));
    json_object_set_new(record, member, json_real(0.5));
    check_refused(check, scratch, of, record,
                  arena_format(scratch->arena, "\"%s\" ", member));
    json_decref(record);
    json_decref(value);
    check_renamed(check, scratch, of, member);
}

/* Without an answer there is nothing to train, and all to be said. */
static void check_answer(Check *check, const Scratch *scratch, const Case *of)
{
    json_t *value, *record = changed_record(of, of->answer, &value);
    if (of->split == SPLIT_train) {
        check_refused(check, scratch, of, record,
                      arena_format(scratch->arena, "has no \"%s\"", of->answer));
        json_object_set_new(record, of->answer,
                            json_loads(of->no_answer, JSON_DECODE_ANY, NULL));
        check_refused(check, scratch, of, record, "");
    } else {
        Loading loading;
        write_records(scratch, of, record);
        loading_open(&loading, scratch, of->task, of->split, false);
        CHECK(check, loading.is_loaded && loading.list.count == 2, "%s", of->path);
        CHECK(check, loading.list.items[0].is_told && !loading.list.items[1].is_told,
              "%s: one answer", of->path);
        CHECK(check, messages_have(&loading.messages, "1 of 2 examples"), "%s: %s",
              of->path, loading.messages.text);
        loading_close(&loading);
    }
    json_decref(record);
    json_decref(value);
    check_renamed(check, scratch, of, of->answer);
}

static void check_case(Check *check, const Scratch *scratch, const Case *of)
{
    Loading loading;
    write_records(scratch, of, NULL);
    loading_open(&loading, scratch, of->task, of->split, false);
    CHECK(check, loading.is_loaded && loading.list.count == 1, "%s: %s", of->path,
          loading.messages.text);
    loading_close(&loading);
    char *members = arena_format(scratch->arena, "%s", of->members), *rest = NULL;
    for (char *name = strtok_r(members, " ", &rest); name;
         name = strtok_r(NULL, " ", &rest))
        check_member(check, scratch, of, name);
    check_answer(check, scratch, of);
}

/* A question that is scored by annotators' answers must have some. */
static void test_annotations(Check *check, const Scratch *scratch)
{
    static const char question[] =
        "{\"img_id\": \"i\", \"sent\": \"s\", \"question_id\": %d, \"label\": {}}";
    Arena *arena = scratch->arena;
    scratch_text(scratch, "vqa/karpathy_val.json",
                 arena_format(arena, "[%s, %s]", arena_format(arena, question, 4),
                              arena_format(arena, question, 5)));
    scratch_text(scratch, "vqa/v2_mscoco_train2014_annotations.json",
                 "{\"annotations\": []}");
    scratch_text(scratch, "vqa/v2_mscoco_val2014_annotations.json",
                 "{\"annotations\": [{\"question_id\": 4, \"answers\": [{\"answer\": "
                 "\"a\"}]}]}");
    Loading loading;
    loading_open(&loading, scratch, "vqa", SPLIT_valid, false);
    CHECK(check,
          !loading.is_loaded &&
              messages_have(&loading.messages, "question 5 has no annotators' answers"),
          "%s", loading.messages.text);
    loading_close(&loading);
    loading_open(&loading, scratch, "vqa", SPLIT_valid, true);
    CHECK(check, loading.is_loaded && loading.list.count == 1, "left out");
    loading_close(&loading);
}

static void check_subtitles(Check *check, const Scratch *scratch, const char *record,
                            const char *message)
{
    Loading loading;
    const char *ok = scratch_text(scratch, "video/ann/yc2_subtitles.jsonl", record);
    loading_open(&loading, scratch, "yc2c", SPLIT_valid, false);
    CHECK(check, !loading.is_loaded && messages_have(&loading.messages, message),
          "should say '%s': %s", message, loading.messages.text);
    CHECK(check, messages_have(&loading.messages, ok), "names the file");
    loading_close(&loading);
}

static void test_subtitles(Check *check, const Scratch *scratch)
{
    check_subtitles(check, scratch, "{\"vid\": \"v\", \"sub\": []}", "need \"vid_name\"");
    check_subtitles(check, scratch, "{\"vid_nam\": \"v\", \"sub\": []}",
                    "has no \"vid_name\"; did you mean that by \"vid_nam\"?");
    check_subtitles(check, scratch, "{\"vid_name\": \"v\", \"subs\": []}",
                    "has no \"sub\"; did you mean that by \"subs\"?");
    check_subtitles(check, scratch, "{\"vid_name\": \"v\", \"sub\": [{\"txt\": \"a\"}]}",
                    "has no \"text\"; did you mean that by \"txt\"?");
}

/* An empty label weighs nothing; with nothing but such there is nothing to learn. */
static void check_labels(Check *check, const Scratch *scratch, const char *labels,
                         const char *message)
{
    TextBuffer text = {0};
    for (const char *at = labels; *at; at++) {
        const char *record = arena_format(
            scratch->arena,
            "%c{\"img_id\": \"i\", \"sent\": \"s\", \"question_id\": %d, \"label\": "
            "{%s}}",
            at == labels ? '[' : ',', (int)(at - labels), *at == '1' ? "\"a\": 1" : "");
        text_buffer_add(&text, record, strlen(record));
    }
    text_buffer_add(&text, "]", 2);
    scratch_text(scratch, "vqa/karpathy_train.json", text.bytes);
    text_buffer_free(&text);
    Loading loading;
    loading_open(&loading, scratch, "vqa", SPLIT_train, false);
    CHECK(check, loading.is_loaded == (strchr(labels, '1') != NULL), "%s", labels);
    CHECK(check, messages_have(&loading.messages, "karpathy_train") == (message != NULL),
          "%s: %s", labels, loading.messages.text);
    CHECK(check, !message || messages_have(&loading.messages, message), "%s: %s", labels,
          loading.messages.text);
    loading_close(&loading);
}

/* Beside another answer an empty one is left out, with a word about it. */
static void test_empty_answer(Check *check, const Scratch *scratch)
{
    Loading loading;
    scratch_text(scratch, "vqa/karpathy_train.json",
                 "[{\"img_id\": \"i\", \"sent\": \"s\", \"question_id\": 1, \"label\": "
                 "{\" \": 1, \"a\": 0.3}}]");
    loading_open(&loading, scratch, "vqa", SPLIT_train, false);
    CHECK(check, loading.is_loaded && loading.list.count == 1, "%s",
          loading.messages.text);
    CHECK(check,
          loading.is_loaded && loading.list.items[0].answer_count == 1 &&
              strcmp(loading.list.items[0].answers[0].text, "a") == 0,
          "the other answer");
    CHECK(check, messages_have(&loading.messages, "warning: 1 empty answers"), "%s",
          loading.messages.text);
    loading_close(&loading);
}

/* A model that does not weigh its answers would learn to say nothing. */
static void test_unweighed(Check *check, const Scratch *scratch)
{
    Loading loading;
    scratch_text(scratch, "vqa/karpathy_train.json",
                 "[{\"img_id\": \"i\", \"sent\": \"s\", \"question_id\": 1, \"label\": "
                 "{\"a\": 1}},\n{\"img_id\": \"i\", \"sent\": \"s\", \"question_id\": 2, "
                 "\"label\": {}}]");
    loading_prepare(&loading, scratch, "vqa", false);
    loading.loader.needs_scores = true;
    loading.is_loaded = loader_load(&loading.loader, SPLIT_train, false, &loading.list);
    CHECK(check,
          !loading.is_loaded &&
              messages_have(&loading.messages,
                            "record 2 (question_id 2): \"label\" has no"),
          "%s", loading.messages.text);
    loading_close(&loading);
}

/* Of the two files that gqa trains on, one may be empty; not both. */
static void test_empty(Check *check, const Scratch *scratch)
{
    Loading loading;
    write_records(scratch, &cases[1], NULL);
    scratch_text(scratch, "GQA/valid.json", "[]");
    loading_open(&loading, scratch, "gqa", SPLIT_train, false);
    CHECK(check, loading.is_loaded && loading.list.count == 1, "one file is enough");
    loading_close(&loading);
    scratch_text(scratch, "GQA/train.json", "[]");
    loading_open(&loading, scratch, "gqa", SPLIT_train, false);
    CHECK(check,
          !loading.is_loaded && messages_have(&loading.messages, "error: has no example"),
          "nothing to train on");
    loading_close(&loading);
}

/* The tokenizer knows the letters of "one two three" alone. */
static void check_unknown(Check *check, const Tokenizer *tokenizer, const char *text,
                          const char *answer, const char *message)
{
    const DatasetAnswer answers[] = {{answer, 1}};
    const char *fields[] = {text};
    const DatasetExample example = {
        .fields = fields, .answers = answers, .answer_count = 1, .is_told = true};
    DatasetExample items[] = {example, example, example};
    const ExampleList list = {.items = items, .count = 3};
    DataSetting setting = {.key = "use_prompt", .value = "0"};
    const Task task = {.name = "vqa", .data = &setting, .data_count = 1};
    Arena *arena = arena_new();
    TaskTexts texts;
    Messages messages;
    messages_open(&messages);
    CHECK(check, task_texts_find(&texts, &task, arena, messages.diags), "texts");
    dataset_warn_unknown(&texts, SPLIT_train, &list, 2, tokenizer, messages.diags);
    CHECK(check, messages_have(&messages, "warning") == (message != NULL), "%s",
          messages.text);
    CHECK(check, !message || messages_have(&messages, message), "should say '%s': %s",
          message, messages.text);
    messages_close(&messages);
    arena_free(arena);
}

static void test_unknown(Check *check, const Scratch *scratch)
{
    const char *text = scratch_text(scratch, "text", "one two three\n");
    const char *arguments = arena_format(
        scratch->arena,
        "--input=%s --model_prefix=%s --vocab_size=20 --hard_vocab_limit=false "
        "--pad_id=0 --eos_id=1 --unk_id=2 --bos_id=-1 --minloglevel=2",
        text, scratch_path(scratch, "spiece"));
    Diags *diags = diags_new(stderr);
    Tokenizer *tokenizer =
        train_sentencepiece(arguments)
            ? tokenizer_open(scratch_path(scratch, "spiece.model"), NULL, diags)
            : NULL;
    CHECK(check, tokenizer, "a tokenizer");
    if (tokenizer) {
        check_unknown(check, tokenizer, "one two", "three", NULL);
        check_unknown(check, tokenizer, "one \xe4\xb8\x80", "three",
                      "tokens of the texts in 2 of 2 examples of the train split");
        check_unknown(check, tokenizer, "one", "QQ", "tokens of the answers");
    }
    tokenizer_free(tokenizer);
    diags_free(diags);
}

int main(void)
{
    Check check = {0};
    Scratch scratch = scratch_new();
    loading_folders(&scratch);
    scratch_text(&scratch, "GQA/valid.json", "[]");
    scratch_text(&scratch, "video/ann/tv_subtitles.jsonl",
                 "{\"vid_name\": \"v\", \"sub\": []}\n");
    scratch_text(&scratch, "video/ann/how2_subtitles.jsonl",
                 "{\"vid_name\": \"v\", \"sub\": []}\n");
    scratch_text(&scratch, "video/ann/yc2_subtitles.jsonl",
                 "{\"vid_name\": \"v\", \"sub\": []}\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&check, &scratch, &cases[i]);
    test_annotations(&check, &scratch);
    check_labels(&check, &scratch, "1111110", NULL);
    check_labels(&check, &scratch, "1100", "warning: 2 of 4 examples");
    check_labels(&check, &scratch, "00", "error: none of 2 examples");
    test_unweighed(&check, &scratch);
    test_empty_answer(&check, &scratch);
    test_empty(&check, &scratch);
    test_subtitles(&check, &scratch);
    test_unknown(&check, &scratch);
    scratch_free(&scratch);
    return check_finish(&check);
}
