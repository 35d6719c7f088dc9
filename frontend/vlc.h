/* The commands of vlc, and how they read their command line. */
#ifndef VLG_FRONTEND_VLC_H
#define VLG_FRONTEND_VLC_H

#include "ir/graph.h"

/* Every option of any command: OPTION(name, argument, meaning); no argument: a flag. */
#define VLC_OPTIONS                                                                      \
    OPTION(output, "FILE", "the plan; default plan.bin")                                 \
    OPTION(set, "NAME=VALUE", "override a constant; size=NAME and tasks=\"A B\" choose") \
    OPTION(dump_after, "PASS", "print the module as text after a pass, or after all")    \
    OPTION(stats, NULL, "per pass: seconds, nodes before and after")                     \
    OPTION(skip, "PASS", "leave this pass out, to measure what it does")                 \
    OPTION(memory_budget, "BYTES", "most saved values of a lane; 0: no limit")           \
    OPTION(after, "PASS",                                                                \
           "how far to go: `lower`, or the name of a pass; default: the end")            \
    OPTION(task, "NAME", "only graphs of this task")                                     \
    OPTION(graph, "NAME", "only this graph, such as TASK.train")                         \
    OPTION(format, "FORMAT", "dump: text or dot; params: text, tsv or json")             \
    OPTION(passes, "A,B,C", "passes to run, in this order")                              \
    OPTION(pass, "PASS", "only this pass's section of the report, in full detail")       \
    OPTION(elements, NULL, "the elements of the language instead")                       \
    OPTION(settings, NULL, "the settings of a run instead")

typedef enum OptionKind {
#define OPTION(name, argument, meaning) OPTION_##name,
    VLC_OPTIONS
#undef OPTION
        OPTION_COUNT
} OptionKind;

typedef struct Arguments {
    const char *file;                 /* NULL if the command takes none */
    const char *values[OPTION_COUNT]; /* NULL: not given; a flag is "" */
    const char **sets;
    uint32_t set_count;
} Arguments;

enum { EXIT_DONE = 0, EXIT_INPUT = 1, EXIT_USAGE = 2 };

typedef int Command(const Arguments *arguments, Diags *diags);

Command command_compile, command_check, command_opt, command_explain; /* vlc_run.c */
Command command_dump;                                                 /* vlc_dump.c */
Command command_params;                                               /* vlc_params.c */
Command command_ops, command_passes, command_schema;                  /* vlc_tables.c */

/* vlc_run.c: whether a pass of this name exists, and the --memory-budget, 0 if not given;
 * false after a message about the command line. */
bool is_pass(const char *name, const char *option);
bool read_budget(const Arguments *arguments, int64_t *out);

/* The module of a .vg file, lowered; or of a plan or .vir file, as it is. NULL after an
 * error. *out_lowered says which. */
Module *load_module(const Arguments *arguments, Diags *diags, bool *out_lowered);

#endif
