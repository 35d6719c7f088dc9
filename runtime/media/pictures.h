/* Pictures as a source of batches: those of a directory of images, or the frames of
 * videos, normalised as a model's task says. */
#ifndef VLG_RUNTIME_MEDIA_PICTURES_H
#define VLG_RUNTIME_MEDIA_PICTURES_H

#include "runtime/batch/batch.h"
#include "runtime/media/picture.h"

typedef struct PicturesOptions {
    const char *path; /* a directory, or a file */
    bool is_video;
    double interval;    /* seconds from frame to frame */
    const char *out;    /* directory of results */
    const char *ending; /* of their names */
    bool overwrite;     /* else what has a result is left out */
    bool skip_bad;      /* leave out what cannot be read */
    int64_t most;       /* pictures of a batch */
    int32_t side;       /* every picture becomes side x side pixels */
    PictureFit fit;
    float mean[3], std[3];           /* a number is (byte / 255 - mean) / std */
    const char *task, *field, *axis; /* of the batches: field is f32[axis, 3] */
} PicturesOptions;

/* A batch of pictures. A result, the file `out`/stem`ending`, belongs to an image or to
 * all pictures of a video. A result is given up, because the rest of its file cannot be
 * read, where another stem follows before `is_last`. */
typedef struct PictureBatch {
    Batch batch;        /* as the trainer sees it */
    const char **stems; /* by sequence: the name of its result */
    int64_t *times;     /* by sequence: how many times it is in the result, in a row */
    bool *is_last;      /* by sequence: nothing more of this result follows */
} PictureBatch;

/* Its train_batch gives one PictureBatch after the other, whatever the step, and NULL
 * after the last or when a file is at fault. NULL and an error if there are no pictures,
 * or two with the same result. */
DataSource *pictures_open(const PicturesOptions *options, Diags *diags);

/* Files to do; and of others: with results already, of kinds not understood, and not
 * readable so far. */
typedef struct PictureCounts {
    int64_t files, done, ignored, skipped;
} PictureCounts;
PictureCounts pictures_counts(const DataSource *source);
bool pictures_failed(const DataSource *source); /* after NULL: a file was at fault */

#endif
