/* Command lines read by a table of options; exit codes. */
#ifndef VLG_IR_BASE_COMMAND_LINE_H
#define VLG_IR_BASE_COMMAND_LINE_H

#include "ir/base/diag.h"
#include "ir/base/interrupt.h"

typedef enum ExitCode {
    EXIT_CODE_done = 0,
    EXIT_CODE_input = 1, /* a file, a plan or data at fault */
    EXIT_CODE_usage = 2,
    EXIT_CODE_numbers = 3, /* a number that is not finite */
    /* 128 and the number of a signal: interrupted, by interrupt_exit_code */
} ExitCode;

typedef enum OptionKind { OPTION_flag, OPTION_text, OPTION_count } OptionKind;

typedef struct Option {
    const char *name; /* with its dashes */
    OptionKind kind;
    void *out;         /* bool *, const char **, or int64_t *: a count is 0 or more */
    const char *value; /* what the help calls the value; NULL for a flag */
    const char *help;
} Option;

/* What every command that computes has; `variable` for a name (processor_check). */
#define OPTION_PROCESSOR(variable)                                                       \
    {"--processor", OPTION_text, &(variable), "NAME",                                    \
     "compute as on x86-64-v2, -v3 or -v4; native: all there is"}

/* What every command has that compiles kernels; `variable` for a directory's name. */
#define OPTION_DUMP_KERNELS(variable)                                                    \
    {"--dump-kernels", OPTION_text, &(variable), "DIR",                                  \
     "write every kernel's nodes, LLVM IR and assembly there"}

/* What every command has whose numbers mean nothing over parameters that nobody gave. */
#define OPTION_RANDOM_WEIGHTS(variable)                                                  \
    {"--random-weights", OPTION_flag, &(variable), NULL,                                 \
     "go on where no file gives a parameter its values"}

typedef struct Usage {
    const char *command;
    const char *operands; /* as the help shows them: "PLAN" */
    const char *help;
    const Option *options;
    uint32_t option_count;
    uint32_t operand_count; /* exactly so many */
} Usage;

/* Reads the command line of a command into the options' variables and `operands`. False
 * if the command must end with *out_code: help was asked for, or the usage is wrong (then
 * said so). */
NODISCARD bool options_parse(const Usage *usage, int argc, char **argv,
                             const char **operands, int *out_code);

/* How a command ends that went well, or after what is in `diags`. */
ExitCode exit_code(bool ok, const Diags *diags);
/* How the process ends after a command that may have been interrupted: if it was, and
 * nothing else went wrong, that is what it says. */
int exit_code_after(const Interrupt *interrupt, ExitCode code, const Diags *diags);

#endif
