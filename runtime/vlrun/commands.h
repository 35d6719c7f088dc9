/* The commands of vlrun: int cmd_<name>(int argc, char **argv), argv[0] being the name. */
#ifndef VLG_RUNTIME_VLRUN_COMMANDS_H
#define VLG_RUNTIME_VLRUN_COMMANDS_H

typedef int CommandFn(int argc, char **argv);

#define COMMAND(name, help) CommandFn cmd_##name;
#include "runtime/vlrun/commands.def"

#endif
