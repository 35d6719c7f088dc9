/* Files of the user's: only regular ones are read, and a file is replaced in one step.
 *
 * Every error names the file. A path goes to the operating system as it is; links are
 * followed, by readers and writers alike. */
#ifndef VLG_IR_BASE_FILES_H
#define VLG_IR_BASE_FILES_H

#include <stddef.h>
#include <stdio.h>

#include "ir/base/diag.h"

/* -- reading ------------------------------------------------------------------------- */

/* A descriptor of a regular file, opened to read; -1 and an error otherwise. Never waits
 * at a pipe or a device. */
NODISCARD int file_open(const char *path, Diags *diags);
/* The same as a stream, which the caller closes; NULL and an error otherwise. */
NODISCARD FILE *file_open_stream(const char *path, Diags *diags);

/* The whole file, malloc'ed, with a 0 after its end. NULL and an error, also if it has
 * more than `limit` bytes. */
NODISCARD char *file_read(const char *path, size_t limit, size_t *out_len, Diags *diags);
/* The same; errors are reported at `from`, where the file is asked for. */
NODISCARD char *file_read_from(const char *path, Loc from, size_t limit, size_t *out_len,
                               Diags *diags);
/* The same for a stream of unknown length, such as standard input; `name` is for
 * messages. */
NODISCARD char *stream_read(FILE *stream, const char *name, size_t limit, size_t *out_len,
                            Diags *diags);

/* Reports at `from` that `path` cannot be read, with the nearest name beside it. A null
 * `from` is the file itself. */
void file_report_unreadable(const char *path, Loc from, const char *problem,
                            Diags *diags);

/* -- writing ------------------------------------------------------------------------- */

/* A file that becomes `path` when it is finished. It is written beside the file that it
 * replaces, without a name or under a unique one, so that `path` always is the old file
 * or all of the new one. Where `path` is a link, what it points to is replaced.
 * Directories, devices and pipes are refused. */
typedef struct NewFile NewFile;

/* NULL and an error if `path` cannot be replaced. */
NODISCARD NewFile *new_file_open(const char *path, Diags *diags);
/* Both belong to the file, and end with it. Use one of them. */
int new_file_descriptor(const NewFile *file);
FILE *new_file_stream(NewFile *file);
/* What is written so far, under its name until then; for libraries that open files
 * themselves. NULL and an error if it can have none. */
NODISCARD const char *new_file_aside(NewFile *file, Diags *diags);

/* Flushes, syncs and renames, and frees `file`. False and an error if anything that was
 * written is not on disk; the old file then stays. */
NODISCARD bool new_file_finish(NewFile *file, Diags *diags);
/* Removes what was written, and frees `file`. NULL is allowed. */
void new_file_discard(NewFile *file);

/* All of the above for bytes in memory. */
NODISCARD bool file_replace(const char *path, const void *bytes, size_t len,
                            Diags *diags);

/* Gives the regular file `path` the name `as`, too, in place of what has it, in the same
 * file system; where it has no links, a copy. `as` is the old file or this one at any
 * time. False and an error if it cannot be. */
NODISCARD bool file_link(const char *path, const char *as, Diags *diags);

/* False and errno if not all could be written. */
NODISCARD bool descriptor_write(int descriptor, const void *bytes, size_t len);

/* -- directories --------------------------------------------------------------------- */

/* Makes `path` and what is missing above it. False and an error if it is no directory
 * afterwards. */
NODISCARD bool directory_make(const char *path, Diags *diags);
/* The same, for `mode` (permissions, less the umask); false and errno. */
bool directories_make(const char *path, unsigned mode);

#endif
