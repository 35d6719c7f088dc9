/* A table of commands as a manual page and as completion for shells. */
#ifndef VLG_IR_BASE_COMMAND_MAN_H
#define VLG_IR_BASE_COMMAND_MAN_H

#include "ir/base/command_line.h"

/* Manual pages in roff: of the program, whose `own` options are those without a command,
 * and of one command, "vlc-compile". */
void man_print_program(const CommandTable *table, const Command *own, FILE *out);
void man_print_command(const CommandTable *table, const Command *command, FILE *out);

/* Scripts to be sourced by bash and to be found by zsh on its fpath. */
void completion_print_bash(const CommandTable *table, const Command *own, FILE *out);
void completion_print_zsh(const CommandTable *table, const Command *own, FILE *out);

#endif
