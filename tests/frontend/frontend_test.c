/* Patterns and name maps against plain reference versions; files that are no files; and
 * model files damaged at random, which must give a module or an error, never a crash.
 *   frontend_test MODELS_DIRECTORY */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frontend/frontend.h"
#include "frontend/syntax/names.h"
#include "frontend/syntax/pattern.h"
#include "ir/base/random.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "tests/check.h"

typedef struct Random {
    uint32_t counter;
} Random;

static uint32_t next_random(Random *random, uint32_t below)
{
    return random_mix32(random->counter++ * 0x9e3779b9U + 1) % below;
}

/* -- patterns ----------------------------------------------------------------------- */

/* The definition, by recursion; `#` stands for a {name}. */
static bool matches_plainly(const char *pattern, const char *name)
{
    if (!*pattern)
        return !*name;
    if (*pattern != '*' && *pattern != '#')
        return *pattern == *name && matches_plainly(pattern + 1, name + 1);
    bool any = pattern[0] == '*' && pattern[1] == '*';
    const char *rest = name;
    if (*pattern == '#' && (!*rest || *rest++ == '.'))
        return false;
    for (;; rest++) {
        if (matches_plainly(pattern + 1 + any, rest))
            return true;
        if (!*rest || (!any && *rest == '.'))
            return false;
    }
}

/* A pattern with every `#` a {name}. */
static void with_names(const char *pattern, char *out)
{
    for (; *pattern; pattern++)
        out += sprintf(out, *pattern == '#' ? "{n}" : "%c", *pattern);
    *out = 0;
}

static void random_text(Random *random, const char *letters, char *out, uint32_t most)
{
    uint32_t len = next_random(random, most);
    for (uint32_t i = 0; i < len; i++)
        out[i] = letters[next_random(random, (uint32_t)strlen(letters))];
    out[len] = 0;
}

static uint32_t count_of(const char *text, char letter)
{
    uint32_t count = 0;
    for (; *text; text++)
        count += *text == letter;
    return count;
}

/* Whether the name still matches with what every {name} stands for in its place. */
static bool bindings_fit(const char *plain, const char *pattern, const char *name)
{
    PatternBinding bindings[MOST_BINDINGS];
    uint32_t count, at = 0;
    char bound[200], *out = bound;
    if (!pattern_binds(pattern, name, bindings, &count) || count != count_of(plain, '#'))
        return false;
    for (; *plain; plain++)
        if (*plain == '#') {
            out += sprintf(out, "%.*s", (int)bindings[at].text_len, bindings[at].text);
            at++;
        } else {
            *out++ = *plain;
        }
    *out = 0;
    return matches_plainly(bound, name);
}

static void test_patterns(Check *check)
{
    Random random = {1};
    uint32_t matches = 0;
    for (int i = 0; i < 200000; i++) {
        char plain[12], pattern[36], name[12];
        random_text(&random, "ab.**#", plain, sizeof plain);
        with_names(plain, pattern);
        random_text(&random, "ab.", name, sizeof name);
        if (strstr(plain, "***") || count_of(plain, '#') > MOST_BINDINGS)
            continue; /* which star is which would be a matter of taste */
        bool expected = matches_plainly(plain, name);
        matches += expected;
        if (pattern_matches(pattern, name) != expected)
            CHECK(check, false, "pattern '%s', name '%s'", pattern, name);
        if (expected && !bindings_fit(plain, pattern, name))
            CHECK(check, false, "bound by '%s' in '%s'", pattern, name);
    }
    CHECK(check, matches > 1000, "only %u matches", matches);
    CHECK(check, pattern_matches("**.adapters.**", "a.b.adapters.vqa.up.weight"),
          "infix");
    CHECK(check, !pattern_matches("layers.*.w", "layers.0.ff.w"), "one star and a dot");
    Arena *arena = arena_new();
    Patterns patterns = patterns_parse("  a.*\n b **  ", arena);
    CHECK(check, patterns.count == 3, "%u patterns", patterns.count);
    const PathPattern *last = patterns_match(&patterns, "a.x");
    CHECK(check, last == &patterns.items[2], "the last counts");
    CHECK(check, patterns.items[0].matched && !patterns.items[1].matched,
          "what has matched");
    arena_free(arena);
}

/* -- names -------------------------------------------------------------------------- */

static void test_names(Check *check)
{
    enum { COUNT = 5000 };
    Arena *arena = arena_new();
    Interns *interns = interns_new();
    Names names = {0};
    static int values[COUNT];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < COUNT; i++)
            names_set(&names, arena, intern(interns, arena_format(arena, "name%d", i)),
                      &values[round ? COUNT - 1 - i : i]);
    bool ok = names.count == COUNT;
    for (int i = 0; i < COUNT && ok; i++)
        ok = names_get(&names, intern(interns, arena_format(arena, "name%d", i))) ==
             &values[COUNT - 1 - i];
    CHECK(check, ok, "%u names", names.count);
    CHECK(check, !names_get(&names, intern(interns, "other")), "a name never set");
    interns_free(interns);
    arena_free(arena);
}

/* -- files that are no files -------------------------------------------------------- */

/* The messages of a load that must fail, in a malloc'ed string. */
static char *messages_of(Check *check, const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    Diags *diags = diags_new(out);
    Module *module = frontend_load(path, NULL, diags);
    CHECK(check, !module && diags_error_count(diags) > 0, "%s was loaded", path);
    module_free(module);
    diags_free(diags);
    fclose(out);
    return text;
}

static void expect_message(Check *check, const char *path, const char *expected)
{
    char *text = messages_of(check, path);
    CHECK(check, strstr(text, expected), "%s: found '%s', expected '%s'", path, text,
          expected);
    free(text);
}

static void write_file(const char *path, const char *bytes, size_t len)
{
    unlink(path);
    FILE *out = fopen(path, "wb");
    if (!out || fwrite(bytes, 1, len, out) != len || fclose(out) != 0) {
        perror(path);
        exit(1);
    }
}

static void test_no_files(Check *check, const char *directory)
{
    char path[512];
    snprintf(path, sizeof path, "%s/pipe.vg", directory);
    if (mkfifo(path, 0600) == 0)
        expect_message(check, path, "not a regular file");
    unlink(path);
    expect_message(check, directory, "not a regular file");
    expect_message(check, "/dev/zero", "not a regular file");
    snprintf(path, sizeof path, "%s/missing.vg", directory);
    expect_message(check, path, "No such file");
    snprintf(path, sizeof path, "%s/large.vg", directory);
    write_file(path, "", 0);
    if (truncate(path, 17 << 20) == 0)
        expect_message(check, path, "larger than 16777216 bytes");
    unlink(path);
}

/* One element whose tag has `count` attributes: `before`, a number, `after`. */
static void expect_tag(Check *check, const char *directory, int count, const char *before,
                       const char *after, const char *expected)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tag.vg", directory);
    FILE *out = fopen(path, "wb");
    fputs("<!-- > --><library xmlns=\"urn:vlgraph:1\"", out);
    for (int i = 0; i < count; i++)
        fprintf(out, "%s%d%s", before, i, after);
    fputs("/>", out);
    fclose(out);
    expect_message(check, path, expected);
    unlink(path);
}

/* libxml2 takes time in the square of what one tag has. */
static void test_tags(Check *check, const char *directory)
{
    expect_tag(check, directory, 65, " a", "=\"1\"", "more than 64 attributes");
    expect_tag(check, directory, 65, " xmlns:a", "=\"u\"", "more than 64 namespaces");
    expect_tag(check, directory, 200000, " a", "=\"1\"", "tag.vg:1:11: error: a tag of ");
    expect_tag(check, directory, 200000, " xmlns:a", "=\"u\"", "a tag of ");
    expect_tag(check, directory, 70000, ">", "", "text between elements");
}

/* Each attribute a constant of its own. */
static void test_many_entries(Check *check, const char *directory)
{
    enum { ELEMENTS = 3500, EACH = 60 };
    char path[512];
    snprintf(path, sizeof path, "%s/entries.vg", directory);
    FILE *out = fopen(path, "wb");
    fputs("<library xmlns=\"urn:vlgraph:1\">", out);
    for (int i = 0; i < ELEMENTS; i++) {
        fputs("<const", out);
        for (int j = 0; j < EACH; j++)
            fprintf(out, " a%d_%d=\"1\"", i, j);
        fputs("/>", out);
    }
    fputs("</library>", out);
    fclose(out);
    expect_message(check, path, "more than 200000 constants and facts");
    unlink(path);
}

/* Files too tedious to write down: many elements, deep imports, long names. */
static void test_many(Check *check, const char *directory)
{
    enum { COUNT = 250000, IMPORTS = 70 };
    char path[512];
    snprintf(path, sizeof path, "%s/many.vg", directory);
    FILE *out = fopen(path, "wb");
    fputs("<library xmlns=\"urn:vlgraph:1\">", out);
    for (int i = 0; i < COUNT; i++)
        fputs("<const name=\"a\" value=\"1\"/>", out);
    fputs("</library>", out);
    fclose(out);
    expect_message(check, path, "more than 200000 elements");
    unlink(path);
    for (int i = 0; i < IMPORTS; i++) {
        snprintf(path, sizeof path, "%s/deep%d.vg", directory, i);
        char text[256];
        int len = snprintf(
            text, sizeof text,
            "<library xmlns=\"urn:vlgraph:1\"><import href=\"deep%d.vg\"/></library>",
            i + 1);
        write_file(path, text, (size_t)len);
    }
    snprintf(path, sizeof path, "%s/deep0.vg", directory);
    expect_message(check, path, "nested more than 64 deep");
    for (int i = 0; i < IMPORTS; i++) {
        snprintf(path, sizeof path, "%s/deep%d.vg", directory, i);
        unlink(path);
    }
}

/* -- damaged models ----------------------------------------------------------------- */

static const char model_text[] =
    "<model name=\"m\" xmlns=\"urn:vlgraph:1\">\n"
    "<block name=\"linear\" inputs=\"x weight bias?\" outputs=\"y\">\n"
    "<matmul out=\"y\" a=\"x\" b=\"weight\" transpose_b=\"1\"/>\n"
    "<add out=\"y\" a=\"y\" b=\"bias\" when=\"$has_bias\"/></block>\n"
    "<block name=\"adapter\" inputs=\"x in\" outputs=\"y\"><const name=\"r\" "
    "default=\"2\"/>\n"
    "<param name=\"a.{task}\" shape=\"$r $w\" init=\"normal(0, 1 div sqrt($w))\"/>\n"
    "<param name=\"/b\" shape=\"$w ($r * 2 - $r)\" aliases=\"c /d\"/>\n"
    "<linear out=\"h\" x=\"in\" weight=\"a.{task}\"/><linear out=\"h\" x=\"h\" "
    "weight=\"b\"/>\n"
    "<dropout out=\"h\" x=\"h\" p=\"0.1 * $training\"/><add out=\"y\" a=\"x\" "
    "b=\"h\"/></block>\n"
    "<backbone name=\"net\" outputs=\"l\"><size name=\"s\"><const name=\"w\" "
    "value=\"4\"/></size>\n"
    "<axis name=\"text\" longest=\"9\"/><axis name=\"dec\" longest=\"$w\"/>\n"
    "<input name=\"i\" type=\"i32\" axis=\"text\"/>\n"
    "<input name=\"f\" type=\"f32\" axis=\"dec\" width=\"4\"/>\n"
    "<param name=\"t\" shape=\"10 $w\" init=\"ones\"/><gather out=\"x\" table=\"t\" "
    "index=\"i\"/>\n"
    "<repeat var=\"n\" count=\"2\"><scope name=\"layer{n}\"><param name=\"w\" shape=\"$w "
    "$w\"/>\n"
    "<linear out=\"h\" x=\"x\" weight=\"w\"/><site name=\"at\" in=\"x\" out=\"h\"/>\n"
    "<add out=\"x\" a=\"x\" b=\"h\"/></scope></repeat>\n"
    "<join out=\"j\" a=\"x\" b=\"f\" axis=\"enc\"/>\n"
    "<attention out=\"a\" q=\"x\" k=\"j\" v=\"j\" heads=\"2\" dropout=\"0.1\"/>\n"
    "<cross_entropy out=\"l\" x=\"a\" table=\"t\" label=\"i\"/>\n"
    "<result name=\"r\" value=\"a\"/></backbone>\n"
    "<task name=\"one\" sequences=\"$sequences div 2\"><data key=\"k\" "
    "value=\"{task}\"/>\n"
    "<loss><sum_rows out=\"loss\" x=\"l\"/></loss></task>\n"
    "<task name=\"two\"><loss><sum_rows out=\"loss\" x=\"l\"/></loss></task>\n"
    "<optimizer name=\"o\"><const name=\"weight_decay\" value=\"0\"/><state name=\"m\" "
    "init=\"1\"/>\n"
    "<for params=\"**.w\"><set name=\"weight_decay\" value=\"1\"/></for>\n"
    "<mul out=\"n\" a=\"gradient\" b=\"lr\"/><assign to=\"param\" value=\"n\"/>\n"
    "<assign to=\"m\" value=\"gradient_norm\"/></optimizer>\n"
    "<backbone use=\"net\" size=\"s\"/><tasks use=\"one two\"/>\n"
    "<attach block=\"adapter\" at=\"**.at\" as=\"{task}.x\"><set name=\"r\" "
    "value=\"3\"/>\n"
    "<share params=\"a.*\"/></attach><train params=\"**\"/><freeze params=\"t\"/>\n"
    "<optimizer use=\"o\"/><schedule lr=\"0.1\"/><batch tokens=\"64\"/></model>\n";

/* Damages: a byte changed, a stretch taken out, or a stretch put in elsewhere. */
static size_t damage(Random *random, char *text, size_t len)
{
    static const char bytes[] = "<>\"'/=$(){}*.0123456789abxy- \n\xc3\xa9&;!?[]";
    uint32_t times = 1 + next_random(random, 3);
    while (times-- && len > 40) {
        size_t at = next_random(random, (uint32_t)len),
               other = next_random(random, (uint32_t)len);
        size_t span = 1 + next_random(random, 30);
        span = at + span > len ? len - at : span;
        span = other + span > len ? len - other : span;
        switch (next_random(random, 4)) {
        case 0:
            memmove(text + at, text + at + span, len - at - span);
            len -= span;
            break;
        case 1:
            memmove(text + other, text + at, span);
            break;
        default:
            text[at] = bytes[next_random(random, sizeof bytes - 1)];
            break;
        }
    }
    return len;
}

static void test_damaged(Check *check, const char *directory)
{
    enum { ROUNDS = 3000 };
    char path[512], text[sizeof model_text];
    Random random = {7};
    int loaded = 0, refused = 0;
    FILE *nowhere = fopen("/dev/null", "w");
    snprintf(path, sizeof path, "%s/damaged.vg", directory);
    for (int i = 0; i < ROUNDS; i++) {
        memcpy(text, model_text, sizeof text);
        size_t len = i ? damage(&random, text, sizeof text - 1) : sizeof text - 1;
        write_file(path, text, len);
        Diags *diags = diags_new(nowhere);
        Module *module = frontend_load(path, NULL, diags);
        bool sound = module ? module_verify(module, diags) : diags_error_count(diags) > 0;
        if (i == 0 || !sound)
            CHECK(check, sound && (i || module), "round %d: %s\n%.*s", i,
                  module ? "a module that does not verify" : "refused without an error",
                  (int)len, text);
        loaded += module != NULL;
        refused += module == NULL;
        module_free(module);
        diags_free(diags);
    }
    CHECK(check, loaded > 20 && refused > 100, "%d loaded, %d refused", loaded, refused);
    unlink(path);
    fclose(nowhere);
}

/* Equal files give equal text, byte for byte, and it parses back. */
static void test_repeatable(Check *check, const char *models)
{
    char path[512];
    char *texts[2];
    size_t lens[2];
    Diags *diags = diags_new(stderr);
    FrontendOptions options = {.sets = (const char *const[]){"size=tiny"},
                               .set_count = 1};
    snprintf(path, sizeof path, "%s/vlt5_adapter.vg", models);
    for (int i = 0; i < 2; i++) {
        Module *module = frontend_load(path, &options, diags);
        CHECK(check, module && module_verify(module, diags), "%s", path);
        if (!module)
            exit(1);
        texts[i] = module_print(module, &lens[i]);
        module_free(module);
    }
    CHECK(check, lens[0] == lens[1] && memcmp(texts[0], texts[1], lens[0]) == 0,
          "two texts");
    Module *parsed = module_parse("dump", texts[0], lens[0], diags);
    CHECK(check, parsed != NULL, "the dump does not parse");
    module_free(parsed);
    free(texts[0]);
    free(texts[1]);
    diags_free(diags);
}

int main(int argc, char **argv)
{
    Check check = {0};
    char directory[] = "/tmp/frontend_test.XXXXXX";
    if (argc != 2 || !mkdtemp(directory)) {
        fputs("usage: frontend_test MODELS_DIRECTORY\n", stderr);
        return 2;
    }
    test_patterns(&check);
    test_names(&check);
    test_no_files(&check, directory);
    test_tags(&check, directory);
    test_tags(&check, directory);
    test_many(&check, directory);
    test_many_entries(&check, directory);
    test_damaged(&check, directory);
    test_repeatable(&check, argv[1]);
    rmdir(directory);
    return check_finish(&check);
}
