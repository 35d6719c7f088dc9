/* Completion for shells. Each script knows the commands, the options of each, and of each
 * option whether a choice, a path or anything follows. Help says what operands and paths
 * are, in words that are looked for here: RUN, plan.bin, FILE.vg. */
#include <stdlib.h>
#include <string.h>

#include "ir/base/command_help.h"
#include "ir/base/command_man.h"

static bool is_directory(const Option *option)
{
    return option->kind == OPTION_path && strcmp(option->value, "DIR") == 0;
}

/* What a shell can offer for a word. */
typedef enum Offer {
    OFFER_files = 1,
    OFFER_runs = 2,   /* runs/NAME that hold one, and directories */
    OFFER_plans = 4,  /* files that end as plans do, and directories */
    OFFER_models = 8, /* names that the program lists, .vg files and directories */
    OFFER_tasks = 16, /* of the run that is named in the line */
} Offer;

static const char *const offer_names[] = {"files", "runs", "plans", "models", "tasks"};
enum { OFFERS = sizeof offer_names / sizeof *offer_names };

static unsigned offers_of_operands(const char *operands)
{
    unsigned offers = (strstr(operands, "RUN") ? (unsigned)OFFER_runs : 0) |
                      (strstr(operands, "plan.bin") ? (unsigned)OFFER_plans : 0) |
                      (strstr(operands, "FILE.vg") ? (unsigned)OFFER_models : 0);
    if (strncmp(operands, "FILE", 4) == 0 && operands[4] != '.' && !offers)
        offers = OFFER_models | OFFER_files;
    return offers ? offers : (unsigned)OFFER_files;
}

/* 0 where anything may follow. */
static unsigned offers_of_option(const Option *option)
{
    if (strcmp(option->name, "--task") == 0)
        return OFFER_tasks;
    if (option->kind != OPTION_path || is_directory(option))
        return 0;
    return OFFER_files | (strcmp(option->value, "RUN") == 0 ? OFFER_runs : 0);
}

/* With a blank before each. */
static void print_offers(unsigned offers, FILE *out)
{
    for (unsigned i = 0; i < OFFERS; i++)
        if (offers & 1U << i)
            fprintf(out, " %s", offer_names[i]);
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
static void print_bash_value(const char *program, const Command *command,
                             const Option *option, FILE *out)
{
    unsigned offers = offers_of_option(option);
    fprintf(out, "    '%s %s'", command->name ? command->name : "", option->name);
    if (option->letter)
        fprintf(out, " | '%s -%c'", command->name ? command->name : "", option->letter);
    fputs(") ", out);
    if (option->choices) {
        fputs("mapfile -t COMPREPLY < <(compgen -W '", out);
        for (int i = 0; option->choices[i]; i++)
            fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
        fputs("' -- \"$word\")", out);
    } else if (is_directory(option)) {
        fputs("compopt -o filenames 2>/dev/null\n"
              "        mapfile -t COMPREPLY < <(compgen -d -- \"$word\")",
              out);
    } else if (offers) {
        fprintf(out, "_%s_offer", program);
        print_offers(offers, out);
    } else {
        fputs(":", out);
    }
    fputs(" ; return ;;\n", out);
}

static void print_bash_values(const char *program, const Command *command, FILE *out)
{
    for (uint32_t i = 0; i < command->option_count; i++)
        if (command->options[i].kind != OPTION_flag)
            print_bash_value(program, command, &command->options[i], out);
}

static void print_command_names(const CommandTable *table, FILE *out)
{
    for (uint32_t i = 0; i < table->count; i++)
        fprintf(out, "%s%s", i ? " " : "", table->commands[i]->name);
}

/* Of kinds of words; reads `word` of its caller. */
static const char bash_offer[] =
    "_%s_offer()\n{\n"
    "    local kind run\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(for kind in \"$@\"; do case $kind in\n"
    "        files) compgen -f -- \"$word\" ;;\n"
    "        runs) compgen -W \"$(compgen -G 'runs/*/run.json' | sed 's|/run.json$||')\" "
    "-- \"$word\"\n"
    "            compgen -d -- \"$word\" ;;\n"
    "        plans) compgen -f -X '!*.bin' -- \"$word\"\n"
    "            compgen -f -X '!*.vir' -- \"$word\"\n"
    "            compgen -d -- \"$word\" ;;\n"
    "        models) compgen -W \"$(\"${COMP_WORDS[0]}\" models 2>/dev/null | "
    "cut -d' ' -f1)\" -- \"$word\"\n"
    "            compgen -f -X '!*.vg' -- \"$word\"\n"
    "            compgen -d -- \"$word\" ;;\n"
    "        tasks) for run in \"${COMP_WORDS[@]}\"; do\n"
    "                [[ -f $run/metrics.jsonl ]] &&\n"
    "                    compgen -W \"$(grep -o '\"task\": *\"[^\"]*' "
    "\"$run/metrics.jsonl\" | sed 's/.*\"//')\" -- \"$word\"\n"
    "            done ;;\n"
    "        esac; done | sort -u)\n}\n";

void completion_print_bash(const CommandTable *table, const Command *own, FILE *out)
{
    const char *program = table->program;
    fprintf(out, "# Completion of %s for bash, as '%s --completion bash' prints it.\n",
            program, program);
    fprintf(out, bash_offer, program);
    fprintf(out, "_%s()\n{\n", program);
    /* bash takes the '=' of --option=value for a word of its own. */
    fputs("    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command='' options offers=''\n"
          "    COMPREPLY=()\n"
          "    if [[ $word == = ]]; then word=''\n"
          "    elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
          "    [[ $COMP_CWORD -eq 1 || ${COMP_WORDS[1]} == -* ]] || "
          "command=${COMP_WORDS[1]}\n"
          "    case \"$command $before\" in\n",
          out);
    print_bash_values(program, own, out);
    for (uint32_t i = 0; i < table->count; i++)
        print_bash_values(program, table->commands[i], out);
    fputs("    esac\n    case $command in\n    '') options='", out);
    print_option_names(own, out);
    fputs("' ;;\n", out);
    for (uint32_t i = 0; i < table->count; i++) {
        fprintf(out, "    %s) options='", table->commands[i]->name);
        print_option_names(table->commands[i], out);
        fputs("' offers='", out);
        print_offers(offers_of_operands(table->commands[i]->operands), out);
        fputs("' ;;\n", out);
    }
    fputs("    *) return ;;\n    esac\n"
          "    if [[ $word == -* ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
          "    elif [[ -z $command ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W '",
          out);
    print_command_names(table, out);
    fprintf(out, "' -- \"$word\")\n    else\n        _%s_offer $offers\n    fi\n}\n",
            program);
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

static void print_zsh_value(const char *program, const Option *option, FILE *out)
{
    unsigned offers = offers_of_option(option);
    fputc(':', out);
    print_zsh_text(option->value, out);
    fputc(':', out);
    if (option->choices) {
        fputc('(', out);
        for (int i = 0; option->choices[i]; i++)
            fprintf(out, "%s%s", i ? " " : "", option->choices[i]);
        fputc(')', out);
    } else if (is_directory(option)) {
        fputs("_files -/", out);
    } else if (offers) {
        fprintf(out, "_%s_offer", program);
        print_offers(offers, out);
    }
}

/* `name` is the option as it is written, with what _arguments wants to know after it. */
static void print_zsh_spec(const char *program, const Option *option, const char *name,
                           FILE *out)
{
    char *meaning = option_meaning(option);
    fprintf(out, " \\\n        '%s%s[", option->kind == OPTION_list ? "*" : "", name);
    print_zsh_text(meaning, out);
    fputc(']', out);
    if (option->value)
        print_zsh_value(program, option, out);
    fputc('\'', out);
    free(meaning);
}

static void print_zsh_option(const char *program, const Option *option, FILE *out)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", option->name, option->value ? "=" : "");
    print_zsh_spec(program, option, name, out);
    if (!option->letter)
        return;
    snprintf(name, sizeof name, "-%c%s", option->letter, option->value ? "+" : "");
    print_zsh_spec(program, option, name, out);
}

static void print_zsh_options(const char *program, const Command *command, FILE *out)
{
    for (uint32_t i = 0; i < command->option_count; i++)
        print_zsh_option(program, &command->options[i], out);
    print_zsh_option(program, &help_option, out);
}

/* Of kinds of words. */
static const char zsh_offer[] =
    "_%s_offer() {\nlocal kind run found=1\nlocal -a names\n"
    "for kind in \"$@\"; do case $kind in\n"
    "files) _files && found=0 ;;\n"
    "runs) names=(runs/*/run.json(N:h)); compadd -f -a names && found=0\n"
    "    _files -/ && found=0 ;;\n"
    "plans) _files -g '*.(bin|vir)' && found=0 ;;\n"
    "models) names=(${${(f)\"$(%s models 2>/dev/null)\"}%%%% *}); compadd -a names && "
    "found=0\n"
    "    _files -g '*.vg' && found=0 ;;\n"
    "tasks) for run in $words; do\n"
    "        [[ -f $run/metrics.jsonl ]] || continue\n"
    "        names=(${(u)${(f)\"$(grep -o '\"task\": *\"[^\"]*' $run/metrics.jsonl)\"}"
    "##*\\\"}); compadd -a names && found=0\n"
    "    done ;;\n"
    "esac; done\nreturn found\n}\n";

void completion_print_zsh(const CommandTable *table, const Command *own, FILE *out)
{
    const char *program = table->program;
    fprintf(out, "#compdef %s\n# As '%s --completion zsh' prints it.\n", program,
            program);
    fprintf(out, zsh_offer, program, program);
    fprintf(out, "_%s() {\n", program);
    fputs("local -a names\nlocal state line code=1\nnames=(\n", out);
    for (uint32_t i = 0; i < table->count; i++) {
        fprintf(out, "    '%s:", table->commands[i]->name);
        print_zsh_text(table->commands[i]->help, out);
        fputs("'\n", out);
    }
    fputs(")\n_arguments -C", out);
    print_zsh_options(program, own, out);
    fputs(" \\\n        '1:command:->command' '*::argument:->argument' && code=0\n"
          "case $state in\n"
          "command) _describe command names && code=0 ;;\n"
          "argument)\n"
          "    case $words[1] in\n",
          out);
    for (uint32_t i = 0; i < table->count; i++) {
        fprintf(out, "    %s) _arguments", table->commands[i]->name);
        print_zsh_options(program, table->commands[i], out);
        if (table->commands[i]->most_operands) {
            fprintf(out, " \\\n        '*:operand:_%s_offer", program);
            print_offers(offers_of_operands(table->commands[i]->operands), out);
            fputc('\'', out);
        }
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
