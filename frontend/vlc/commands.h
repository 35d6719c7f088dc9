/* The rows of vlc's commands. */
#ifndef VLG_FRONTEND_VLC_COMMANDS_H
#define VLG_FRONTEND_VLC_COMMANDS_H

#include "ir/base/command_line.h"

#define COMMAND(name) extern const Command command_##name;
#include "frontend/vlc/commands.def"

#endif
