/* Where the programs keep what they can make again: one rule, after the XDG base
 * directory specification. */
#ifndef VLG_IR_BASE_CACHE_DIR_H
#define VLG_IR_BASE_CACHE_DIR_H

/* "$XDG_CACHE_HOME/vlgraph", or else "$HOME/.cache/vlgraph", malloc'ed, and made if it is
 * missing and can be; NULL if neither variable is an absolute path. */
char *cache_dir_path(void);

enum { CACHE_DIR_REASON = 160 };

/* Opens a directory for what only this user may have put there: no link, owned by the
 * user; if others may read in it, it is made private. Use what is in it by names relative
 * to the result, as the path may come to mean another. -1 and why not, if there is none
 * or others may write in it. */
int cache_dir_open(const char *path, char out_reason[CACHE_DIR_REASON]);

#endif
