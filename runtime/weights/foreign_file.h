/* Files that people have in place of weights: what they are, and what to do. */
#ifndef VLG_RUNTIME_WEIGHTS_FOREIGN_FILE_H
#define VLG_RUNTIME_WEIGHTS_FOREIGN_FILE_H

#include <stddef.h>

typedef struct ForeignFile {
    const char *kind;   /* "a git-lfs pointer, not the file itself" */
    const char *advice; /* or NULL */
} ForeignFile;

/* What a file that is no safetensors file is, by its first bytes; `kind` is NULL if they
 * do not tell. */
ForeignFile foreign_file(const void *bytes, size_t len);

#endif
