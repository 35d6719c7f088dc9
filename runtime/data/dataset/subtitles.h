/* What is said in each video. */
#ifndef VLG_RUNTIME_DATA_DATASET_SUBTITLES_H
#define VLG_RUNTIME_DATA_DATASET_SUBTITLES_H

#include "ir/base/arena.h"
#include "runtime/batch/skips.h"

typedef struct Subtitles Subtitles;

/* Texts are allocated in `arena`, and so is `path`. NULL after an error. */
Subtitles *subtitles_read(const char *path, Arena *arena, Skips *skips, Diags *diags);
void subtitles_free(Subtitles *subtitles); /* NULL is allowed; the texts stay */

const char *subtitles_path(const Subtitles *subtitles);
/* All of a video's subtitles, stripped, with single blanks between; NULL if it has
 * none. */
const char *subtitles_find(const Subtitles *subtitles, const char *video);

#endif
