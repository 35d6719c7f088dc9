/* Pictures as a source of batches: images, or the frames of videos, normalised as a
 * model's task says. */
#ifndef VLG_RUNTIME_MEDIA_PICTURES_H
#define VLG_RUNTIME_MEDIA_PICTURES_H

#include "runtime/batch/batch.h"
#include "runtime/media/picture.h"
#include "runtime/media/picture_list.h"

typedef struct PicturesOptions {
    const PictureItem *items; /* [item_count]; must outlive the source */
    int64_t item_count;
    bool is_video;
    double interval; /* seconds from frame to frame */
    bool skip_bad;   /* leave out what cannot be read */
    int64_t most;    /* pictures of a batch */
    int32_t side;    /* every picture becomes side x side pixels */
    PictureFit fit;
    float mean[3], std[3];           /* a number is (byte / 255 - mean) / std */
    const char *task, *field, *axis; /* of the batches: field is f32[axis, 3] */
} PicturesOptions;

/* A batch of pictures. An image has one sequence, a video one for each of its pictures in
 * a row. An item is given up, because the rest of its file cannot be read, where another
 * follows before `is_last`. */
typedef struct PictureBatch {
    Batch batch;               /* as the trainer sees it */
    const PictureItem **items; /* by sequence: what it is of */
    int64_t *times;            /* by sequence: how many times it is shown, in a row */
    bool *is_last;             /* by sequence: nothing more of this item follows */
} PictureBatch;

/* Its train_batch gives one PictureBatch after the other, whatever the step, and NULL
 * after the last or when a file is at fault. */
DataSource *pictures_open(const PicturesOptions *options);

int64_t pictures_skipped(const DataSource *source); /* items that could not be read */
bool pictures_failed(const DataSource *source);     /* after NULL: a file was at fault */

#endif
