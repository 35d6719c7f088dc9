/* Reading command lines by a table of options, with help made from the same table. */
#include "ir/base/command_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ir/base/arena.h"
#include "ir/base/heap.h"

static void print_help(const Usage *usage)
{
    printf("usage: vlrun %s [options] %s\n\n%s\n\n", usage->command, usage->operands,
           usage->help);
    for (uint32_t i = 0; i < usage->option_count; i++) {
        const Option *option = &usage->options[i];
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
        printf("  %-24s %s\n", left, option->help);
    }
    printf("  %-24s %s\n", "--help", "show this");
}

static bool unknown_option(const Usage *usage, const char *name)
{
    const char **names = heap_alloc((usage->option_count + 1) * sizeof *names);
    for (uint32_t i = 0; i < usage->option_count; i++)
        names[i] = usage->options[i].name;
    names[usage->option_count] = "--help";
    const char *near = nearest_name(name, names, usage->option_count + 1);
    if (near)
        fprintf(stderr, "vlrun %s: no option '%s'; did you mean '%s'?\n", usage->command,
                name, near);
    else
        fprintf(stderr, "vlrun %s: no option '%s'; see vlrun %s --help\n", usage->command,
                name, usage->command);
    free(names);
    return false;
}

static const Option *find_option(const Usage *usage, const char *name, size_t len)
{
    for (uint32_t i = 0; i < usage->option_count; i++)
        if (strlen(usage->options[i].name) == len &&
            memcmp(usage->options[i].name, name, len) == 0)
            return &usage->options[i];
    return NULL;
}

static bool set_count(const Usage *usage, const Option *option, const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < 0) {
        fprintf(stderr, "vlrun %s: %s takes a number, not '%s'\n", usage->command,
                option->name, text);
        return false;
    }
    *(int64_t *)option->out = value;
    return true;
}

/* Takes argv[*index], and the argument after it if that is the option's value. */
static bool take_option(const Usage *usage, int argc, char **argv, int *index)
{
    const char *name = argv[*index], *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const Option *option = find_option(usage, name, len);
    if (!option)
        return unknown_option(usage, name);
    if (option->kind == OPTION_flag) {
        if (equals) {
            fprintf(stderr, "vlrun %s: %s takes no value\n", usage->command,
                    option->name);
            return false;
        }
        *(bool *)option->out = true;
        return true;
    }
    const char *value = equals ? equals + 1 : *index + 1 < argc ? argv[++*index] : NULL;
    if (!value) {
        fprintf(stderr, "vlrun %s: %s needs a value: %s %s\n", usage->command,
                option->name, option->name, option->value);
        return false;
    }
    if (option->kind == OPTION_count)
        return set_count(usage, option, value);
    *(const char **)option->out = value;
    return true;
}

bool options_parse(const Usage *usage, int argc, char **argv, const char **operands,
                   int *out_code)
{
    uint32_t count = 0;
    *out_code = EXIT_CODE_usage;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(usage);
            *out_code = EXIT_CODE_done;
            return false;
        }
        if (argv[i][0] == '-' && argv[i][1]) {
            if (!take_option(usage, argc, argv, &i))
                return false;
        } else if (count < usage->operand_count) {
            operands[count++] = argv[i];
        } else {
            fprintf(stderr, "vlrun %s: one operand too many: '%s'\n", usage->command,
                    argv[i]);
            return false;
        }
    }
    if (count < usage->operand_count) {
        fprintf(stderr, "usage: vlrun %s [options] %s; see --help\n", usage->command,
                usage->operands);
        return false;
    }
    return true;
}

ExitCode exit_code(bool ok, const Diags *diags)
{
    if (ok)
        return EXIT_CODE_done;
    return diags_saw_not_finite(diags) ? EXIT_CODE_numbers : EXIT_CODE_input;
}

int exit_code_after(const Interrupt *interrupt, ExitCode code, const Diags *diags)
{
    bool is_all = interrupt_is_set(interrupt) && diags_error_count(diags) == 0;
    return is_all ? interrupt_exit_code(interrupt) : (int)code;
}
