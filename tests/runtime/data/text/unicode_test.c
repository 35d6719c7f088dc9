/* UTF-8 and character classes at their edges. */
#include <string.h>

#include "runtime/data/text/unicode.h"
#include "tests/check.h"

/* How many U+FFFD Python's errors="replace" makes of each. */
static void test_malformed(Check *check)
{
    static const struct {
        const char *bytes;
        size_t replacements;
    } cases[] = {
        {"\x80", 1},         {"\xc0\x80", 2},         {"\xe2\x82", 1},
        {"\xed\xa0\x80", 3}, {"\xf0\x9f\x98", 1},     {"\xf4\x90\x80\x80", 4},
        {"\xff\xfe", 2},     {"\xe2\x82\xe2\x82", 2}, {"\xf8\x88\x80\x80\x80", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].bytes), found = 0;
        for (size_t at = 0, bytes; at < len; at += bytes)
            found +=
                utf8_decode(cases[i].bytes + at, len - at, &bytes) == UNICODE_REPLACEMENT;
        CHECK(check, found == cases[i].replacements, "case %zu: %zu", i, found);
        CHECK(check, !utf8_is_valid(cases[i].bytes, len), "case %zu", i);
    }
    CHECK(check, utf8_is_valid("\xef\xbf\xbd", 3), "U+FFFD itself is well-formed");
}

static void test_round_trip(Check *check)
{
    uint32_t wrong = 0;
    for (uint32_t code = 0; code < 0x110000; code++) {
        char text[UTF8_MAX];
        size_t bytes, len = utf8_encode(code, text);
        bool is_surrogate = code >= 0xd800 && code < 0xe000;
        uint32_t back = utf8_decode(text, len, &bytes);
        wrong +=
            is_surrogate ? back != UNICODE_REPLACEMENT : back != code || bytes != len;
    }
    CHECK(check, wrong == 0, "%u code points", wrong);
}

static void test_classes(Check *check)
{
    static const uint32_t lower[][2] = {
        {'A', 'a'},     {'z', 'z'},         {0xc9, 0xe9},     {0x100, 0x101},
        {0x101, 0x101}, {0x391, 0x3b1},     {0x416, 0x436},   {0x1e9e, 0xdf},
        {0x212a, 'k'},  {0x10400, 0x10428}, {0x4e00, 0x4e00}, {0xd7, 0xd7}};
    for (size_t i = 0; i < sizeof lower / sizeof *lower; i++)
        CHECK(check, unicode_lower(lower[i][0]) == lower[i][1], "U+%04X", lower[i][0]);
    CHECK(check,
          unicode_is_digit('9') && unicode_is_digit(0x0663) && unicode_is_digit(0xff15),
          "decimal digits");
    CHECK(check, !unicode_is_digit(0xb2) && !unicode_is_digit(0x2160), "other numbers");
    CHECK(check, unicode_is_space(0xa0) && unicode_is_space(0x3000), "blanks");
    CHECK(check, !unicode_is_space(0x200b) && !unicode_is_space(0x1c), "no blanks");
    CHECK(check, unicode_is_strip(0x1c) && unicode_is_strip(0x85), "stripped");
}

static void test_strip(Check *check)
{
    const char *text = " \t\xe3\x80\x80 a b\xc2\xa0\n";
    size_t len = strlen(text);
    utf8_strip_left(&text, &len);
    utf8_strip_right(text, &len);
    CHECK(check, len == 3 && memcmp(text, "a b", 3) == 0, "'%.*s'", (int)len, text);
    const char *broken = "a\x80\x80";
    len = strlen(broken);
    utf8_strip_right(broken, &len);
    CHECK(check, len == 3, "malformed bytes are no blanks");
}

int main(void)
{
    Check check = {0};
    test_malformed(&check);
    test_round_trip(&check);
    test_classes(&check);
    test_strip(&check);
    return check_finish(&check);
}
