/* The rows of vlrun's commands. */
#ifndef VLG_RUNTIME_VLRUN_COMMANDS_H
#define VLG_RUNTIME_VLRUN_COMMANDS_H

#include "ir/base/command_line.h"

#define COMMAND(name) extern const Command command_##name;
#include "runtime/vlrun/commands.def"

#endif
