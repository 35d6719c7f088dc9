/* Files that come with the programs: models, and what built-in data need. */
#ifndef VLG_IR_BASE_SHIPPED_H
#define VLG_IR_BASE_SHIPPED_H

#include "ir/base/arena.h"

/* DIR/share/vlgraph/NAME, DIR being the nearest directory above the program or library
 * that this code is in, whatever it is called by, that has it: PREFIX above PREFIX/bin
 * and PREFIX/lib, and the directory of a build. In `arena`; NULL if there is none. */
const char *shipped_path(const char *name, Arena *arena);

#endif
