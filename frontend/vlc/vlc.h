/* The commands of vlc, and how they read their command line. */
#ifndef VLG_FRONTEND_VLC_VLC_H
#define VLG_FRONTEND_VLC_VLC_H

#include "ir/graph.h"

/* Every option of any command: OPTION(name, argument, meaning); no argument: a flag. */
#define VLC_OPTIONS                                                                      \
    OPTION(output, "FILE", "the plan; default plan.bin")                                 \
    OPTION(set, "NAME=VALUE", "override a constant; size=NAME and tasks=\"A B\" choose") \
    OPTION(dump_after, "PASS", "print the module as text after a pass, or after all")    \
    OPTION(stats, NULL, "per pass: seconds, nodes before and after")                     \
    OPTION(skip, "A,B", "leave these passes out, to measure what they do")               \
    OPTION(memory_budget, "BYTES", "most saved values of a lane; 0: no limit")           \
    OPTION(after, "PASS",                                                                \
           "how far to go: `lower`, or the name of a pass; default: the end")            \
    OPTION(task, "NAME", "only graphs of this task")                                     \
    OPTION(graph, "NAME", "only this graph, such as TASK.train")                         \
    OPTION(format, "FORMAT", "dump: text or dot; others: text, tsv or json")             \
    OPTION(passes, "A,B,C", "passes to run, in this order")                              \
    OPTION(pass, "PASS", "only this pass's section of the report, in full detail")       \
    OPTION(summary, NULL, "a line for each model, and any number of them")               \
    OPTION(                                                                              \
        lengths, "A=N,..",                                                               \
        "rows of a sequence on primary axes, such as text=20,dec=5; else the longest")   \
    OPTION(sequences, "N", "sequences of a step; else as the model says")                \
    OPTION(gflops, "X", "rate of a core, in 1e9 operations a second; 93")                \
    OPTION(bandwidth, "X", "of memory, in 1e9 bytes a second for a core; 9.3")           \
    OPTION(elements, NULL, "the elements of the language instead")                       \
    OPTION(settings, NULL, "the settings of a run instead")

typedef enum OptionKind {
#define OPTION(name, argument, meaning) OPTION_##name,
    VLC_OPTIONS
#undef OPTION
        OPTION_COUNT
} OptionKind;

typedef struct Arguments {
    const char *file; /* the first; NULL if the command takes none */
    const char **files;
    uint32_t file_count;
    const char *values[OPTION_COUNT]; /* NULL: not given; a flag is "" */
    const char **sets;
    uint32_t set_count;
} Arguments;

enum { EXIT_DONE = 0, EXIT_INPUT = 1, EXIT_USAGE = 2 };

typedef int Command(const Arguments *arguments, Diags *diags);

Command command_compile, command_check, command_opt, command_explain; /* vlc_run.c */
Command command_dump;                                                 /* vlc_dump.c */
Command command_params;                                               /* vlc_params.c */
Command command_compare;                                              /* vlc_compare.c */
Command command_ops, command_passes, command_schema;                  /* vlc_tables.c */

/* vlc_run.c: whether a pass of this name exists or it is `also`, unless that is NULL; and
 * the --memory-budget, 0 if not given. False after a message about the command line. */
bool is_pass(const char *name, const char *option, const char *also);
bool are_passes(const char *list, const char *option); /* "A,B": each is one */
bool read_budget(const Arguments *arguments, int64_t *out);

bool is_model_file(const char *file); /* by its name */
/* The module of a .vg file, lowered; or of a plan or .vir file, as it is. NULL after an
 * error. *out_lowered says which. */
Module *load_module(const char *file, const Arguments *arguments, Diags *diags,
                    bool *out_lowered);
/* As that; but if `out_library` is not NULL, a library is no error: NULL, and it is set.
 */
Module *load_model_or_library(const char *file, const Arguments *arguments, Diags *diags,
                              bool *out_lowered, bool *out_library);

/* vlc_format.c: tables for people (text), scripts (tsv) and programs (json). */
typedef enum Format { FORMAT_text, FORMAT_tsv, FORMAT_json } Format;

bool read_format(const Arguments *arguments, Format *out); /* false after a message */
enum { COUNT_TEXT = 32 };
void count_text(int64_t count, char *out); /* "19,333,632", into COUNT_TEXT bytes */
void print_json_string(const char *text);
double percent(int64_t part, int64_t whole); /* 0 of nothing */

#endif
