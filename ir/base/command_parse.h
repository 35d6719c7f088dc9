/* How one command's words become the struct of its arguments. */
#ifndef VLG_IR_BASE_COMMAND_PARSE_H
#define VLG_IR_BASE_COMMAND_PARSE_H

#include "ir/base/arena.h"
#include "ir/base/command_line.h"

/* Reads the words after the command's name. NULL after a message about what is wrong;
 * `caller` is what messages begin with, "vlc compile". What is returned and all it holds
 * live as long as the arena, but for texts, which are those of `words`. */
void *command_parse(const Command *command, const char *caller, uint32_t count,
                    char **words, Arena *arena);

/* Whether --help or -h is among the words, before any --. */
bool command_wants_help(uint32_t count, char **words);

/* "; did you mean 'x'?", or "; 'vlc --help' lists them". */
void print_near_miss(const char *name, const char *const *known, size_t count,
                     const char *caller);

#endif
