/* What a file is that was taken for another: a download that went wrong has the right
 * name and the wrong bytes. */
#ifndef VLG_IR_BASE_FILE_KIND_H
#define VLG_IR_BASE_FILE_KIND_H

#include <stddef.h>

enum { FILE_KIND_BYTES = 512 }; /* so many of its first bytes decide */

/* In words that go on "is no HDF5 file, but "; NULL if the bytes look like nothing
 * known. */
const char *file_kind(const void *bytes, size_t count);

#endif
