/* --help of programs and commands. */
#include "ir/base/command_help.h"

#include <stdlib.h>
#include <string.h>

#include "ir/base/heap.h"

enum { OPTION_WIDTH = 26, INDENT = 2 + OPTION_WIDTH + 1, LINE_WIDTH = 100 };

const Option help_option = {
    .kind = OPTION_flag, .name = "--help", .letter = 'h', .help = "show this"};

char *option_meaning(const Option *option)
{
    char *text;
    size_t len;
    FILE *out = heap_stream(&text, &len);
    fputs(option->help, out);
    for (int i = 0; option->kind == OPTION_choice && option->choices[i]; i++)
        fprintf(out, "%s%s",
                i == 0                   ? ": "
                : option->choices[i + 1] ? ", "
                                         : " or ",
                option->choices[i]);
    if (option->preset)
        fprintf(out, "; default %s", option->preset);
    fclose(out);
    return text;
}

/* From column INDENT on, in lines of LINE_WIDTH where words allow it. */
static void print_meaning(const char *text, FILE *out)
{
    int column = INDENT;
    for (int len; *text; text += len) {
        text += *text == ' ';
        len = (int)strcspn(text, " ");
        bool is_first = column == INDENT;
        if (!is_first && column + 1 + len > LINE_WIDTH) {
            fprintf(out, "\n%*s", INDENT, "");
            column = INDENT;
            is_first = true;
        }
        fprintf(out, "%s%.*s", is_first ? "" : " ", len, text);
        column += len + !is_first;
    }
    fputc('\n', out);
}

static void print_option(const Option *option, FILE *out)
{
    char letter[8] = "";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    char *left = heap_format("%s%s%s%s", letter, option->name, option->value ? " " : "",
                             option->value ? option->value : "");
    char *meaning = option_meaning(option);
    fprintf(out, "  %-*s ", OPTION_WIDTH, left);
    print_meaning(meaning, out);
    free(meaning);
    free(left);
}

static void print_options(const Command *command, FILE *out)
{
    bool is_grouped = false;
    for (uint32_t i = 0; i < command->option_count; i++) {
        const Option *option = &command->options[i];
        if (option->group)
            fprintf(out, "%s%s:\n", i ? "\n" : "", option->group);
        is_grouped |= option->group != NULL;
        print_option(option, out);
    }
    if (is_grouped)
        fputc('\n', out);
    print_option(&help_option, out);
}

void help_print_program(const CommandTable *table, const Command *own, FILE *out)
{
    fprintf(out, "usage: %s <command> [options] %s\n\n", table->program, table->operands);
    for (uint32_t i = 0; i < table->count; i++)
        fprintf(out, "  %-9s %s\n", table->commands[i]->name, table->commands[i]->help);
    fputc('\n', out);
    print_options(own, out);
    fprintf(out, "\n'%s <command> --help' lists a command's options. Exit codes:\n\n",
            table->program);
#define EXIT_CODE(name, number, meaning) fprintf(out, "  %-9d %s\n", number, meaning);
    EXIT_CODES
#undef EXIT_CODE
    fputs("  130, 143  interrupted, by SIGTERM\n", out);
}

void help_print_command(const Command *command, const char *caller, FILE *out)
{
    fprintf(out, "usage: %s%s%s%s\n\n%s\n\n", caller,
            command->option_count ? " [options]" : "", *command->operands ? " " : "",
            command->operands, command->details ? command->details : command->help);
    print_options(command, out);
}
