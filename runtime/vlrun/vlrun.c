/* vlrun: runs plans. Each command is in a file of its own, runtime/cmd_<name>.c. */
#include <string.h>

#include "codegen/out_of_memory.h"
#include "ir/base/command_line.h"
#include "ir/base/standard.h"
#include "runtime/data/features/hdf5_read.h"
#include "runtime/media/picture_stream.h"
#include "runtime/vlrun/commands.h"

typedef struct Command {
    const char *name, *help;
    CommandFn *run;
} Command;

static const Command commands[] = {
#define COMMAND(name, help) {#name, help, cmd_##name},
#include "runtime/vlrun/commands.def"
};

enum { COMMANDS = sizeof commands / sizeof *commands, NAME_MAX_BYTES = 24 };

/* As users write it. */
static const char *spell(const char *name, char out[NAME_MAX_BYTES])
{
    snprintf(out, NAME_MAX_BYTES, "%s", name);
    for (char *at = out; (at = strchr(at, '_'));)
        *at = '-';
    return out;
}

static void print_help(FILE *out)
{
    fprintf(out, "usage: vlrun <command> [options] plan.bin | RUN\n\n");
    for (uint32_t i = 0; i < COMMANDS; i++) {
        char name[NAME_MAX_BYTES];
        fprintf(out, "  %-9s %s\n", spell(commands[i].name, name), commands[i].help);
    }
    fprintf(out,
            "\nvlrun <command> --help tells more. Exit codes: 0 done, 1 input at fault,\n"
            "2 usage, 3 a number that is not finite, 130 interrupted.\n");
}

/* What reads files from outside, in processes of its own. */
static const IsolateHandler *const readers[] = {&hdf5_handler, &picture_handler};

static int run(int argc, char **argv)
{
    out_of_memory_install();
    if (argc < 2) {
        print_help(stderr);
        return EXIT_CODE_usage;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return EXIT_CODE_done;
    }
    char spelled[COMMANDS][NAME_MAX_BYTES];
    const char *names[COMMANDS];
    for (uint32_t i = 0; i < COMMANDS; i++) {
        names[i] = spell(commands[i].name, spelled[i]);
        if (strcmp(argv[1], names[i]) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    const char *near = nearest_name(argv[1], names, COMMANDS);
    if (near)
        fprintf(stderr, "vlrun: no command '%s'; did you mean '%s'?\n", argv[1], near);
    else
        fprintf(stderr, "vlrun: no command '%s'; see vlrun --help\n", argv[1]);
    return EXIT_CODE_usage;
}

int main(int argc, char **argv)
{
    isolate_serve(argc, argv, readers, sizeof readers / sizeof *readers);
    standard_begin();
    return standard_end("vlrun", run(argc, argv));
}
