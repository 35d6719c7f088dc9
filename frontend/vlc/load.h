/* The modules that commands work on, and the options of all that read a model. */
#ifndef VLG_FRONTEND_VLC_LOAD_H
#define VLG_FRONTEND_VLC_LOAD_H

#include "ir/base/command_line.h"
#include "ir/graph.h"
#include "passes/choices.h"

/* `field`: the offset of a TextList, of an int64_t. */
#define OPTION_SET(field)                                                                \
    OPTION(list, "--set", field, "NAME=VALUE",                                           \
           "override a constant; size=NAME and tasks=\"A B\" choose")
#define OPTION_MEMORY_BUDGET(field)                                                      \
    OPTION(count, "--memory-budget", field, "BYTES",                                     \
           "most saved values of a lane; 0: no limit", .preset = "0")

#define OPTION_MATMUL_PRECISION(field)                                                   \
    OPTION(name, "--matmul-precision", field, "NAME",                                    \
           "highest, high or medium, for products that no element or pattern decides; "  \
           "else as the recipe says",                                                    \
           .choices = precision_choices)

#define OPTION_FROZEN(field)                                                             \
    OPTION(name, "--frozen", field, "NAME",                                              \
           "what frozen weights are to products that no element or pattern decides: "    \
           "f32, or int8, integers of 8 bits; else as the recipe says",                  \
           .choices = frozen_choices)

/* Names of passes, for options that choose among them; NULL at the end. */
extern const char *const pass_choices[];
extern const char *const pass_or_all_choices[];
extern const char *const pass_or_lower_choices[];

/* Whether `option` means something, which pass `precision` reads: nothing is given, or
 * the file is not compiled already, which is an error. */
NODISCARD bool precision_can_be_set(const char *file, const char *option,
                                    const char *given, bool lowered, Diags *diags);
bool is_model_file(const char *file); /* by its name, or by a model's alone */
/* As that, or there is no such file; else `otherwise` is an error. */
NODISCARD bool is_recipe_file(const char *file, const char *otherwise, Diags *diags);
/* The module of a .vg file, lowered; or of a plan or .vir file, as it is. NULL after an
 * error. *out_lowered says which. */
Module *load_module(const char *file, const TextList *sets, Diags *diags,
                    bool *out_lowered);
/* As that; but if `out_library` is not NULL, a library is no error: NULL, and it is set.
 */
Module *load_model_or_library(const char *file, const TextList *sets, Diags *diags,
                              bool *out_lowered, bool *out_library);

#endif
