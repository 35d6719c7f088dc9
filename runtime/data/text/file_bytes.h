/* Whole files in memory, for small ones such as vocabularies. */
#ifndef VLG_RUNTIME_DATA_TEXT_FILE_BYTES_H
#define VLG_RUNTIME_DATA_TEXT_FILE_BYTES_H

#include "ir/base/diag.h"
#include "runtime/data/text/lists.h"

/* Reads the file into the empty `out`; an error that names it if it cannot be read or is
 * larger than `limit` bytes. */
NODISCARD bool file_bytes_read(const char *path, size_t limit, TextBuffer *out,
                               Diags *diags);

#endif
