/* The data sources there are, by name. */
#ifndef VLG_RUNTIME_DATA_H
#define VLG_RUNTIME_DATA_H

#include "runtime/batch.h"

/* The source for the tasks of `module`; NULL and an error if it is unknown, or does not
 * fit what the module's graphs ask for. `module` must outlive it. */
DataSource *data_open(const char *name, const Module *module, Diags *diags);
void data_close(DataSource *source); /* NULL allowed */

#endif
