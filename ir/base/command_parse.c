/* The words of a command line, one after the other, into the fields that the table names.
 * A preset takes the same way as a value that is given. */
#include "ir/base/command_parse.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"

typedef struct Parse {
    const Command *command;
    const char *caller;
    char *fields;
    uint32_t count, at; /* words, the one that is read */
    char **words;
    uint32_t operands;
    Arena *arena;
} Parse;

PRINTF_LIKE(2, 3)
static bool misused(const Parse *parse, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", parse->caller);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

void print_near_miss(const char *name, const char *const *known, size_t count,
                     const char *caller)
{
    const char *near = nearest_name(name, known, count);
    if (near)
        fprintf(stderr, "; did you mean '%s'?\n", near);
    else
        fprintf(stderr, "; '%s --help' lists them\n", caller);
}

/* -- values ---------------------------------------------------------------------- */

static bool set_count(const Parse *parse, const Option *option, const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    int64_t most = option->most ? option->most : INT64_MAX;
    bool is_whole =
        (isdigit((unsigned char)*text) || *text == '-') && end != text && !*end;
    if (is_whole && !errno && value >= option->least && value <= most) {
        *(int64_t *)(parse->fields + option->field) = value;
        return true;
    }
    if (option->most)
        return misused(parse, "%s: found '%s', expected a number from %lld to %lld",
                       option->name, text, (long long)option->least, (long long)most);
    if (is_whole && errno)
        return misused(parse, "%s: found '%s', which 64 bits do not hold", option->name,
                       text);
    return misused(parse, "%s: found '%s', expected a number of %lld or more",
                   option->name, text, (long long)option->least);
}

static bool set_number(const Parse *parse, const Option *option, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value > 0) || !isfinite(value))
        return misused(parse, "%s: found '%s', expected a number above 0", option->name,
                       text);
    *(double *)(parse->fields + option->field) = value;
    return true;
}

static size_t choice_count(const Option *option)
{
    size_t count = 0;
    while (option->choices[count])
        count++;
    return count;
}

/* -1 if there is no such choice. */
static int find_choice(const Option *option, const char *text, size_t len)
{
    for (int i = 0; option->choices[i]; i++)
        if (strlen(option->choices[i]) == len &&
            memcmp(option->choices[i], text, len) == 0)
            return i;
    return -1;
}

static bool no_choice(const Parse *parse, const Option *option, const char *text)
{
    size_t count = choice_count(option);
    const char *near = nearest_name(text, option->choices, count);
    if (near)
        return misused(parse, "%s: found '%s'; did you mean '%s'?", option->name, text,
                       near);
    fprintf(stderr, "%s: %s: found '%s', expected ", parse->caller, option->name, text);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%s%s", option->choices[i],
                i + 2 < count    ? ", "
                : i + 2 == count ? " or "
                                 : "\n");
    return false;
}

static bool set_choice(const Parse *parse, const Option *option, const char *text)
{
    int choice = find_choice(option, text, strlen(text));
    if (choice < 0)
        return no_choice(parse, option, text);
    *(int *)(parse->fields + option->field) = choice;
    return true;
}

/* Nothing at all is no names. */
static bool check_names(const Parse *parse, const Option *option, const char *text)
{
    for (const char *at = text; *at;) {
        size_t len = option->kind == OPTION_names ? strcspn(at, ",") : strlen(at);
        if (find_choice(option, at, len) < 0)
            return no_choice(parse, option, arena_string(parse->arena, at, len));
        at += len;
        if (*at && !*++at)
            return no_choice(parse, option, "");
    }
    return *text || option->kind == OPTION_names || no_choice(parse, option, text);
}

static void add_text(const Parse *parse, size_t field, const char *text)
{
    TextList *list = (TextList *)(void *)(parse->fields + field);
    if (!list->items)
        list->items = ARENA_ARRAY(parse->arena, const char *, parse->count + 1);
    list->items[list->count++] = text;
}

static bool set_value(const Parse *parse, const Option *option, const char *text)
{
    const char **field = (const char **)(void *)(parse->fields + option->field);
    switch (option->kind) {
    case OPTION_count:
        return set_count(parse, option, text);
    case OPTION_number:
        return set_number(parse, option, text);
    case OPTION_choice:
        return set_choice(parse, option, text);
    case OPTION_list:
        add_text(parse, option->field, text);
        return true;
    case OPTION_name:
    case OPTION_names:
        if (!check_names(parse, option, text))
            return false;
        break;
    case OPTION_path:
        if (!*text)
            return misused(parse, "%s: found '', expected %s", option->name,
                           option->value);
        break;
    case OPTION_text:
    case OPTION_flag:
        break;
    }
    *field = text;
    return true;
}

/* -- words ----------------------------------------------------------------------- */

/* Of "--name", "--name=value", "-n" and "-n=value"; or NULL. */
static const Option *find_option(const Command *command, const char *word)
{
    size_t len = strcspn(word, "=");
    for (uint32_t i = 0; i < command->option_count; i++) {
        const Option *option = &command->options[i];
        if (strlen(option->name) == len && memcmp(option->name, word, len) == 0)
            return option;
        if (option->letter && len == 2 && word[1] == option->letter)
            return option;
    }
    return NULL;
}

static bool unknown_option(const Parse *parse, const char *word)
{
    const Command *command = parse->command;
    const char **names =
        ARENA_ARRAY(parse->arena, const char *, command->option_count + 1);
    for (uint32_t i = 0; i < command->option_count; i++)
        names[i] = command->options[i].name;
    names[command->option_count] = "--help";
    const char *name = arena_string(parse->arena, word, strcspn(word, "="));
    fprintf(stderr, "%s: unknown option '%s'", parse->caller, name);
    print_near_miss(name, names, command->option_count + 1, parse->caller);
    return false;
}

/* The word, and the one after it if that is the option's value. */
static bool take_option(Parse *parse)
{
    const char *word = parse->words[parse->at], *equals = strchr(word, '=');
    const Option *option = find_option(parse->command, word);
    if (!option && (strncmp(word, "--help=", 7) == 0 || strncmp(word, "-h=", 3) == 0))
        return misused(parse, "--help takes no value: '%s'", word);
    if (!option)
        return unknown_option(parse, word);
    if (option->kind == OPTION_flag) {
        if (equals)
            return misused(parse, "%s takes no value: '%s'", option->name, word);
        *(bool *)(parse->fields + option->field) = true;
        return true;
    }
    if (equals)
        return set_value(parse, option, equals + 1);
    if (parse->at + 1 == parse->count)
        return misused(parse, "a value must follow '%s': %s", word, option->value);
    return set_value(parse, option, parse->words[++parse->at]);
}

static bool take_operand(Parse *parse)
{
    const Command *command = parse->command;
    const char *word = parse->words[parse->at];
    if (parse->operands == command->most_operands)
        return misused(parse, "unexpected argument '%s'", word);
    if (!*word)
        return misused(parse, "found '', expected %s", command->operands);
    if (command->most_operands == ANY_NUMBER)
        add_text(parse, command->operand_field, word);
    else
        ((const char **)(void *)(parse->fields +
                                 command->operand_field))[parse->operands] = word;
    parse->operands++;
    return true;
}

/* A mistake in the table shows in any use of the command. */
static void take_presets(const Parse *parse)
{
    for (uint32_t i = 0; i < parse->command->option_count; i++) {
        const Option *option = &parse->command->options[i];
        bool is_set = true;
        if (option->preset)
            is_set = set_value(parse, option, option->preset);
        else if (option->kind == OPTION_count)
            *(int64_t *)(parse->fields + option->field) = COUNT_NOT_GIVEN;
        assert(is_set && (option->preset || option->kind != OPTION_choice));
        (void)is_set;
    }
}

static bool take_words(Parse *parse)
{
    bool is_end = false; /* of options */
    for (; parse->at < parse->count; parse->at++) {
        const char *word = parse->words[parse->at];
        bool is_option = !is_end && word[0] == '-' && word[1];
        if (is_option && strcmp(word, "--") == 0)
            is_end = true;
        else if (!(is_option ? take_option(parse) : take_operand(parse)))
            return false;
    }
    return true;
}

void *command_parse(const Command *command, const char *caller, uint32_t count,
                    char **words, Arena *arena)
{
    Parse parse = {.command = command,
                   .caller = caller,
                   .fields = arena_alloc(arena, command->argument_bytes + 1),
                   .count = count,
                   .words = words,
                   .arena = arena};
    take_presets(&parse);
    if (!take_words(&parse))
        return NULL;
    if (parse.operands >= command->least_operands)
        return parse.fields;
    misused(&parse, "expected %s; see %s --help", command->operands, caller);
    return NULL;
}

bool command_wants_help(uint32_t count, char **words)
{
    for (uint32_t i = 0; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            return true;
    return false;
}
