/* vlc: the compiler. Results go to standard output, messages to standard error. */
#include "frontend/vlc/commands.h"
#include "ir/base/standard.h"
#include "ir/version/version.h"

static const Command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "frontend/vlc/commands.def"
};

static const CommandTable vlc = {.program = "vlc",
                                 .version = version_number,
                                 .commit = version_commit,
                                 .purpose = "compile vision-language models",
                                 .operands = "FILE",
                                 .commands = commands,
                                 .count = sizeof commands / sizeof *commands};

int main(int argc, char **argv)
{
    standard_begin();
    return standard_end("vlc", command_line_run(&vlc, argc, argv));
}
