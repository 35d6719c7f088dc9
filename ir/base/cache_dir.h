/* Where the programs keep what they can make again: one rule, after the XDG base
 * directory specification. */
#ifndef VLG_IR_BASE_CACHE_DIR_H
#define VLG_IR_BASE_CACHE_DIR_H

#include <stdbool.h>
#include <stddef.h>

/* "$XDG_CACHE_HOME/vlgraph", or else "$HOME/.cache/vlgraph", malloc'ed, and made if it is
 * missing and can be; NULL if neither variable is an absolute path. */
char *cache_dir_path(void);

enum { CACHE_DIR_REASON = 160 };

/* Opens a directory for what only this user may have put there: no link, owned by the
 * user; if others may read in it, it is made private. Use what is in it by names relative
 * to the result, as the path may come to mean another. -1 and why not, if there is none
 * or others may write in it. */
int cache_dir_open(const char *path, char out_reason[CACHE_DIR_REASON]);

/* Files in a directory that is open as `dir`; names have no '/' in them. */

/* To read; -1 and errno. A link is not followed. */
int cache_file_open(int dir, const char *name);
/* All of the file or nothing of it: what was there is replaced, or, in the second, stays,
 * so that of two programs that make a file at once both find the same. False if it could
 * not be written; no error is reported, as it can be made again. */
bool cache_file_put(int dir, const char *name, const void *bytes, size_t len);
bool cache_file_put_first(int dir, const char *name, const void *bytes, size_t len);

/* Prefix of the names of files that are being written. One without a lock (flock) was
 * left over by a program that ended. */
#define CACHE_ASIDE ".writing-"

#endif
