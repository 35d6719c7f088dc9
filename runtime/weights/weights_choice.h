/* Which parameters a choice leaves out. */
#ifndef VLG_RUNTIME_WEIGHTS_WEIGHTS_CHOICE_H
#define VLG_RUNTIME_WEIGHTS_WEIGHTS_CHOICE_H

#include "runtime/weights/weights.h"

/* Whether a pattern of the choice is one of the parameter's name or of an alias. */
bool weights_is_skipped(const WeightsChoice *choice, const Param *param);

#endif
