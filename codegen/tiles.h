/* The tiles of AMX, which a process has to ask Linux for. */
#ifndef VLG_CODEGEN_TILES_H
#define VLG_CODEGEN_TILES_H

#include <stdbool.h>

/* Asks for tiles, for all threads of the process and as long as it runs. False where the
 * processor or Linux has none. May be called again. */
bool tiles_granted(void);

#endif
