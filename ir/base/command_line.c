/* The program's own options and its commands; exit codes. */
#include "ir/base/command_line.h"

#include <string.h>

#include "ir/base/command_help.h"
#include "ir/base/command_man.h"
#include "ir/base/command_parse.h"

/* Of a program that is called without a command. */
typedef struct OwnArguments {
    bool is_version, is_man;
    const char *shell, *command;
} OwnArguments;

static const char *const shells[] = {"bash", "zsh", NULL};

#define AT(field) offsetof(OwnArguments, field)
static const Option own_options[] = {
    OPTION(flag, "--version", AT(is_version), NULL,
           "print the version, and what it was built with"),
    OPTION(flag, "--man", AT(is_man), NULL,
           "print the manual page of the program, or of a COMMAND that follows"),
    OPTION(name, "--completion", AT(shell), "SHELL",
           "print a script that completes command lines, for bash or zsh",
           .choices = shells),
};
#undef AT

/* As a command without a name. */
static const Command own_command = {.operands = "[COMMAND]",
                                    .most_operands = 1,
                                    .operand_field = offsetof(OwnArguments, command),
                                    COMMAND_OPTIONS(own_options),
                                    COMMAND_ARGUMENTS(OwnArguments)};

/* NULL after a message. */
static const Command *find_command(const CommandTable *table, const char *name,
                                   Arena *arena)
{
    const char **names = ARENA_ARRAY(arena, const char *, table->count);
    for (uint32_t i = 0; i < table->count; i++) {
        names[i] = table->commands[i]->name;
        if (strcmp(name, names[i]) == 0)
            return table->commands[i];
    }
    fprintf(stderr, "%s: unknown command '%s'", table->program, name);
    print_near_miss(name, names, table->count, table->program);
    return NULL;
}

static int print_man(const CommandTable *table, const char *name, Arena *arena)
{
    const Command *command = name ? find_command(table, name, arena) : NULL;
    if (command)
        man_print_command(table, command, stdout);
    else if (!name)
        man_print_program(table, &own_command, stdout);
    return name && !command ? EXIT_CODE_usage : EXIT_CODE_done;
}

static void print_version(const CommandTable *table)
{
    bool has_commit = table->commit && *table->commit;
    printf("%s %s%s%s%s\n", table->program, table->version, has_commit ? " (" : "",
           has_commit ? table->commit : "", has_commit ? ")" : "");
    if (table->about)
        table->about(stdout);
}

static int run_own(const CommandTable *table, uint32_t count, char **words, Arena *arena)
{
    if (command_wants_help(count, words)) {
        help_print_program(table, &own_command, stdout);
        return EXIT_CODE_done;
    }
    const OwnArguments *own =
        command_parse(&own_command, table->program, count, words, arena);
    if (!own)
        return EXIT_CODE_usage;
    if (own->is_man)
        return print_man(table, own->command, arena);
    if (own->command || !(own->shell || own->is_version)) {
        help_print_program(table, &own_command, stderr);
        return EXIT_CODE_usage;
    }
    if (own->is_version)
        print_version(table);
    else if (strcmp(own->shell, "bash") == 0)
        completion_print_bash(table, &own_command, stdout);
    else
        completion_print_zsh(table, &own_command, stdout);
    return EXIT_CODE_done;
}

static int run_command(const Command *command, const char *caller, uint32_t count,
                       char **words, Arena *arena)
{
    if (command_wants_help(count, words)) {
        help_print_command(command, caller, stdout);
        return EXIT_CODE_done;
    }
    const void *arguments = command_parse(command, caller, count, words, arena);
    return arguments ? command->run(arguments) : EXIT_CODE_usage;
}

int command_line_run(const CommandTable *table, int argc, char **argv)
{
    Arena *arena = arena_new();
    int code = EXIT_CODE_usage;
    if (argc < 2 || argv[1][0] == '-') {
        uint32_t count = argc > 1 ? (uint32_t)argc - 1 : 0;
        code = run_own(table, count, argv + 1, arena);
    } else {
        const Command *command = find_command(table, argv[1], arena);
        if (command)
            code = run_command(
                command, arena_format(arena, "%s %s", table->program, command->name),
                (uint32_t)argc - 2, argv + 2, arena);
    }
    arena_free(arena);
    return code;
}

int command_line_run_only(const Command *command, int argc, char **argv)
{
    Arena *arena = arena_new();
    uint32_t count = argc > 1 ? (uint32_t)argc - 1 : 0;
    int code = run_command(command, command->name, count, argv + 1, arena);
    arena_free(arena);
    return code;
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
