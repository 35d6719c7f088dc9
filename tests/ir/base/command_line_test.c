/* Words to the fields of a struct: every kind of option and operand of a table. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/command_help.h"
#include "ir/base/command_parse.h"
#include "ir/base/heap.h"
#include "tests/check.h"

typedef struct Arguments {
    const char *operands[2];
    const char *text, *path, *name, *names;
    bool flag;
    int64_t count, bounded, preset_count;
    double number;
    TextList list;
    int choice;
} Arguments;

static const char *const choices[] = {"apple", "pear", "plum", NULL};

#define AT(field) offsetof(Arguments, field)
static const Option option_rows[] = {
    OPTION(flag, "--flag", AT(flag), NULL, "a flag", .letter = 'f'),
    OPTION(text, "--text", AT(text), "TEXT", "a text"),
    OPTION(path, "--path", AT(path), "FILE", "a path", .letter = 'p'),
    OPTION(count, "--count", AT(count), "N", "a count", .least = 1),
    OPTION(count, "--bounded", AT(bounded), "N", "a count", .least = 2, .most = 4),
    OPTION(count, "--preset", AT(preset_count), "N", "a count", .preset = "7"),
    OPTION(number, "--number", AT(number), "X", "a number", .preset = "1.5"),
    OPTION(list, "--list", AT(list), "A", "many"),
    OPTION(choice, "--choice", AT(choice), "NAME", "a fruit", .choices = choices,
           .preset = "pear"),
    OPTION(name, "--name", AT(name), "NAME", "a fruit", .choices = choices),
    OPTION(names, "--names", AT(names), "A,B", "fruits", .choices = choices),
};
#undef AT

static const Command two = {.name = "two",
                            .operands = "A [B]",
                            .least_operands = 1,
                            .most_operands = 2,
                            .operand_field = offsetof(Arguments, operands),
                            .help = "takes two",
                            COMMAND_OPTIONS(option_rows),
                            COMMAND_ARGUMENTS(Arguments)};

static const Command many = {.name = "many",
                             .operands = "A...",
                             .least_operands = 1,
                             .most_operands = ANY_NUMBER,
                             .operand_field = offsetof(Arguments, list),
                             .help = "takes many",
                             COMMAND_ARGUMENTS(Arguments)};

enum { MOST_WORDS = 16 };

/* `line` has blanks between words; '' is an empty word. It must live as long as what is
 * read of it. */
static Arguments *parse(const Command *command, Arena *arena, const char *line)
{
    char *words[MOST_WORDS], *text = arena_string(arena, line, strlen(line)), *rest;
    uint32_t count = 0;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        words[count++] = strcmp(word, "''") == 0 ? word + 2 : word;
    return command_parse(command, "test", count, words, arena);
}

static bool is(const char *found, const char *expected)
{
    return found && strcmp(found, expected) == 0;
}

static void test_presets(Check *check, Arena *arena)
{
    const Arguments *got = parse(&two, arena, "a");
    CHECK(check, got && is(got->operands[0], "a") && !got->operands[1], "one operand");
    CHECK(check, got && got->count == COUNT_NOT_GIVEN && got->preset_count == 7,
          "counts");
    CHECK(check, got && got->number > 1.4 && got->number < 1.6, "a number");
    CHECK(check, got && got->choice == 1 && !got->name && !got->names, "choices");
    CHECK(check, got && !got->flag && !got->text && got->list.count == 0, "the others");
}

static void test_spellings(Check *check, Arena *arena)
{
    const Arguments *got =
        parse(&two, arena, "-f --text=a=b --count 3 a -p x --bounded=4 -- --text");
    CHECK(check, got && got->flag && is(got->text, "a=b") && is(got->path, "x"), "texts");
    CHECK(check, got && got->count == 3 && got->bounded == 4, "counts");
    CHECK(check, got && is(got->operands[0], "a") && is(got->operands[1], "--text"),
          "what follows -- is no option");
    got = parse(&two, arena, "-p=y - --text '' --path z --list 1 --list=2");
    CHECK(check, got && is(got->path, "z") && is(got->operands[0], "-"),
          "last one counts");
    CHECK(check, got && is(got->text, ""), "a text may be empty");
    CHECK(check,
          got && got->list.count == 2 && is(got->list.items[0], "1") &&
              is(got->list.items[1], "2"),
          "a list");
    got = parse(&two, arena, "a --choice plum --name apple --names pear,apple");
    CHECK(check, got && got->choice == 2 && is(got->name, "apple"), "choices");
    CHECK(check, got && is(got->names, "pear,apple"), "names");
    got = parse(&many, arena, "a b c");
    CHECK(check, got && got->list.count == 3 && is(got->list.items[2], "c"), "operands");
}

/* Each says why, on stderr; the texts are in the tests of the programs. */
static void test_refusals(Check *check, Arena *arena)
{
    static const char *const lines[] = {
        "",
        "a b c",
        "''",
        "a --flag=1",
        "a --text",
        "a --path ''",
        "a --count 0",
        "a --count 1x",
        "a --count ''",
        "a --count 99999999999999999999",
        "a --bounded 1",
        "a --bounded 5",
        "a --number 0",
        "a --number nan",
        "a --number 1e999",
        "a --number ''",
        "a --choice ''",
        "a --choice grape",
        "a --choice pea",
        "a --name pear,plum",
        "a --name ''",
        "a --names pear,grape",
        "a --names pear,",
        "a --fla",
        "a -x",
        "a -ff",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        CHECK(check, !parse(&two, arena, lines[i]), "'%s' is refused", lines[i]);
    CHECK(check, !parse(&many, arena, ""), "at least one operand");
    CHECK(check, parse(&two, arena, "a --names ''"), "no names at all");
}

static void test_help(Check *check)
{
    char *words[] = {"a", "--help"}, *ended[] = {"--", "-h"};
    CHECK(check, command_wants_help(2, words) && !command_wants_help(1, words), "--help");
    CHECK(check, !command_wants_help(2, ended), "an operand");
    char *meaning = option_meaning(&option_rows[8]);
    CHECK(check, is(meaning, "a fruit: apple, pear or plum; default pear"), "%s",
          meaning);
    free(meaning);
}

static void test_groups(Check *check)
{
    static const Option rows[] = {
        OPTION(flag, "--one", 0, NULL, "alone"),
        OPTION(count, "--rows", 0, "N",
               "a meaning of more words than fit into a line of a hundred columns, which "
               "goes on below",
               .group = "What is shown"),
    };
    static const Command grouped = {
        .name = "grouped", .operands = "", .help = "has groups", COMMAND_OPTIONS(rows)};
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    help_print_command(&grouped, "test grouped", out);
    fclose(out);
    CHECK(check,
          is(text,
             "usage: test grouped [options]\n\nhas groups\n\n"
             "  --one                      alone\n"
             "\nWhat is shown:\n"
             "  --rows N                   a meaning of more words than fit into a line "
             "of a hundred columns,\n"
             "                             which goes on below\n"
             "\n  -h, --help                 show this\n"),
          "%s", text);
    free(text);
}

int main(void)
{
    Check check = {0};
    Arena *arena = arena_new();
    test_presets(&check, arena);
    test_spellings(&check, arena);
    test_refusals(&check, arena);
    test_help(&check);
    test_groups(&check);
    arena_free(arena);
    return check_finish(&check);
}
