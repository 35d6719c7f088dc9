/* Names that options of passes take, NULL at their ends. */
#ifndef VLG_PASSES_CHOICES_H
#define VLG_PASSES_CHOICES_H

#include "ir/base/diag.h"

extern const char *const precision_choices[]; /* PassOptions.matmul_precision */
extern const char *const frozen_choices[];    /* PassOptions.frozen */

/* Whether `given` is NULL or one of them; an error that says what was expected if not. */
NODISCARD bool choice_check(const char *what, const char *given,
                            const char *const *choices, Diags *diags);

#endif
