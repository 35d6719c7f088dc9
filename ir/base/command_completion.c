/* Completion for shells. Each script knows the commands, the options of each, and of each
 * option whether a choice, a path or anything follows; operands are files. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/command_help.h"
#include "ir/base/command_man.h"

static bool is_directory(const Option *option)
{
    return option->kind == OPTION_path && strcmp(option->value, "DIR") == 0;
}

/* -- bash ------------------------------------------------------------------------ */

static void print_option_names(const Command *command, FILE *out)
{
    for (uint32_t i = 0; i < command->option_count; i++) {
        if (command->options[i].letter)
            fprintf(out, "-%c ", command->options[i].letter);
        fprintf(out, "%s ", command->options[i].name);
    }
    fputs("-h --help", out);
}

/* What follows an option that takes a value. */
static void print_bash_value(const Command *command, const Option *option, FILE *out)
{
    fprintf(out, "    '%s %s'", command->name ? command->name : "", option->name);
    if (option->letter)
        fprintf(out, " | '%s -%c'", command->name ? command->name : "", option->letter);
    fputs(") ", out);
    if (option->choices) {
        fputs("mapfile -t COMPREPLY < <(compgen -W '", out);
        for (int i = 0; option->choices[i]; i++)
            fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
        fputs("' -- \"$word\")", out);
    } else if (option->kind == OPTION_path) {
        fprintf(out,
                "compopt -o filenames 2>/dev/null\n"
                "        mapfile -t COMPREPLY < <(compgen -%c -- \"$word\")",
                is_directory(option) ? 'd' : 'f');
    } else {
        fputs(":", out);
    }
    fputs(" ; return ;;\n", out);
}

static void print_bash_values(const Command *command, FILE *out)
{
    for (uint32_t i = 0; i < command->option_count; i++)
        if (command->options[i].kind != OPTION_flag)
            print_bash_value(command, &command->options[i], out);
}

static void print_command_names(const CommandTable *table, FILE *out)
{
    for (uint32_t i = 0; i < table->count; i++)
        fprintf(out, "%s%s", i ? " " : "", table->commands[i]->name);
}

void completion_print_bash(const CommandTable *table, const Command *own, FILE *out)
{
    const char *program = table->program;
    fprintf(out, "# Completion of %s for bash, as '%s --completion bash' prints it.\n",
            program, program);
    fprintf(out, "_%s()\n{\n", program);
    /* bash takes the '=' of --option=value for a word of its own. */
    fputs("    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command='' options\n"
          "    COMPREPLY=()\n"
          "    if [[ $word == = ]]; then word=''\n"
          "    elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
          "    [[ $COMP_CWORD -eq 1 || ${COMP_WORDS[1]} == -* ]] || "
          "command=${COMP_WORDS[1]}\n"
          "    case \"$command $before\" in\n",
          out);
    print_bash_values(own, out);
    for (uint32_t i = 0; i < table->count; i++)
        print_bash_values(table->commands[i], out);
    fputs("    esac\n    case $command in\n    '') options='", out);
    print_option_names(own, out);
    fputs("' ;;\n", out);
    for (uint32_t i = 0; i < table->count; i++) {
        fprintf(out, "    %s) options='", table->commands[i]->name);
        print_option_names(table->commands[i], out);
        fputs("' ;;\n", out);
    }
    fputs("    *) return ;;\n    esac\n"
          "    if [[ $word == -* ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
          "    elif [[ -z $command ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W '",
          out);
    print_command_names(table, out);
    fputs("' -- \"$word\")\n    else\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n    fi\n}\n",
          out);
    fprintf(out, "complete -F _%s %s\n", program, program);
}

/* -- zsh ------------------------------------------------------------------------- */

/* Within '...', in a message or description of _arguments or _describe. */
static void print_zsh_text(const char *text, FILE *out)
{
    for (const char *at = text; *at; at++) {
        if (*at == '\'') {
            fputs("'\\''", out);
            continue;
        }
        if (strchr("[]:\\", *at))
            fputc('\\', out);
        fputc(*at == '\n' ? ' ' : *at, out);
    }
}

static void print_zsh_value(const Option *option, FILE *out)
{
    fputc(':', out);
    print_zsh_text(option->value, out);
    fputc(':', out);
    if (option->choices) {
        fputc('(', out);
        for (int i = 0; option->choices[i]; i++)
            fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
        fputc(')', out);
    } else if (option->kind == OPTION_path) {
        fputs(is_directory(option) ? "_files -/" : "_files", out);
    }
}

/* `name` is the option as it is written, with what _arguments wants to know after it. */
static void print_zsh_spec(const Option *option, const char *name, FILE *out)
{
    char *meaning = option_meaning(option);
    fprintf(out, " \\\n        '%s%s[", option->kind == OPTION_list ? "*" : "", name);
    print_zsh_text(meaning, out);
    fputc(']', out);
    if (option->value)
        print_zsh_value(option, out);
    fputc('\'', out);
    free(meaning);
}

static void print_zsh_option(const Option *option, FILE *out)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", option->name, option->value ? "=" : "");
    print_zsh_spec(option, name, out);
    if (!option->letter)
        return;
    snprintf(name, sizeof name, "-%c%s", option->letter, option->value ? "+" : "");
    print_zsh_spec(option, name, out);
}

static void print_zsh_options(const Command *command, FILE *out)
{
    for (uint32_t i = 0; i < command->option_count; i++)
        print_zsh_option(&command->options[i], out);
    print_zsh_option(&help_option, out);
}

void completion_print_zsh(const CommandTable *table, const Command *own, FILE *out)
{
    const char *program = table->program;
    fprintf(out, "#compdef %s\n# As '%s --completion zsh' prints it.\n_%s() {\n", program,
            program, program);
    fputs("local -a names\nlocal state line code=1\nnames=(\n", out);
    for (uint32_t i = 0; i < table->count; i++) {
        fprintf(out, "    '%s:", table->commands[i]->name);
        print_zsh_text(table->commands[i]->help, out);
        fputs("'\n", out);
    }
    fputs(")\n_arguments -C", out);
    print_zsh_options(own, out);
    fputs(" \\\n        '1:command:->command' '*::argument:->argument' && code=0\n"
          "case $state in\n"
          "command) _describe command names && code=0 ;;\n"
          "argument)\n"
          "    case $words[1] in\n",
          out);
    for (uint32_t i = 0; i < table->count; i++) {
        fprintf(out, "    %s) _arguments", table->commands[i]->name);
        print_zsh_options(table->commands[i], out);
        if (table->commands[i]->most_operands)
            fputs(" \\\n        '*:file:_files'", out);
        fputs(" && code=0 ;;\n", out);
    }
    fputs("    esac ;;\nesac\nreturn code\n}\n", out);
    /* Run by compinit's loader it completes at once; sourced it says what it is for. */
    fprintf(out,
            "if [ \"${funcstack[1]}\" = _%s ]; then\n    _%s \"$@\"\n"
            "elif [ -n \"${functions[compdef]}\" ]; then\n    compdef _%s %s\n"
            "else\n    echo '%s --completion zsh: run compinit first' >&2\nfi\n",
            program, program, program, program, program);
}
