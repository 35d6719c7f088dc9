/* Byte-level BPE over vocabularies made by hand. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"
#include "runtime/data/tokenizer/tokenizer.h"
#include "runtime/data/text/unicode.h"
#include "tests/check.h"
#include "tests/scratch.h"

/* Ids 5 .. 260 are the 256 bytes, then the merges below in their order. */
static const char *const specials[] = {"<s>", "<pad>", "</s>", "<unk>", "<mask>"};
static const char *const merges[][2] = {
    {"l", "o"},
    {"lo", "w"},
    {"e", "r"},
    {"\xc4\xa0", "low"},
    {"low", "er"},
    {"n", "e"},
    {"a", "a"},
    {"n", "'"},
    {"'", "t"},
    {"1", "a"},
    {"\xc4\xa0", "\xc4\xa0"},
    {"a", "!"},
    {"\xc3\x83", "\xc2\xa9"},
    {"\xc4\xa0", "'"},
};
enum {
    SPECIALS = 5,
    MERGES = sizeof merges / sizeof *merges,
    BASE = SPECIALS + 256 + MERGES
};

/* The character that stands for a byte, from formats: 33-126, 161-172, 174-255
 * themselves. */
static uint32_t stand_in(uint32_t byte)
{
    if (byte <= 32)
        return 0x100 + byte;
    if (byte == 127)
        return 0x121;
    if (byte >= 128 && byte <= 160)
        return 0x122 + byte - 128;
    return byte == 173 ? 0x143 : byte;
}

static void write_token(FILE *file, const char *token, size_t len, int id)
{
    fprintf(file, "%s\n\"", id ? "," : "");
    for (size_t i = 0; i < len; i++)
        fprintf(file, token[i] == '"' || token[i] == '\\' ? "\\%c" : "%c", token[i]);
    fprintf(file, "\": %d", id);
}

static void write_vocab(const Scratch *scratch)
{
    FILE *file = fopen(scratch_path(scratch, "vocab.json"), "wb");
    int id = 0;
    fputc('{', file);
    for (; id < SPECIALS; id++)
        write_token(file, specials[id], strlen(specials[id]), id);
    for (uint32_t byte = 0; byte < 256; byte++) {
        char text[UTF8_MAX];
        write_token(file, text, utf8_encode(stand_in(byte), text), id++);
    }
    for (size_t i = 0; i < MERGES; i++) {
        char text[16];
        int len = snprintf(text, sizeof text, "%s%s", merges[i][0], merges[i][1]);
        write_token(file, text, (size_t)len, id++);
    }
    fputs("\n}\n", file);
    fclose(file);
    file = fopen(scratch_path(scratch, "merges.txt"), "wb");
    fputs("#version: 0.2\n", file);
    for (size_t i = 0; i < MERGES; i++)
        fprintf(file, "%s %s\n", merges[i][0], merges[i][1]);
    fclose(file);
}

/* What the ids between the frame's stand for, with '|' between tokens. */
static void spell(const Tokenizer *tokenizer, const char *text, char out[256])
{
    TokenList ids = {0};
    tokenizer_encode(tokenizer, text, 0, &ids);
    char *to = out;
    for (size_t i = 0; i < ids.count; i++) {
        int32_t id = ids.ids[i];
        if (i && to - out < 250)
            *to++ = '|';
        if (id < SPECIALS)
            to += snprintf(to, (size_t)(out + 256 - to), "%s", specials[id]);
        else if (id < SPECIALS + 256)
            *to++ = (char)(id - SPECIALS);
        else if (id < BASE)
            to +=
                snprintf(to, (size_t)(out + 256 - to), "%s%s",
                         merges[id - SPECIALS - 256][0], merges[id - SPECIALS - 256][1]);
        else
            to += snprintf(to, (size_t)(out + 256 - to), "%d", id - BASE);
    }
    *to = 0;
    token_list_free(&ids);
}

/* Merged tokens are spelled with the stand-in for a blank, U+0120 = c4 a0. */
#define G "\xc4\xa0"

static void test_words(Check *check, const Tokenizer *tokenizer)
{
    static const char *const cases[][2] = {
        {"", "<s>|</s>"},
        {"  \t", "<s>|</s>"},
        {"lower", "<s>|lower|</s>"},
        {" lower", "<s>|" G "low|er|</s>"}, /* "G low" comes before "low er" */
        {"newer", "<s>|ne|w|er|</s>"},
        {"aaa", "<s>|aa|a|</s>"}, /* from the left */
        {"aaaaa", "<s>|aa|aa|a|</s>"},
        {"don't",
         "<s>|d|o|n|'t|</s>"}, /* the pattern cuts before 't, so "n '" never merges */
        {"'tis", "<s>|'t|i|s|</s>"},
        {" 'tis", "<s>|" G "'|t|i|s|</s>"}, /* the blank is taken with the apostrophe */
        {"1a", "<s>|1|a|</s>"},             /* digits and letters are apart */
        {"a!", "<s>|a|!|</s>"},             /* letters and others are apart */
        {"x  a", "<s>|x| | |a|</s>"},       /* the last blank goes with the word */
        {"x   a", "<s>|x|" G G "| |a|</s>"},
        {"x  ", "<s>|x|" G G "|</s>"},
        {"x\n\ny", "<s>|x|\n|\n|y|</s>"},
        {"\xc3\xa9",
         "<s>|\xc3\x83\xc2\xa9|</s>"}, /* the two bytes of e with acute, merged */
        {"a\xc3\xa9", "<s>|a|\xc3\x83\xc2\xa9|</s>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[256];
        spell(tokenizer, cases[i][0], found);
        CHECK(check, strcmp(found, cases[i][1]) == 0, "'%s': '%s', not '%s'", cases[i][0],
              found, cases[i][1]);
    }
}

static void test_specials(Check *check, const Tokenizer *tokenizer)
{
    static const char *const cases[][2] = {
        {"a</s>a", "<s>|a|</s>|a|</s>"},
        {"<s> </s>", "<s>|<s>|</s>|</s>"},       /* nothing but a blank between them */
        {"a <mask> a", "<s>|a|<mask>| |a|</s>"}, /* takes the blanks to its left */
        {"a <pad> a", "<s>|a| |<pad>| |a|</s>"},
        {"a <extra_id_1> a", "<s>|a|1|a|</s>"}, /* takes the blanks on both sides */
        {"<extra_id_0><vis_extra_id_2>", "<s>|2|4|</s>"},
        {"<extra_id_3>", "<s>|<|e|x|t|r|a|_|i|d|_|3|>|</s>"}, /* only three were added */
        {"<extra_id_01>", "<s>|<|e|x|t|r|a|_|i|d|_|0|1|>|</s>"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[256];
        spell(tokenizer, cases[i][0], found);
        CHECK(check, strcmp(found, cases[i][1]) == 0, "'%s': '%s', not '%s'", cases[i][0],
              found, cases[i][1]);
    }
}

static void test_frame(Check *check, const Tokenizer *tokenizer)
{
    TokenizerIds ids = tokenizer_ids(tokenizer);
    CHECK(check, ids.bos == 0 && ids.pad == 1 && ids.eos == 2 && ids.unk == 3,
          "special ids");
    CHECK(check, ids.mask == 4 && ids.start == 2, "mask and start");
    CHECK(check, tokenizer_size(tokenizer) == BASE + 7, "%d ids",
          tokenizer_size(tokenizer));
    CHECK(check, tokenizer_extra_id(tokenizer, 0) == BASE + 2, "sentinels fall");
    CHECK(check, tokenizer_visual_id(tokenizer, 0) == BASE + 6, "visual ids fall");
    CHECK(check, tokenizer_visual_id(tokenizer, 4) == -1, "no fifth visual id");
    TokenList list = {0};
    tokenizer_encode(tokenizer, "abcdef", 4, &list);
    CHECK(check,
          list.count == 4 && list.ids[0] == 0 && list.ids[2] == SPECIALS + 'b' &&
              list.ids[3] == 2,
          "cut to <s> a b </s>");
    tokenizer_encode(tokenizer, "ab", 4, &list);
    CHECK(check, list.count == 8 && list.ids[7] == 2, "fits, appended");
    token_list_free(&list);
    CHECK(check, tokenizer_first_id(tokenizer, "true") == SPECIALS + 't', "no frame");
    CHECK(check, tokenizer_first_id(tokenizer, "") == 3, "nothing is unknown");
}

static void test_decode(Check *check, const Tokenizer *tokenizer)
{
    static const char *const texts[][2] = {
        {"lower lower, don't !", "lower lower, don't!"},
        {" lower", " lower"},
        {"caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80"},
        {"t - shirt yes .", "t - shirt yes."},
        {"a<mask>b<extra_id_1>c</s>", "abc"},
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        TokenList ids = {0};
        tokenizer_encode(tokenizer, texts[i][0], 0, &ids);
        char *back = tokenizer_decode(tokenizer, ids.ids, (int64_t)ids.count, arena);
        CHECK(check, strcmp(back, texts[i][1]) == 0, "'%s' back is '%s'", texts[i][0],
              back);
        token_list_free(&ids);
    }
    int32_t odd[] = {
        -1,       SPECIALS + 'a', INT32_MAX,    SPECIALS + 0xe2, SPECIALS + 0x82,
        BASE + 7, SPECIALS + 'b', SPECIALS + 0, INT32_MIN};
    char *text = tokenizer_decode(tokenizer, odd, 9, arena);
    CHECK(check,
          strcmp(text, "a\xef\xbf\xbd"
                       "b\xef\xbf\xbd") == 0,
          "'%s'", text);
    CHECK(check, *tokenizer_decode(tokenizer, NULL, 0, arena) == 0, "no ids, no text");
    arena_free(arena);
}

static void test_odd_texts(Check *check, const Tokenizer *tokenizer)
{
    char found[256];
    spell(tokenizer, "a\xff", found);
    CHECK(check, strcmp(found, "<s>|a|\xef|\xbf|\xbd|</s>") == 0, "'%s'", found);
    /* U+00A0 and U+3000 are blanks, U+180E is not; U+0663 and U+2160 are numbers. */
    spell(tokenizer, "\xe1\xa0\x8e!", found);
    CHECK(check, strcmp(found, "<s>|\xe1|\xa0|\x8e|!|</s>") == 0, "'%s'", found);
    enum { LONG = 1 << 20 };
    char *text = heap_alloc(LONG + 1);
    memset(text, 'a', LONG);
    text[LONG] = 0;
    TokenList ids = {0};
    tokenizer_encode(tokenizer, text, 0, &ids);
    CHECK(check, ids.count == LONG / 2 + 2, "%zu ids of a long word", ids.count);
    ids.count = 0;
    memset(text, ' ', LONG - 1);
    tokenizer_encode(tokenizer, text, 0, &ids);
    CHECK(check, ids.count == (LONG - 2) / 2 + 2 + 2, "%zu ids of a long blank",
          ids.count);
    /* Merges of several ranks everywhere in one word. */
    ids.count = 0;
    for (int i = 0; i < LONG; i++)
        text[i] = "lower"[i % 5];
    tokenizer_encode(tokenizer, text, 0, &ids);
    CHECK(check, ids.count == (LONG + 4) / 5 + 2, "%zu ids of lowerlower", ids.count);
    token_list_free(&ids);
    free(text);
}

/* Opening vocab.json and merges.txt with these contents must fail with this message. */
static void check_refused(Check *check, const char *vocab, size_t vocab_len,
                          const char *merge_lines, const char *message)
{
    Scratch scratch = scratch_new();
    Messages messages;
    messages_open(&messages);
    if (vocab)
        scratch_write(&scratch, "vocab.json", vocab, vocab_len);
    if (merge_lines)
        scratch_text(&scratch, "merges.txt", merge_lines);
    Tokenizer *tokenizer = tokenizer_open(scratch.directory, NULL, messages.diags);
    CHECK(check, !tokenizer, "'%s' is accepted", message);
    CHECK(check, messages_have(&messages, message), "'%s' not in '%s'", message,
          messages.text);
    tokenizer_free(tokenizer);
    messages_close(&messages);
    scratch_free(&scratch);
}

static void test_damaged(Check *check)
{
#define GOOD "{\"<s>\":0,\"<pad>\":1,\"</s>\":2,\"<unk>\":3"
    static const struct {
        const char *vocab, *merges, *message;
    } cases[] = {
        {NULL, NULL, "there is no spiece.model, tokenizer.model"},
        {GOOD "}", NULL, "merges.txt: error: cannot be read"},
        {"", "", "vocab.json:1:"},
        {GOOD, "", "vocab.json:1:"},
        {"[1]", "", "should be an object"},
        {"{}", "", "should be an object"},
        {"{\"<s>\":0}", "", "there is no token '<pad>'"},
        {GOOD ",\"a\":3}", "", "tokens '<unk>' and 'a' have the same id 3"},
        {GOOD ",\"a\":5}", "", "token 'a' should have an id from 0 to 4"},
        {GOOD ",\"a\":-1}", "", "token 'a' should have an id"},
        {GOOD ",\"a\":4.0}", "", "token 'a' should have an id"},
        {GOOD ",\"a\":4294967296}", "", "token 'a' should have an id"},
        {GOOD ",\"a\\u0000b\":4}", "", "vocab.json:1:"},
        {GOOD ",\"\xff\":4}", "", "vocab.json:1:"},
        {GOOD ",\"a\":4,\"a\":4}", "", "duplicate"},
        {GOOD "}", "#version: 0.2\na b\nab\n",
         "merges.txt:3:1: error: a merge should be two"},
        {GOOD "}", "a  b\n", "merges.txt:1:1: error: a merge should be two"},
        {GOOD "}", "a b\n b\n", "merges.txt:2:1: error: a merge should be two"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_refused(check, cases[i].vocab, cases[i].vocab ? strlen(cases[i].vocab) : 0,
                      cases[i].merges, cases[i].message);
    check_refused(check, GOOD "\0}", sizeof GOOD "\0}" - 1, "",
                  "vocab.json: error: byte 37 is 0");
}

/* Symbols that no vocabulary entry names are unknown; merges are read without a last
 * newline, with carriage returns, and the last of two equal ones counts. */
static void test_small_vocabulary(Check *check)
{
    Scratch scratch = scratch_new();
    Messages messages;
    messages_open(&messages);
    scratch_text(&scratch, "vocab.json",
                 GOOD ",\"a\":4,\"b\":5,\"ab\":6,\"ba\":7,\"bab\":8}");
    scratch_text(&scratch, "merges.txt", "a b\r\nb a\r\na b\r\nb ab\r\na a");
    TokenizerOptions none = {0, 0};
    Tokenizer *tokenizer = tokenizer_open(scratch.directory, &none, messages.diags);
    CHECK(check, tokenizer != NULL, "%s", messages.text);
    TokenList ids = {0};
    tokenizer_encode(tokenizer, "bab<extra_id_0>", 3, &ids);
    CHECK(check, ids.count == 3 && ids.ids[1] == 7, "'b a' has the lower rank");
    ids.count = 0;
    tokenizer_encode(tokenizer, "aa?", 0, &ids);
    CHECK(check, ids.count == 4 && ids.ids[1] == 3 && ids.ids[2] == 3, "unknown twice");
    CHECK(check, tokenizer_size(tokenizer) == 9, "%d", tokenizer_size(tokenizer));
    CHECK(check, tokenizer_ids(tokenizer).mask == -1, "no mask");
    token_list_free(&ids);
    tokenizer_free(tokenizer);
    tokenizer =
        tokenizer_open(scratch_path(&scratch, "vocab.json"), NULL, messages.diags);
    CHECK(check, tokenizer && tokenizer_size(tokenizer) == 209, "opened by its file");
    tokenizer_free(tokenizer);
    TokenizerOptions wrong = {-1, 0};
    CHECK(check, !tokenizer_open(scratch.directory, &wrong, messages.diags), "-1 ids");
    messages_close(&messages);
    scratch_free(&scratch);
}

/* More merges than any vocabulary has, none of whose symbols it has. */
static void test_many_merges(Check *check)
{
    enum { LINES = 200000 };
    Scratch scratch = scratch_new();
    Messages messages;
    messages_open(&messages);
    scratch_text(&scratch, "vocab.json", GOOD "}");
    FILE *file = fopen(scratch_path(&scratch, "merges.txt"), "wb");
    for (int i = 0; i < LINES; i++)
        fprintf(file, "x%d y%d\n", i, i / 2);
    fclose(file);
    Tokenizer *tokenizer = tokenizer_open(scratch.directory, NULL, messages.diags);
    CHECK(check, tokenizer != NULL, "%s", messages.text);
    tokenizer_free(tokenizer);
    messages_close(&messages);
    scratch_free(&scratch);
}

/* A blank in front of what has none, and a token that takes the blanks around it. */
static void test_files(Check *check, const Scratch *scratch)
{
    static const int32_t wanted[] = {
        0, SPECIALS + 32, SPECIALS + 'x', BASE, SPECIALS + 32, SPECIALS + 'y', 2};
    Messages messages;
    TokenList ids = {0};
    messages_open(&messages);
    scratch_text(scratch, "tokenizer_config.json",
                 "{\"add_prefix_space\": true, \"added_tokens_decoder\": {\"275\": "
                 "{\"content\": \"<box>\", \"lstrip\": true, \"rstrip\": true}}}");
    Tokenizer *tokenizer = tokenizer_open(scratch->directory, NULL, messages.diags);
    CHECK(check, tokenizer != NULL, "%s", messages.text);
    if (tokenizer) {
        tokenizer_encode(tokenizer, "x <box> y", 0, &ids);
        bool same = ids.count == sizeof wanted / sizeof *wanted &&
                    memcmp(ids.ids, wanted, sizeof wanted) == 0;
        CHECK(check, same, "%zu ids", ids.count);
        CHECK(check, tokenizer_extra_id(tokenizer, 99) == BASE + 1, "sentinels follow");
    }
    token_list_free(&ids);
    tokenizer_free(tokenizer);
    messages_close(&messages);
}

int main(void)
{
    Check check = {0};
    Scratch scratch = scratch_new();
    Messages messages;
    messages_open(&messages);
    write_vocab(&scratch);
    TokenizerOptions options = {.extra_ids = 3, .visual_ids = 4};
    Tokenizer *tokenizer = tokenizer_open(scratch.directory, &options, messages.diags);
    CHECK(&check, tokenizer != NULL, "%s", messages.text);
    if (tokenizer) {
        test_words(&check, tokenizer);
        test_specials(&check, tokenizer);
        test_frame(&check, tokenizer);
        test_decode(&check, tokenizer);
        test_odd_texts(&check, tokenizer);
    }
    tokenizer_free(tokenizer);
    test_files(&check, &scratch);
    messages_close(&messages);
    scratch_free(&scratch);
    test_damaged(&check);
    test_small_vocabulary(&check);
    test_many_merges(&check);
    return check_finish(&check);
}
