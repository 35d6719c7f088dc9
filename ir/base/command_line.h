/* Command lines. A program is a table of commands and a command a table of options, all
 * static and const: parsing, --help, man pages and shell completion come from them.
 *
 *     typedef struct ShowArguments { const char *plan; int64_t rows; } ShowArguments;
 *
 *     static const Option options[] = {
 *         OPTION(count, "--rows", offsetof(ShowArguments, rows), "N", "of the table",
 *                .preset = "40"),
 *     };
 *     const Command show_command = {.name = "show", ..., COMMAND_OPTIONS(options),
 *                                   COMMAND_ARGUMENTS(ShowArguments), .run = show};
 *
 * A program takes `--option value`, `--option=value`, `-o value`, operands between them,
 * and `--` before operands that begin with a dash. What is given twice counts as given
 * last, but for lists. */
#ifndef VLG_IR_BASE_COMMAND_LINE_H
#define VLG_IR_BASE_COMMAND_LINE_H

#include <stddef.h>

#include "ir/base/diag.h"
#include "ir/base/interrupt.h"

/* EXIT_CODE(name, number, meaning); and 128 and the number of a signal: interrupted, by
 * interrupt_exit_code. */
#define EXIT_CODES                                                                       \
    EXIT_CODE(done, 0, "done")                                                           \
    EXIT_CODE(input, 1, "input at fault, or output that cannot be written")              \
    EXIT_CODE(usage, 2, "usage")                                                         \
    EXIT_CODE(numbers, 3, "a number that is not finite, or not as expected")

typedef enum ExitCode {
#define EXIT_CODE(name, number, meaning) EXIT_CODE_##name = (number),
    EXIT_CODES
#undef EXIT_CODE
} ExitCode;

/* What an option's field is, and how it is when the option is not given and has no
 * preset. Texts are those of argv. */
typedef enum OptionKind {
    OPTION_flag,   /* bool; false */
    OPTION_text,   /* const char *; NULL */
    OPTION_path,   /* const char *, never ""; NULL */
    OPTION_count,  /* int64_t from `least` to `most`; COUNT_NOT_GIVEN */
    OPTION_number, /* double, finite and above 0; 0 */
    OPTION_list,   /* TextList, of all times that it is given; empty */
    OPTION_choice, /* int or an enum: which of `choices`; a preset is needed */
    OPTION_name,   /* const char *, one of `choices`; NULL */
    OPTION_names,  /* const char *, any of `choices` with commas between; NULL */
} OptionKind;

enum { COUNT_NOT_GIVEN = -1 };

typedef struct TextList {
    const char **items;
    uint32_t count;
} TextList;

typedef struct Option {
    OptionKind kind;
    const char *name;  /* with its dashes */
    size_t field;      /* offset in the struct of the command's arguments */
    const char *value; /* what help calls the value; NULL for a flag. DIR says that a path
                        * is that of a directory */
    const char *help;
    const char *preset; /* what counts if it is not given, as one would write it */
    const char *const *choices; /* NULL at their end */
    int64_t least, most;        /* of a count; `most` 0: no bound */
    char letter;                /* 'o': may be written -o; 0: none */
    const char *group;          /* a heading of help that begins with it; NULL: goes on */
} Option;

/* OPTION(kind, name, field, value, help, .other = ...) */
#define OPTION(kind_, ...) {.kind = OPTION_##kind_, __VA_ARGS__}

/* What every command that computes has; `field` for a name (processor_check). */
#define OPTION_PROCESSOR(field)                                                          \
    OPTION(text, "--processor", field, "NAME",                                           \
           "compute as on x86-64-v2 to -v4, haswell, skylake-avx512, cooperlake, "       \
           "sapphirerapids, znver4; native: all")

/* What every command has that compiles kernels; `field` for a directory's name. */
#define OPTION_DUMP_KERNELS(field)                                                       \
    OPTION(path, "--dump-kernels", field, "DIR",                                         \
           "write every kernel's nodes, LLVM IR and assembly there")

/* What every command has whose numbers mean nothing over parameters that nobody gave. */
#define OPTION_RANDOM_WEIGHTS(field)                                                     \
    OPTION(flag, "--random-weights", field, NULL,                                        \
           "go on where no file gives a parameter its values")

#define ANY_NUMBER UINT32_MAX

typedef struct Command {
    const char *name;
    const char *operands; /* as help shows them: "FILE..."; "" if there are none */
    uint32_t least_operands, most_operands; /* or ANY_NUMBER */
    size_t operand_field; /* `most_operands` const char *, NULL behind those given; or a
                           * TextList of any number */
    const char *help;     /* in half a line */
    const char *details;  /* in sentences, for the command's own help; NULL: none */
    const Option *options;
    uint32_t option_count;
    size_t argument_bytes;
    /* Exit code. `arguments` is the command's struct, read from the command line. */
    int (*run)(const void *arguments);
} Command;

#define COMMAND_OPTIONS(table)                                                           \
    .options = (table), .option_count = sizeof(table) / sizeof *(table)
#define COMMAND_ARGUMENTS(type) .argument_bytes = sizeof(type)

typedef struct CommandTable {
    const char *program, *version;
    const char *commit;       /* "" if unknown */
    void (*about)(FILE *out); /* what --version says besides; NULL: nothing */
    const char *purpose;      /* half a line, as of a command */
    const char *operands;     /* of most commands */
    const Command *const *commands;
    uint32_t count;
} CommandTable;

/* Runs the command that argv names, or prints help, the version, a man page or completion
 * if that is asked for. Returns the exit code; wrong usage is said on stderr. */
int command_line_run(const CommandTable *table, int argc, char **argv);
/* The same for a program that is one command, of the same name. */
int command_line_run_only(const Command *command, int argc, char **argv);

/* How a command ends that went well, or after what is in `diags`. */
ExitCode exit_code(bool ok, const Diags *diags);
/* How the process ends after a command that may have been interrupted: if it was, and
 * nothing else went wrong, that is what it says. */
int exit_code_after(const Interrupt *interrupt, ExitCode code, const Diags *diags);

#endif
