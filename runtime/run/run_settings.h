/* What of a plan can be set when a run begins: the settings (ir/settings.def) that no
 * graph depends on, and how many sequences a step of each task has. A plan with other
 * settings is another plan: whoever has set them finds them in its text, in its
 * fingerprint, and in the copy of it that the run keeps. */
#ifndef VLG_RUNTIME_RUN_RUN_SETTINGS_H
#define VLG_RUNTIME_RUN_RUN_SETTINGS_H

#include <stdio.h>

#include "ir/base/command_line.h"
#include "ir/graph.h"

/* Each of `sets` is NAME=VALUE, or TASK.sequences=VALUE. `sequences` alone changes all
 * tasks' by one factor, to the nearest whole number and at least 1; `epochs` counts in
 * place of the plan's steps. False and errors, with near misses, if a name is none that
 * can be set, or a value none that it can have. */
NODISCARD bool run_settings_apply(Module *module, const TextList *sets, Diags *diags);

/* Whether one of them sets `name`. */
bool run_settings_has(const TextList *sets, const char *name);

/* As run_settings_apply, for a run that was begun with what `module` says: errors name
 * what differs. */
NODISCARD bool run_settings_hold(Module *module, const TextList *sets, Diags *diags);

/* A table of all that can be set, with values and bounds. */
void run_settings_print(const Module *module, FILE *out);

#endif
