/* Expressions: what they come to, and where a byte of an attribute's value stands. */
#include "frontend/syntax/expr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

/* $a is 3, $b is 0.5, $t is 'ab', $n is the text '7'; there are no others. */
static bool find_name(void *self, const char *name, Loc loc, Value *out)
{
    Interns *interns = self;
    (void)loc;
    *out = (Value){0};
    if (strcmp(name, "a") == 0)
        out->number = 3;
    else if (strcmp(name, "b") == 0)
        out->number = 0.5;
    else if (strcmp(name, "t") == 0)
        out->text = intern(interns, "ab");
    else if (strcmp(name, "n") == 0)
        out->text = intern(interns, "7");
    else
        return false;
    return true;
}

typedef struct Example {
    const char *source;
    double number;
    const char *text; /* or NULL */
} Example;

static const Example examples[] = {
    {"-0.5", -0.5, NULL},
    {"+3", 3, NULL},
    {"1e-3", 1e-3, NULL},
    {".5 + 1.", 1.5, NULL},
    {"1 - 2 - 3", -4, NULL},
    {"2 - -3", 5, NULL},
    {"- 2 * 3", -6, NULL},
    {"2 + 3 * 4 mod 3", 2, NULL},
    {"7 / 2 div 7", 0.5, NULL},
    {"-7 mod 3", -1, NULL},
    {"$a-1", 2, NULL},
    {"$a*$b", 1.5, NULL},
    {"1 = 1 = 1", 1, NULL},
    {"1 < 2 < 1", 0, NULL},
    {"2 >= 2 and 2 <= 2 and 1 != 2", 1, NULL},
    {"0 and 1 / 0", 0, NULL},
    {"'x' or 1 / 0", 1, NULL},
    {"not('') + not(0) + not('0')", 2, NULL},
    {"$t = 'ab'", 1, NULL},
    {"$n = 7 and $n + 1 = 8 and 7 = '7.0'", 1, NULL},
    {"$t = 3", 0, NULL},
    {"$t != 3", 1, NULL},
    {"'7' = '7.0'", 0, NULL},
    {"floor(-1.5) + ceiling(1.2) + round(2.5) + round(-2.5)", 1, NULL},
    {"round(0.49999999999999994)", 0, NULL},
    {"round(4503599627370497)", 4503599627370497, NULL},
    {"abs(-2) + sqrt(16) + pow(2, 10) + min(1, 2) + max(1, 2)", 1033, NULL},
    {"exp(0) + log(1)", 1, NULL},
    {"if($a > 2, 1, 1 / 0)", 1, NULL},
    {"if('', 'yes', 'no')", 0, "no"},
    {"concat($t, 1.50, 'c')", 0, "ab1.5c"},
    {"contains('abc', 'bc') + starts_with('abc', 'b')", 1, NULL},
    {"substring_before('a.b.c', '.')", 0, "a"},
    {"substring_after('a.b.c', '.')", 0, "b.c"},
    {"substring_after('abc', '.')", 0, ""},
    {"string_length('\xc3\xa4\xc3\xb6u')", 3, NULL},
    {"number('12') + number(1)", 13, NULL},
    {"t5-base", 0, "t5-base"},
    {"\"a'b\"", 0, "a'b"},
    {"((1))", 1, NULL},
    {" 1\n+\t1 ", 2, NULL},
};

static const char *const refused[] = {
    "",       "1 +",         "(1",          "1)",
    "1 2",    "'a",          "$",           "$c",
    "1 / 0",  "sqrt(-1)",    "1e999 + 1",   "1x",
    "a b",    "$a = b",      "f(1)",        "sqrt()",
    "pow(1)", "min(1, x=2)", "number('a')", "1 + 'a'",
    "-'a'",   "1 == 1",      "2 ^ 3",       "5 % 2",
    "!1",     "$a and",      "floor(1,)",   "starts-with('a', 'a')",
};

static void test_values(Check *check, Exprs *exprs, Interns *interns, Diags *diags)
{
    NameLookup names = {find_name, interns};
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const Example *example = &examples[i];
        Attribute attribute = {.name = "x", .value = intern(interns, example->source)};
        Value value = {0};
        bool ok = expr_value(exprs, &attribute, names, &value);
        CHECK(check, ok, "'%s' has no value", example->source);
        if (example->text)
            CHECK(check, value.text && strcmp(value.text, example->text) == 0,
                  "'%s' is '%s'", example->source, value.text ? value.text : "a number");
        else
            CHECK(check, !value.text && value.number == example->number, "'%s' is %.17g",
                  example->source, value.number);
    }
    CHECK(check, diags_error_count(diags) == 0, "errors");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        Attribute attribute = {.name = "x", .value = intern(interns, refused[i])};
        Value value;
        CHECK(check, !expr_value(exprs, &attribute, names, &value), "'%s' is taken",
              refused[i]);
    }
}

/* The value "a<b c&\xc3\xa4d" as a file writes it, over three lines. */
static void test_places(Check *check)
{
    static const char written[] = "a&lt;b\r\n c&amp;&#xe4;\nd\"";
    static const struct {
        size_t at;
        uint32_t line, column;
    } expected[] = {{0, 1, 10}, {1, 1, 11}, {2, 1, 15}, {3, 1, 16}, {4, 2, 1},
                    {5, 2, 2},  {6, 2, 3},  {7, 2, 8},  {9, 2, 14}, {10, 3, 1}};
    Attribute attribute = {.written = written, .written_loc = {"f", 1, 10}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        Loc loc = attribute_place(&attribute, expected[i].at);
        CHECK(check, loc.line == expected[i].line && loc.column == expected[i].column,
              "byte %zu is at %u:%u", expected[i].at, loc.line, loc.column);
    }
}

/* Each is refused or done at once, whatever it says. */
static void test_hostile(Check *check, Exprs *exprs, Interns *interns)
{
    enum { LONG = 1 << 20 };
    static const char *const pieces[] = {"(", "-", "1+", "not(", "$a*", "a(", "'", "1e9"};
    NameLookup names = {find_name, interns};
    char *text = malloc(LONG + 1);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        for (size_t most = 4000; most <= LONG; most += LONG - 4000) {
            size_t len = 0, step = strlen(pieces[i]);
            for (; len + step < most; len += step)
                memcpy(text + len, pieces[i], step);
            text[len] = 0;
            Attribute attribute = {.name = "x", .value = intern(interns, text)};
            Value value;
            CHECK(check, !expr_value(exprs, &attribute, names, &value),
                  "%zu bytes of '%s' are taken", len, pieces[i]);
        }
    free(text);
}

int main(void)
{
    Check check = {0};
    Arena *arena = arena_new();
    Interns *interns = interns_new();
    char *messages = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&messages, &len);
    Diags *diags = diags_new(out);
    Exprs *exprs = exprs_new(arena, interns, diags);
    test_values(&check, exprs, interns, diags);
    test_places(&check);
    test_hostile(&check, exprs, interns);
    diags_free(diags);
    fclose(out);
    free(messages);
    interns_free(interns);
    arena_free(arena);
    return check_finish(&check);
}
