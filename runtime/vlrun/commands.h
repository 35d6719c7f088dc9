/* The rows of vlrun's commands. */
#ifndef VLG_RUNTIME_VLRUN_COMMANDS_H
#define VLG_RUNTIME_VLRUN_COMMANDS_H

#include "ir/base/command_line.h"
#include "runtime/exec/blas.h"

/* Who makes matrix products. */
#define OPTION_GEMM(field)                                                               \
    OPTION(name, "--gemm", field, "WHO",                                                 \
           "matrix products by jit, code of our own, or openblas, to compare with",      \
           .choices = gemm_makers)

#define COMMAND(name) extern const Command command_##name;
#include "runtime/vlrun/commands.def"

#endif
