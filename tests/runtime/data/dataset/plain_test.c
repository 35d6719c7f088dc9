/* What a task says of its records: plain ones, whose members are their fields, and those
 * of a published layout under another name; and what it should not say. */
#include <string.h>
#include <sys/stat.h>

#include "tests/check.h"
#include "tests/runtime/data/dataset/loading.h"
#include "tests/scratch.h"

enum { MOST_FACTS = 8 };

/* Facts as key, value, key, value, ..., NULL. */
typedef const char *Facts[2 * MOST_FACTS + 1];

static void open_task(Loading *out, const Scratch *scratch, const char *const *facts,
                      Split split)
{
    static const Loc loc = {"own.vg", 7, 3};
    DataSetting *settings = arena_alloc(scratch->arena, MOST_FACTS * sizeof *settings);
    uint32_t count = 0;
    for (; facts[2 * count]; count++)
        settings[count] = (DataSetting){facts[2 * count], facts[2 * count + 1], loc};
    loading_open_task(
        out, scratch,
        &(Task){.name = "mine", .data = settings, .data_count = count, .loc = loc},
        split);
}

static const char *text_of(const Loading *loading, int64_t index, Arena *arena)
{
    return task_texts_read(&loading->texts, &loading->list.items[index], arena);
}

static void check_same(Check *check, const char *got, const char *wanted)
{
    CHECK(check, got && strcmp(got, wanted) == 0, "'%s', not '%s'", got ? got : "",
          wanted);
}

/* -- what records say -------------------------------------------------------------- */

static void test_fields(Check *check, const Scratch *scratch)
{
    static const Facts facts = {
        "records", "jsonl",
        "prompt",  "{{{question}}} {n} {x.y} {list.1} {list} {yes}: {question}",
        "id",      "q-{n}",
        "group",   "{x.y}",
        "images",  "{left} b-{right}"};
    scratch_text(scratch, "mine/train.jsonl",
                 "{\"question\": \"what?\", \"n\": 2.50, \"x\": {\"y\": \"why\"},"
                 " \"list\": [\"a\", 3], \"yes\": true, \"left\": \"a.b.JPG\","
                 " \"right\": 7, \"answer\": \"red\", \"more\": null}\n");
    Loading loading;
    open_task(&loading, scratch, facts, SPLIT_train);
    CHECK(check, loading.is_loaded && loading.list.count == 1, "%s",
          loading.messages.text);
    if (loading.is_loaded) {
        const DatasetExample *example = loading.list.items;
        check_same(check, text_of(&loading, 0, scratch->arena),
                   "{what?} 2.5 why 3 a, 3 true: what?");
        check_same(check, example->id, "q-2.5");
        check_same(check, example->group, "why");
        check_same(check, example->images[0], "a.b");
        check_same(check, example->images[1], "b-7");
        check_same(check, example->folder, "mine");
        check_same(check, example->answers[0].text, "red");
    }
    loading_close(&loading);
}

/* The answers of records of a line each, as "text=score" with blanks between; | ends an
 * example, and references follow behind a slash. */
static void check_answers(Check *check, const Scratch *scratch, const char *const *facts,
                          const char *lines, Split split, const char *wanted)
{
    Loading loading;
    const char *said = "";
    scratch_text(scratch, split == SPLIT_train ? "mine/train.jsonl" : "mine/valid.jsonl",
                 lines);
    open_task(&loading, scratch, facts, split);
    CHECK(check, loading.is_loaded, "%s: %s", lines, loading.messages.text);
    for (int64_t i = 0; i < loading.list.count; i++) {
        const DatasetExample *example = &loading.list.items[i];
        for (uint32_t a = 0; a < example->answer_count; a++)
            said =
                arena_format(scratch->arena, "%s%s=%g ", said, example->answers[a].text,
                             (double)example->answers[a].score);
        for (uint32_t r = 0; r < example->reference_count; r++)
            said = arena_format(scratch->arena, "%s/%s ", said, example->references[r]);
        said = arena_format(scratch->arena, "%s| ", said);
    }
    check_same(check, said, wanted);
    loading_close(&loading);
}

static void test_answers(Check *check, const Scratch *scratch)
{
    static const Facts plain = {"records", "jsonl", "prompt", "p", "images", ""};
    static const Facts choice = {"records", "jsonl",  "prompt",   "p",      "images",
                                 "",        "answer", "a{right}", "metric", "choice"};
    static const Facts captions = {"records", "jsonl",     "prompt", "p",
                                   "images",  "",          "metric", "captions",
                                   "answer",  "{captions}"};
    static const Facts annotated = {"records",    "jsonl", "prompt", "p",
                                    "images",     "",      "metric", "vqa_accuracy",
                                    "references", "{all}"};
    static const Facts statement = {"records", "jsonl", "prompt", "p",
                                    "images",  "",      "metric", "true_false"};
    static const Facts listed = {"records", "jsonl", "prompt", "p",
                                 "images",  "",      "metric", "choice",
                                 "choices", "{of}",  "answer", "say {answer}"};
    static const Facts whole = {"records", "jsonl", "prompt", "p",
                                "images",  "",      "answer", "{who}: {answer}"};
    check_answers(check, scratch, plain,
                  "{\"answer\": \"red\"}\n{\"answer\": [\"b\", 2]}\n"
                  "{\"answer\": {\"x\": 0.5, \"y\": 1}}\n",
                  SPLIT_train, "red=1 /red | b=1 2=1 /b /2 | x=0.5 y=1 | ");
    check_answers(check, scratch, plain, "{\"question\": 1}\n", SPLIT_valid, "| ");
    check_answers(check, scratch, choice, "{\"right\": 3}\n", SPLIT_valid, "a3=1 /a3 | ");
    check_answers(check, scratch, captions, "{\"captions\": [\"b c\", \"d\"]}\n",
                  SPLIT_train, "b c=1 /b c /d | d=1 /b c /d | ");
    check_answers(check, scratch, captions, "{\"captions\": [\"b c\", \"d\"]}\n",
                  SPLIT_valid, "b c=1 d=1 /b c /d | ");
    check_answers(check, scratch, annotated,
                  "{\"answer\": {\"r\": 1}, \"all\": [\"r\", \"r\", {\"answer\": \"s\"}, "
                  "4]}\n",
                  SPLIT_valid, "r=1 /r /r /s /4 | ");
    check_answers(check, scratch, statement,
                  "{\"answer\": true}\n{\"answer\": 0}\n{\"answer\": \"False\"}\n",
                  SPLIT_valid, "true=1 /true | false=1 /false | false=1 /false | ");
    check_answers(check, scratch, statement, "{\"answer\": {\"1\": 1, \"FALSE\": 0.5}}\n",
                  SPLIT_valid, "true=1 false=0.5 | ");
    check_answers(
        check, scratch, listed,
        "{\"of\": [\"b\", \"c\"], \"answer\": \"c\"}\n"
        "{\"of\": [\"b\", \"c\"], \"answer\": 0}\n"
        "{\"of\": [3, 1], \"answer\": 1}\n"
        "{\"of\": [\"b\", \"c\"], \"answer\": {\"b\": 0.5, \"c\": 1}}\n"
        "{\"answer\": \"x\"}\n",
        SPLIT_train,
        "say c=1 /say c | say b=1 /say b | say 1=1 /say 1 | say b=0.5 say c=1 | "
        "say x=1 /say x | ");
    check_answers(check, scratch, whole, "{\"who\": \"I\", \"answer\": [\"a\", \"b\"]}\n",
                  SPLIT_train, "I: a=1 I: b=1 /I: a /I: b | ");
}

/* -- a published layout under another name ------------------------------------------- */

static void check_layout(Check *check, const Scratch *scratch, const char *const *facts,
                         const char *text, const char *answer, const char *folder)
{
    Loading loading;
    open_task(&loading, scratch, facts, SPLIT_train);
    CHECK(check, loading.is_loaded && loading.list.count > 0, "%s",
          loading.messages.text);
    if (loading.is_loaded) {
        check_same(check, text_of(&loading, 0, scratch->arena), text);
        check_same(check, loading.list.items[0].answers[0].text, answer);
        check_same(check, loading.list.items[0].folder, folder);
    }
    loading_close(&loading);
}

static void test_layouts(Check *check, const Scratch *scratch)
{
    static const Facts published = {
        "records", "gqa", "prompt", "{image}: {question}", "answer", "It is {answer}."};
    static const Facts own = {"records", "gqa", "folder", "mine"};
    static const Facts video = {"records", "how2qa", "folder",
                                "mine",    "prompt", "{a1} or {a0}? {question}"};
    static const Facts heard = {"records", "yc2c", "folder", "mine"};
    const char *record = "[{\"img_id\": \"1\", \"sent\": \"what?\", \"question_id\": 7,"
                         " \"label\": {\"pipe\": 1.0}}]";
    scratch_text(scratch, "GQA/train.json", record);
    scratch_text(scratch, "GQA/valid.json", "[]");
    scratch_text(scratch, "mine/train.json", record);
    scratch_text(scratch, "mine/valid.json", "[]");
    check_layout(check, scratch, published, "1: what?", "It is pipe.", "VG");
    check_layout(check, scratch, own, "what?", "pipe", "mine");
    scratch_text(scratch, "mine/how2qa_train_release.jsonl",
                 "{\"vid_name\": \"v\", \"qid\": 5, \"q\": \" why? \", \"ts\": \"1-2\","
                 " \"a0\": \" x.. \", \"a1\": \"y\", \"a2\": \".\", \"a3\": \"z\","
                 " \"answer_idx\": 1}\n");
    check_layout(check, scratch, video, "y or x? why?", "a1", "mine");
    scratch_text(scratch, "mine/yc2_subtitles.jsonl",
                 "{\"vid_name\": \"v\", \"sub\": [{\"text\": \"hi\"}]}\n");
    scratch_text(
        scratch, "mine/yc2c_train_release.jsonl",
        "{\"vid_name\": \"v\", \"clip_id\": 1, \"descs\": [{\"desc\": \"d\"}]}\n");
    check_layout(check, scratch, heard, "[Subs] hi ", "d", "mine");
}

/* -- faults ------------------------------------------------------------------------ */

static void check_fault(Check *check, const Scratch *scratch, const char *const *facts,
                        const char *lines, const char *const *messages)
{
    Loading loading;
    scratch_text(scratch, "mine/valid.jsonl", lines);
    open_task(&loading, scratch, facts, SPLIT_valid);
    CHECK(check, !loading.is_loaded, "loads %s", lines);
    for (int i = 0; i < 2 && messages[i]; i++)
        CHECK(check, messages_have(&loading.messages, messages[i]), "should say '%s': %s",
              messages[i], loading.messages.text);
    loading_close(&loading);
}

static void test_bad_records(Check *check, const Scratch *scratch)
{
    static const Facts facts = {"records",    "jsonl",  "prompt",
                                "{question}", "images", "{image}"};
    static const Facts annotated = {"records", "jsonl", "prompt", "p",
                                    "images",  "",      "metric", "vqa_accuracy"};
    static const Facts statement = {"records", "jsonl", "prompt", "p",
                                    "images",  "",      "metric", "true_false"};
    static const Facts listed = {"records", "jsonl", "prompt",  "p",
                                 "images",  "",      "choices", "{of}"};
    static const struct {
        const char *lines, *messages[2];
    } rows[] = {
        {"{\"id\": 1, \"image\": \"i\", \"question\": \"q\"}\n"
         "{\"image\": \"i\", \"questoin\": \"q\"}\n",
         {"valid.jsonl:2: error: record 2: has no \"question\"; did you mean "
          "\"questoin\"?",
          "own.vg:7:3: note: task 'mine' asks for it in '{question}'"}},
        {"{\"image\": \"i\", \"text\": \"q\"}\n",
         {"has no \"question\"; it has \"image\", \"text\""}},
        {"{\"image\": \"i\", \"question\": {}}\n",
         {"valid.jsonl:1: error: record 1: \"question\" is neither text nor a number"}},
        {"{\"image\": \"i\", \"question\": []}\n", {"\"question\" is empty"}},
        {"{\"image\": \"i\", \"question\": \" \"}\n", {"\"question\" is empty"}},
        {"{\"image\": \"../i\", \"question\": \"q\"}\n",
         {"\"{image}\" cannot be the name of a file below 'mine': '../i'"}},
        {"{\"image\": \"i\", \"question\": \"q\"}\n\n"
         "{\"image\": \"i\", \"question\": \"q\"}\n",
         {"valid.jsonl:2: error: the line is empty, expected a record"}},
        {"{\"id\": \"a\", \"image\": \"i\", \"question\": \"q\"}\n"
         "{\"id\": \"a\", \"image\": \"i\", \"question\": \"q\"}\n",
         {"valid.jsonl:2: error: record 2: is called 'a', as that of line 1"}},
        {"{\"image\": \"i\", \"question\": \"q\", \"answer\": {\"x\": 2}}\n",
         {"the score of answer 'x' is not in 0..1"}},
        {"{\"image\": \"i\", \"question\": \"q\", \"answer\": {\" \": 1}}\n",
         {"an answer is empty"}},
        {"{\"image\": \"i\", \"question\": \"q\", \"answer\": [[1]]}\n",
         {"\"answer\" is neither text nor a number"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_fault(check, scratch, facts, rows[i].lines, rows[i].messages);
    check_fault(check, scratch, annotated, "{\"answer\": [\"a\", \"a\", \"a\"]}\n",
                (const char *[]){"4 at least; the record has 3", NULL});
    check_fault(
        check, scratch, statement, "{\"answer\": \"maybe\"}\n",
        (const char *[]){"\"answer\" is neither true nor false but 'maybe'", NULL});
    check_fault(check, scratch, listed, "{\"of\": [\"b\", \"c\"], \"answer\": 2}\n",
                (const char *[]){"\"answer\" is none of \"of\", but '2'", NULL});
    check_fault(check, scratch, statement, "{\"answer\": {\"1\": 1, \"yes\": 0.5}}\n",
                (const char *[]){"is neither true nor false but 'yes'", NULL});
}

/* Of a list, only digits say which: strtoul() would take -18446744073709551615 for 1. */
static void test_places(Check *check, const Scratch *scratch)
{
    static const char *const places[] = {"2",
                                         "-1",
                                         "+1",
                                         " 1",
                                         "1x",
                                         "1.",
                                         "",
                                         "18446744073709551616",
                                         "-18446744073709551615"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *prompt = arena_format(scratch->arena, "{list.%s}", places[i]);
        const Facts facts = {"records", "jsonl", "prompt", prompt, "images", ""};
        check_fault(
            check, scratch, facts, "{\"list\": [\"a\", \"b\"]}\n",
            (const char *[]){
                arena_format(scratch->arena, "has no \"list.%s\"", places[i]), NULL});
    }
}

static void test_bad_facts(Check *check, const Scratch *scratch)
{
    static const struct {
        Facts facts;
        const char *messages[2];
    } rows[] = {
        {{"records", "jsnl", "prompt", "p"},
         {"own.vg:7:3: error: there are no records 'jsnl'; did you mean 'jsonl'?"}},
        {{"records", "squad", "prompt", "p"},
         {"there are no records 'squad'; there are vqa, gqa, nlvr, caption, tvqa, "
          "how2qa, "
          "tvc, yc2c and jsonl"}},
        {{"records", "jsonl"}, {"records 'jsonl' need prompt="}},
        {{"records", "gqa", "prompt", "{questoin}"},
         {"own.vg:7:3: error: records 'gqa' have no field 'questoin' here; did you mean "
          "'question'? There are question, image and question_id"}},
        {{"records", "gqa", "answer", "{label}"}, {"there is answer"}},
        {{"records", "gqa", "answer", "yes"}, {"it reads no field"}},
        {{"records", "gqa", "prompt", "{question", NULL}, {"braces do not match"}},
        {{"records", "jsonl", "prompt", "a {} b"},
         {"own.vg:7:3: error: braces name no field in 'a {} b'"}},
        {{"records", "jsonl", "prompt", "a}"}, {"braces do not match in 'a}'"}},
        {{"records", "gqa", "id", "{image}"}, {"say themselves what 'id' is"}},
        {{"records", "gqa", "metric", "captions"},
         {"records 'gqa' have no metric 'captions'; there are exact_match and choice"}},
        {{"records", "jsonl", "prompt", "p", "metric", "exactmatch"},
         {"did you mean 'exact_match'?"}},
        {{"records", "jsonl", "prompt", "p", "images", "{a}", "video", "{b}"},
         {"has images and a video"}},
        {{"records", "jsonl", "prompt", "p", "images", "{a} {b} {c}"},
         {"expected names of at most 2 images"}},
        {{"records", "jsonl", "prompt", "p", "references", "{a}"},
         {"references are for metric"}},
        {{"records", "jsonl", "prompt", "p", "folder", "../x"},
         {"'../x' is no folder under the data's directory"}},
        {{"records", "jsonl", "prompt", "p", "answer", "It is {answer}.", "metric",
          "true_false"},
         {"compares the words true and false"}},
        {{"records", "gqa", "use_prompt", "0"}, {"'use_prompt' does not go with it"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_fault(check, scratch, rows[i].facts, "", rows[i].messages);
}

int main(void)
{
    Check check = {0};
    Scratch scratch = scratch_new();
    loading_folders(&scratch);
    (void)mkdir(scratch_path(&scratch, "mine"), 0777);
    test_fields(&check, &scratch);
    test_answers(&check, &scratch);
    test_layouts(&check, &scratch);
    test_bad_records(&check, &scratch);
    test_places(&check, &scratch);
    test_bad_facts(&check, &scratch);
    scratch_free(&scratch);
    return check_finish(&check);
}
