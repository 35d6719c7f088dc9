/* vlrun: runs plans. Each command is in a file of its own, cmd_<name>.c. */
#include "codegen/out_of_memory.h"
#include "ir/base/command_line.h"
#include "ir/base/standard.h"
#include "ir/version/version.h"
#include "runtime/data/features/hdf5_read.h"
#include "runtime/media/picture_stream.h"
#include "runtime/vlrun/about.h"
#include "runtime/vlrun/commands.h"

static const Command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "runtime/vlrun/commands.def"
};

static const CommandTable vlrun = {.program = "vlrun",
                                   .version = version_number,
                                   .commit = version_commit,
                                   .about = about_print,
                                   .purpose = "train and run vision-language models",
                                   .operands = "plan.bin | RUN",
                                   .commands = commands,
                                   .count = sizeof commands / sizeof *commands};

/* What reads files from outside, in processes of its own. */
static const IsolateHandler *const readers[] = {&hdf5_handler, &picture_handler};

int main(int argc, char **argv)
{
    isolate_serve(argc, argv, readers, sizeof readers / sizeof *readers);
    standard_begin();
    out_of_memory_install();
    return standard_end("vlrun", command_line_run(&vlrun, argc, argv));
}
