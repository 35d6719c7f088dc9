/* SentencePiece tokenizers: a model made by hand, whose segmentations are worked out by
 * hand, models of SentencePiece's own trainer, and damaged ones. */
#include <stdlib.h>
#include <string.h>

#include "runtime/data/tokenizer/tokenizer.h"
#include "tests/check.h"
#include "tests/scratch.h"
#include "tests/runtime/data/tokenizer/train_sentencepiece.h"

#define B "\xe2\x96\x81" /* the mark for a blank */

typedef struct Piece {
    const char *text;
    float score;
    unsigned char type; /* 1 normal, 2 unknown, 3 control */
} Piece;

static const Piece pieces[] = {
    {"<pad>", 0, 3}, {"</s>", 0, 3},      {"<unk>", 0, 2}, {B, -2, 1},
    {"a", -1.5F, 1}, {"b", -1.5F, 1},     {"ab", -2, 1},   {B "a", -4, 1},
    {B "ab", -6, 1}, {"ba", -2.5F, 1},    {".", -1, 1},    {"n't", -1, 1},
    {"c", -9, 1},    {B "c" B "c", 0, 1},
};

static void put(char **at, const void *bytes, size_t count)
{
    memcpy(*at, bytes, count);
    *at += count;
}

/* A ModelProto of these pieces; all lengths are below 128, one byte. */
static size_t write_model(char *out, const Piece *from, size_t count)
{
    char *at = out;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(from[i].text);
        char head[] = {0x0a, (char)(len + 9), 0x0a, (char)len};
        char type[] = {0x18, (char)from[i].type};
        put(&at, head, 4);
        put(&at, from[i].text, len);
        put(&at, "\x15", 1);
        put(&at, &from[i].score, 4);
        put(&at, type, 2);
    }
    return (size_t)(at - out);
}

static const char *write_hand_model(const Scratch *scratch)
{
    char bytes[1024];
    return scratch_write(scratch, "hand.model", bytes,
                         write_model(bytes, pieces, sizeof pieces / sizeof *pieces));
}

static void check_ids(Check *check, const Tokenizer *tokenizer, const char *text,
                      int64_t max_tokens, size_t count, const int32_t *wanted)
{
    TokenList ids = {0};
    tokenizer_encode(tokenizer, text, max_tokens, &ids);
    bool same =
        ids.count == count && memcmp(ids.ids, wanted, count * sizeof *wanted) == 0;
    CHECK(check, same, "'%s'", text);
    for (size_t i = 0; !same && i < ids.count; i++)
        fprintf(stderr, " %d", ids.ids[i]);
    if (!same)
        fputc('\n', stderr);
    token_list_free(&ids);
}

#define IDS(check, tokenizer, text, max_tokens, ...)                                     \
    check_ids(check, tokenizer, text, max_tokens,                                        \
              sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t),                        \
              (int32_t[]){__VA_ARGS__})

static void test_by_hand(Check *check, const Tokenizer *tokenizer)
{
    IDS(check, tokenizer, "", 0, 1);
    IDS(check, tokenizer, " \t\n", 0, 1);
    IDS(check, tokenizer, "a", 0, 3, 4, 1);      /* -2 - 1.5 beats -4 */
    IDS(check, tokenizer, "ab", 0, 3, 6, 1);     /* -2 - 2 beats -2 - 1.5 - 1.5 and -6 */
    IDS(check, tokenizer, "aba", 0, 3, 6, 4, 1); /* ab a: -5.5; a ba: -6 */
    IDS(check, tokenizer, "  ab   b ", 0, 3, 6, 3, 5, 1);
    IDS(check, tokenizer, "x", 0, 3, 2, 1);
    IDS(check, tokenizer, "xyzax", 0, 3, 2, 4, 2,
        1);                                         /* unknowns next to each other fuse */
    IDS(check, tokenizer, "x y", 0, 3, 2, 3, 2, 1); /* but not over words */
    /* The model has a piece over two words, and the library run on the whole text takes
     * it. */
    IDS(check, tokenizer, "c c", 0, 3, 12, 3, 12, 1);
    IDS(check, tokenizer, "a" B "b", 0, 3, 4, 3, 5, 1);
    IDS(check, tokenizer, "ab ab ab", 5, 3, 6, 3, 6, 1);
    IDS(check, tokenizer, "ab ab", 5, 3, 6, 3, 6, 1);
    IDS(check, tokenizer, "ab", 1, 1);
    IDS(check, tokenizer, "a</s>b<pad> <unk>a", 0, 3, 4, 1, 3, 5, 0, 2, 3, 4, 1);
    /* 14 pieces, 3 sentinels, 2 visual ids */
    IDS(check, tokenizer, "<extra_id_0> <extra_id_2><vis_extra_id_0>", 0, 16, 14, 18, 1);
    IDS(check, tokenizer, "<extra_id_3>", 0, 3, 2, 4, 2, 1);
    IDS(check, tokenizer, "a\xff\xfe", 0, 3, 4, 2, 1);
}

static void test_facts(Check *check, const Tokenizer *tokenizer)
{
    TokenizerIds ids = tokenizer_ids(tokenizer);
    CHECK(check, ids.pad == 0 && ids.eos == 1 && ids.unk == 2, "special ids");
    CHECK(check, ids.start == 0 && ids.bos == -1 && ids.mask == -1,
          "start, no bos, no mask");
    CHECK(check, tokenizer_size(tokenizer) == 19, "%d ids", tokenizer_size(tokenizer));
    CHECK(check, tokenizer_extra_id(tokenizer, 2) == 14, "the last sentinel comes first");
    CHECK(check, tokenizer_extra_id(tokenizer, 3) == -1, "no fourth sentinel");
    CHECK(check, tokenizer_visual_id(tokenizer, 1) == 17, "visual ids follow");
    CHECK(check, tokenizer_first_id(tokenizer, "ab") == 3, "no frame");
}

static void test_decode(Check *check, const Tokenizer *tokenizer)
{
    static const struct {
        int32_t ids[8];
        int64_t count;
        const char *text;
    } cases[] = {
        {{0}, 0, ""},
        {{3, 6, 3, 5, 1, 0, 0}, 7, "ab b"},
        {{0, 8, 7, 10}, 4, "ab a."},
        {{4, 3, 10, 3, 11}, 5, "a.n't"}, /* blanks before "." and "n't" go */
        {{3, 3, 4}, 3, " a"},            /* only the very first one does */
        {{-1, 4, 14, 18, 19, INT32_MAX, 5, INT32_MIN}, 8, "ab"},
        {{2, 3, 4}, 3, "a"},
    };
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = tokenizer_decode(tokenizer, cases[i].ids, cases[i].count, arena);
        CHECK(check, strcmp(text, cases[i].text) == 0, "case %zu: '%s'", i, text);
    }
    arena_free(arena);
}

static void test_hand_model(Check *check)
{
    Scratch scratch = scratch_new();
    Messages messages;
    messages_open(&messages);
    TokenizerOptions options = {.extra_ids = 3, .visual_ids = 2};
    Tokenizer *tokenizer =
        tokenizer_open(write_hand_model(&scratch), &options, messages.diags);
    CHECK(check, tokenizer != NULL, "%s", messages.text);
    if (tokenizer) {
        test_facts(check, tokenizer);
        test_by_hand(check, tokenizer);
        test_decode(check, tokenizer);
    }
    tokenizer_free(tokenizer);
    messages_close(&messages);
    scratch_free(&scratch);
}

/* A model like T5's: unigram, nmt_nfkc, the same special ids. */
static const char *train(const Scratch *scratch, const char *flags)
{
    static const char *const lines[] = {"a black cat sits on the red mat .",
                                        "what color is the circle ? blue",
                                        "two green triangles are left of a big square",
                                        "true",
                                        "false",
                                        "there are fish in the caf\xc3\xa9 , is it so ?"};
    FILE *corpus = fopen(scratch_path(scratch, "corpus.txt"), "wb");
    for (size_t i = 0; i < 60; i++)
        fprintf(corpus, "%s\n", lines[i % (sizeof lines / sizeof *lines)]);
    fclose(corpus);
    const char *prefix = scratch_path(scratch, "spiece");
    const char *arguments = arena_format(
        scratch->arena,
        "--input=%s --model_prefix=%s --vocab_size=96 --hard_vocab_limit=false "
        "--pad_id=0 "
        "--eos_id=1 --unk_id=2 --bos_id=-1 --character_coverage=1.0 --minloglevel=2 %s",
        scratch_path(scratch, "corpus.txt"), prefix, flags);
    return train_sentencepiece(arguments) ? scratch_path(scratch, "spiece.model") : NULL;
}

static void check_same(Check *check, const Tokenizer *tokenizer, const char *left,
                       const char *right)
{
    TokenList a = {0}, b = {0};
    tokenizer_encode(tokenizer, left, 0, &a);
    tokenizer_encode(tokenizer, right, 0, &b);
    CHECK(check, a.count == b.count && memcmp(a.ids, b.ids, a.count * sizeof *a.ids) == 0,
          "'%s' and '%s'", left, right);
    token_list_free(&a);
    token_list_free(&b);
}

static void test_trained(Check *check, const Tokenizer *tokenizer)
{
    /* What the character map makes equal. */
    check_same(check, tokenizer, "\xef\xac\x81sh", "fish");
    check_same(check, tokenizer,
               "a\xc2\xa0"
               "cat",
               "a cat");
    check_same(check, tokenizer, "a\tcat\n", "a cat");
    check_same(check, tokenizer, "\xef\xbd\x83\xef\xbd\x81\xef\xbd\x94", "cat");
    check_same(check, tokenizer, "cafe\xcc\x81", "caf\xc3\xa9");
    check_same(check, tokenizer, "a\x01 cat", "a cat");
    static const char *const texts[] = {"a black cat sits on the red mat.", "true",
                                        "two big cats? a caf\xc3\xa9, is it so?"};
    Arena *arena = arena_new();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        TokenList ids = {0};
        tokenizer_encode(tokenizer, texts[i], 0, &ids);
        char *back = tokenizer_decode(tokenizer, ids.ids, (int64_t)ids.count, arena);
        CHECK(check, strcmp(back, texts[i]) == 0, "'%s' back is '%s'", texts[i], back);
        token_list_free(&ids);
    }
    int32_t size = tokenizer_size(tokenizer);
    CHECK(check, tokenizer_visual_id(tokenizer, 0) == size - 1,
          "100 visual ids by default");
    CHECK(check, tokenizer_visual_id(tokenizer, 99) == size - 100, "100 visual ids");
    CHECK(check, tokenizer_extra_id(tokenizer, 0) == size - 101, "then 100 sentinels");
    CHECK(check,
          tokenizer_first_id(tokenizer, "true") != tokenizer_first_id(tokenizer, "false"),
          "the answers differ in their first ids");
    arena_free(arena);
}

/* Opens damaged bytes and, if they still are a model, uses it: neither may crash. */
static bool try_model(const Scratch *scratch, const char *bytes, size_t count)
{
    Messages messages;
    messages_open(&messages);
    const char *path = scratch_write(scratch, "damaged.model", bytes, count);
    Tokenizer *tokenizer = tokenizer_open(path, NULL, messages.diags);
    bool told = messages_have(&messages, "damaged.model: error: ");
    if (tokenizer) {
        TokenList ids = {0};
        Arena *arena = arena_new();
        tokenizer_encode(tokenizer, "a black cat \xef\xac\x81sh \xe4\xb8\xad caf\xc3\xa9",
                         0, &ids);
        (void)tokenizer_decode(tokenizer, ids.ids, (int64_t)ids.count, arena);
        arena_free(arena);
        token_list_free(&ids);
    }
    bool ok = (tokenizer != NULL) != told;
    tokenizer_free(tokenizer);
    messages_close(&messages);
    return ok;
}

static void test_damaged(Check *check, const Scratch *scratch, const char *path)
{
    enum { FLIPS = 150 };
    size_t count;
    char *bytes = scratch_read(scratch, path, &count);
    for (size_t cut = 0; cut < count; cut += cut < 64 ? 3 : count / 60)
        CHECK(check, try_model(scratch, bytes, cut), "cut after %zu bytes", cut);
    uint64_t random = 1;
    for (int i = 0; i < FLIPS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        /* Half of the changes near the start, where the pieces are. */
        size_t at = (size_t)(random >> 20) % (i % 2 ? count : 2048);
        char old = bytes[at];
        bytes[at] = (char)(random >> 56);
        CHECK(check, try_model(scratch, bytes, count), "byte %zu changed", at);
        bytes[at] = old;
    }
}

/* A model of one normalizer message with this character map. */
static void check_map(Check *check, const Scratch *scratch, const uint32_t *units,
                      size_t unit_count, const char *strings, size_t strings_len,
                      const char *message)
{
    char bytes[4096], *at = bytes + write_model(bytes, pieces, 14);
    uint32_t trie_bytes = (uint32_t)(unit_count * sizeof *units);
    size_t map = sizeof trie_bytes + trie_bytes + strings_len;
    char head[] = {0x1a, (char)(((map + 3) & 0x7f) | 0x80), (char)((map + 3) >> 7),
                   0x12, (char)((map & 0x7f) | 0x80),       (char)(map >> 7)};
    put(&at, head, sizeof head);
    put(&at, &trie_bytes, sizeof trie_bytes);
    put(&at, units, trie_bytes);
    put(&at, strings, strings_len);
    Messages messages;
    messages_open(&messages);
    const char *path = scratch_write(scratch, "map.model", bytes, (size_t)(at - bytes));
    Tokenizer *tokenizer = tokenizer_open(path, NULL, messages.diags);
    if (*message) {
        CHECK(check, !tokenizer && messages_have(&messages, message), "'%s' not in '%s'",
              message, messages.text);
    } else {
        CHECK(check, tokenizer != NULL, "%s", messages.text);
        if (tokenizer)
            IDS(check, tokenizer, "x", 0, 3, 4, 1);
    }
    tokenizer_free(tokenizer);
    messages_close(&messages);
}

/* A trie by hand: 'x' becomes the string at 0, and then ways to leave it. */
static void test_maps(Check *check, const Scratch *scratch)
{
    static const char outside[] = "points outside of itself", sizes[] = "sizes are wrong";
    uint32_t units[256] = {0};
    for (uint32_t i = 0; i < 256; i++)
        units[i] = 0xff;                       /* a label that no text has */
    units[0] = 1u << 10;                       /* the root's children are at 1 ^ c */
    units[1 ^ 'x'] = 'x' | 1u << 8 | 2u << 10; /* a leaf, its value at 1 ^ 'x' ^ 2 */
    units[1 ^ 'x' ^ 2] = 1u << 31 | 0;
    check_map(check, scratch, units, 256, "a\0", 2, "");
    check_map(check, scratch, units, 256, "a", 1, sizes); /* not ended by 0 */
    check_map(check, scratch, units, 255, "a\0", 2, sizes);
    check_map(check, scratch, units, 256, "", 0, sizes);
    units[1 ^ 'x' ^ 2] = 1u << 31 | 2;
    check_map(check, scratch, units, 256, "a\0", 2, outside);
    units[1 ^ 'x' ^ 2] = 1u << 31 | 0;
    units[5] = 256u << 10;
    check_map(check, scratch, units, 256, "a\0", 2, outside);
    units[5] = 'y' | 1u << 9 | 1u << 10; /* offset 1 << 8 */
    check_map(check, scratch, units, 256, "a\0", 2, outside);
}

static void check_refused(Check *check, const char *path, const char *message)
{
    Messages messages;
    messages_open(&messages);
    Tokenizer *tokenizer = tokenizer_open(path, NULL, messages.diags);
    CHECK(check, !tokenizer && messages_have(&messages, message), "'%s' not in '%s'",
          message, messages.text);
    tokenizer_free(tokenizer);
    messages_close(&messages);
}

static void test_refused(Check *check, const Scratch *scratch)
{
    char bytes[1024];
    check_refused(check, scratch_path(scratch, "absent.model"),
                  "absent.model: error: cannot be read");
    check_refused(check, scratch_text(scratch, "empty.model", ""), "there are no pieces");
    check_refused(check,
                  scratch_text(scratch, "page.model", "<!DOCTYPE html><html></html>"),
                  "this is an HTML page");
    check_refused(check,
                  scratch_text(scratch, "lfs.model",
                               "version https://git-lfs.github.com/spec/v1\noid x\n"),
                  "this is a git-lfs pointer");
    check_refused(check, scratch_text(scratch, "text.model", "not a model"),
                  "byte 1: a field of unknown type");
    Piece nan[] = {{"<unk>", 0, 2}, {"a", 0.0F / 0.0F, 1}};
    check_refused(check,
                  scratch_write(scratch, "nan.model", bytes, write_model(bytes, nan, 2)),
                  "score is not finite");
    Piece no_pad[] = {{"<unk>", 0, 2}, {"</s>", 0, 3}, {"a", -1, 1}};
    check_refused(
        check, scratch_write(scratch, "pad.model", bytes, write_model(bytes, no_pad, 3)),
        "but has -1, 1 and 0");
    Piece twice[] = {{"<unk>", 0, 2}, {"a", -1, 1}, {"a", -1, 1}};
    check_refused(
        check, scratch_write(scratch, "twice.model", bytes, write_model(bytes, twice, 3)),
        "libsentencepiece refuses it");
}

static void test_trained_model(Check *check)
{
    Scratch scratch = scratch_new();
    Messages messages;
    messages_open(&messages);
    const char *path = train(&scratch, "");
    CHECK(check, path != NULL, "the trainer failed");
    /* spiece.model is what a directory is searched for. */
    Tokenizer *tokenizer =
        path ? tokenizer_open(scratch.directory, NULL, messages.diags) : NULL;
    CHECK(check, tokenizer != NULL, "%s", messages.text);
    if (tokenizer) {
        test_trained(check, tokenizer);
        test_damaged(check, &scratch, path);
    }
    tokenizer_free(tokenizer);
    test_maps(check, &scratch);
    test_refused(check, &scratch);
    messages_close(&messages);
    scratch_free(&scratch);
}

/* Blanks are part of the text where the model says so. */
static void test_blanks(Check *check, const char *flags, const char *text,
                        const char *wanted)
{
    Scratch scratch = scratch_new();
    Messages messages;
    Arena *arena = arena_new();
    TokenList ids = {0};
    messages_open(&messages);
    Tokenizer *tokenizer = train(&scratch, flags)
                               ? tokenizer_open(scratch.directory, NULL, messages.diags)
                               : NULL;
    CHECK(check, tokenizer != NULL, "%s", messages.text);
    if (tokenizer) {
        tokenizer_encode(tokenizer, text, 0, &ids);
        char *back = tokenizer_decode(tokenizer, ids.ids, (int64_t)ids.count, arena);
        CHECK(check, strcmp(back, wanted) == 0, "%s: '%s' is '%s'", flags, text, back);
    }
    token_list_free(&ids);
    tokenizer_free(tokenizer);
    arena_free(arena);
    messages_close(&messages);
    scratch_free(&scratch);
}

/* Tokens of files: special ones are left out of a text, others are not. */
static void test_added(Check *check)
{
    char bytes[1024];
    Scratch scratch = scratch_new();
    Messages messages;
    Arena *arena = arena_new();
    messages_open(&messages);
    scratch_write(&scratch, "spiece.model", bytes,
                  write_model(bytes, pieces, sizeof pieces / sizeof *pieces));
    scratch_text(&scratch, "added_tokens.json", "{\"[LOC]\": 14, \"[END]\": 15}");
    scratch_text(&scratch, "tokenizer_config.json",
                 "{\"extra_ids\": 0, \"clean_up_tokenization_spaces\": false}");
    scratch_text(&scratch, "special_tokens_map.json",
                 "{\"additional_special_tokens\": [\"[END]\"]}");
    Tokenizer *tokenizer = tokenizer_open(scratch.directory, NULL, messages.diags);
    CHECK(check, tokenizer != NULL, "%s", messages.text);
    if (tokenizer) {
        int32_t ids[] = {3, 6, 14, 3, 10, 15, 1};
        char *text = tokenizer_decode(tokenizer, ids, 7, arena);
        CHECK(check, strcmp(text, "ab[LOC] .") == 0, "'%s'", text);
        IDS(check, tokenizer, "ab[LOC] [END]a", 0, 3, 6, 14, 15, 3, 4, 1);
        CHECK(check, tokenizer_size(tokenizer) == 116, "%d ids",
              tokenizer_size(tokenizer));
    }
    tokenizer_free(tokenizer);
    arena_free(arena);
    messages_close(&messages);
    scratch_free(&scratch);
}

int main(void)
{
    Check check = {0};
    test_blanks(&check, "", " a  cat", "a cat");
    test_blanks(&check, "--add_dummy_prefix=false", "a cat", "a cat");
    test_blanks(&check, "--add_dummy_prefix=false", "  a  cat", "a cat");
    test_blanks(&check, "--remove_extra_whitespaces=false", "a  cat", "a  cat");
    test_blanks(&check, "--remove_extra_whitespaces=false --add_dummy_prefix=false",
                "  a cat", "  a cat");
    test_added(&check);
    test_hand_model(&check);
    test_trained_model(&check);
    return check_finish(&check);
}
