/* Files that are mapped for long: a fault while one is read, because it was cut short or
 * its disk failed, ends the program with exit code 1 and the file's name. */
#ifndef VLG_RUNTIME_WEIGHTS_MAPPING_WATCH_H
#define VLG_RUNTIME_WEIGHTS_MAPPING_WATCH_H

#include <stddef.h>

/* `path` must stay until mapping_forget. Takes SIGBUS for itself. */
void mapping_watch(const void *bytes, size_t len, const char *path);
void mapping_forget(const void *bytes); /* before it is unmapped */

#endif
