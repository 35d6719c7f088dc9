/* Programs of ours started as processes, beside each other. */
#ifndef VLG_RUNTIME_SWEEP_CHILD_H
#define VLG_RUNTIME_SWEEP_CHILD_H

#include <sys/types.h>

#include "ir/base/diag.h"

/* Where vlc and vlrun are: this program, and vlc beside it, as they are installed, or
 * where a build has it. malloc'ed; NULL and an error if it is in neither place. */
char *program_vlrun(Diags *diags);
char *program_vlc(const char *vlrun, Diags *diags);

/* Starts a program with what it prints in the file `log`, which is replaced. It has no
 * input and a process group of its own, so that an interrupt at the terminal reaches it
 * through us alone, and is asked to end when this process ends, however that ends. -1 and
 * an error if it cannot be started. `words` ends with NULL; the first is the program. */
NODISCARD pid_t child_start(const char *const *words, const char *log, Diags *diags);
/* Whether it has ended, and how: its exit code, or 128 and the number of a signal. */
bool child_has_ended(pid_t child, int *out_code);

#endif
