/* Which files of pictures there are, and what their features are called. */
#ifndef VLG_RUNTIME_MEDIA_PICTURE_LIST_H
#define VLG_RUNTIME_MEDIA_PICTURE_LIST_H

#include "ir/base/arena.h"
#include "ir/base/diag.h"

/* An image, or a video. */
typedef struct PictureItem {
    const char *path;
    const char *stem;   /* what its features are called */
    const char *result; /* the file that they go to */
    const char *note;   /* added to what is said of a file that cannot be read; or NULL */
} PictureItem;

typedef struct PictureListOptions {
    const char *path; /* a directory, or a file */
    bool is_video;
    const char *out;    /* directory of results */
    const char *ending; /* of their names */
    bool overwrite;     /* else what has a result is left out */
} PictureListOptions;

typedef struct PictureList {
    PictureItem *items;    /* [count], in the order of their stems; in the arena */
    int64_t count;         /* files to do */
    int64_t done, ignored; /* others: with results already, of kinds not understood */
} PictureList;

/* False and an error if there are no pictures, or two with the same result. */
NODISCARD bool picture_list(const PictureListOptions *options, Arena *arena,
                            PictureList *out, Diags *diags);

#endif
