/* What a definition becomes: its elements, with the ops that each makes. */
#ifndef VLG_FRONTEND_EXPAND_H
#define VLG_FRONTEND_EXPAND_H

#include "frontend/frontend.h"

/* Prints the body of the block, backbone, task or optimizer `name` as it is done where
 * the model first uses it: its inputs and constants, each element that is done (of a
 * <repeat> in the first turn), and under it the ops it makes with their types, operands
 * by the names they have in the body. Of "model" prints what the recipe comes to, with
 * all that it extends and uses (expand_model.h). False after an error: of the model, or
 * if it has no such definition or does not use it; then nothing is printed. */
NODISCARD bool frontend_expand(const char *path, const FrontendOptions *options,
                               const char *name, FILE *out, Diags *diags);

#endif
