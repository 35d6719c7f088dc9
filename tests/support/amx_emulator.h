/* Runs AMX's instructions for tiles (amx_ops.def) on a processor that has none, in the
 * program that contains them: the processor raises SIGILL at each, and the handler does
 * what it says. For programs that are not linked with this there is the library
 * amx_preload (LD_PRELOAD), which also grants the permission to use tiles. */
#ifndef VLG_TESTS_SUPPORT_AMX_EMULATOR_H
#define VLG_TESTS_SUPPORT_AMX_EMULATOR_H

#include <stdbool.h>

/* For all threads, each with tiles of its own; a second call does nothing. What is not of
 * AMX goes to the handler that was there before. What the processor would refuse ends the
 * program by SIGABRT, with the instruction and the reason on stderr.
 *
 * On a processor with AMX the handler is not called once the process has asked Linux for
 * tiles; until then, Linux raises SIGILL too. */
void amx_emulator_install(void);
bool amx_can_be_emulated(void); /* AVX2 and FMA are there */

#endif
