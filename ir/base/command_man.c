/* Manual pages, in the man macros of roff. */
#include "ir/base/command_man.h"

#include <stdlib.h>

#include "ir/base/command_help.h"
#include "ir/base/heap.h"

/* As roff takes it for what it is. `text` begins within a line. */
static void print_text(const char *text, FILE *out)
{
    for (const char *at = text; *at; at++) {
        if (*at == '\n' && (at[1] == '.' || at[1] == '\''))
            fputs("\n\\&", out);
        else if (*at == '\\')
            fputs("\\e", out);
        else if (*at == '-')
            fputs("\\-", out);
        else if (*at == '\'')
            fputs("\\(aq", out);
        else if (*at == '`')
            fputs("\\(ga", out);
        else
            fputc(*at, out);
    }
}

/* `letter`: of a font, back to roman after it. */
static void print_in(char letter, const char *text, FILE *out)
{
    fprintf(out, "\\f%c", letter);
    print_text(text, out);
    fputs("\\fR", out);
}

static void print_option(const Option *option, FILE *out)
{
    const char letter[] = {'-', option->letter, 0};
    char *meaning = option_meaning(option);
    fputs(".TP\n", out);
    if (option->letter) {
        print_in('B', letter, out);
        fputs(", ", out);
    }
    print_in('B', option->name, out);
    if (option->value) {
        fputc(' ', out);
        print_in('I', option->value, out);
    }
    fputs("\n\\&", out);
    print_text(meaning, out);
    for (int i = 0; option->choices && option->kind != OPTION_choice; i++) {
        if (!option->choices[i])
            break;
        fputs(i ? ", " : "; among ", out);
        print_text(option->choices[i], out);
    }
    fputc('\n', out);
    free(meaning);
}

static void print_options(const Command *command, FILE *out)
{
    fputs(".SH OPTIONS\n", out);
    for (uint32_t i = 0; i < command->option_count; i++) {
        const char *group = command->options[i].group;
        if (group) {
            fputs(".SS ", out);
            print_text(group, out);
            fputc('\n', out);
        }
        print_option(&command->options[i], out);
    }
    print_option(&help_option, out);
}

static void print_head(const CommandTable *table, const char *name, const char *help,
                       FILE *out)
{
    fputs(".TH \"", out);
    for (const char *at = table->program; *at; at++)
        fputc(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at, out);
    for (const char *at = name; *at; at++)
        fputc(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at, out);
    fprintf(out, "\" 1 \"\" \"VLGraph %s\" VLGraph\n.SH NAME\n", table->version);
    print_text(table->program, out);
    print_text(name, out);
    fputs(" \\- ", out);
    print_text(help, out);
    fputs("\n.SH SYNOPSIS\n", out);
}

static void print_exit_codes(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
#define EXIT_CODE(name, number, meaning) fprintf(out, ".TP\n%d\n%s\n", number, meaning);
    EXIT_CODES
#undef EXIT_CODE
    fputs(".TP\n130\ninterrupted\n.TP\n143\nended by SIGTERM\n", out);
}

void man_print_program(const CommandTable *table, const Command *own, FILE *out)
{
    print_head(table, "", table->purpose, out);
    print_in('B', table->program, out);
    fputs(" \\fIcommand\\fR [\\fIoptions\\fR] ", out);
    print_in('I', table->operands, out);
    fputs("\n.SH COMMANDS\n", out);
    for (uint32_t i = 0; i < table->count; i++) {
        fputs(".TP\n", out);
        print_in('B', table->commands[i]->name, out);
        fputs("\n\\&", out);
        print_text(table->commands[i]->help, out);
        fputs(". See ", out);
        print_in('B', table->program, out);
        fputs("\\-", out);
        print_in('B', table->commands[i]->name, out);
        fputs("(1).\n", out);
    }
    print_options(own, out);
    print_exit_codes(out);
}

void man_print_command(const CommandTable *table, const Command *command, FILE *out)
{
    char *name = heap_format("-%s", command->name);
    print_head(table, name, command->help, out);
    free(name);
    print_in('B', table->program, out);
    fputc(' ', out);
    print_in('B', command->name, out);
    fputs(command->option_count ? " [\\fIoptions\\fR] " : " ", out);
    print_in('I', command->operands, out);
    fputs("\n.SH DESCRIPTION\n\\&", out);
    print_text(command->details ? command->details : command->help, out);
    fputc('\n', out);
    print_options(command, out);
    print_exit_codes(out);
    fputs(".SH SEE ALSO\n", out);
    print_in('B', table->program, out);
    fputs("(1)\n", out);
}
