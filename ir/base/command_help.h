/* What a table of commands says of itself, for people. */
#ifndef VLG_IR_BASE_COMMAND_HELP_H
#define VLG_IR_BASE_COMMAND_HELP_H

#include "ir/base/command_line.h"

/* The row of --help, which every program and command has. */
extern const Option help_option;

void help_print_program(const CommandTable *table, const Command *own, FILE *out);
/* `caller` is how it is called: "vlc compile". */
void help_print_command(const Command *command, const char *caller, FILE *out);

/* What an option means, its choices and its preset: "how to print: text or dot; default
 * text". Malloc'ed. */
char *option_meaning(const Option *option);

#endif
