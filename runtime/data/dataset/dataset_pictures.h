/* Pictures that the examples of plain records name, and where the features are that an
 * encoder makes of them:
 *
 *     DIRECTORY/TASK/x.jpg                                 a picture
 *     DIRECTORY/TASK/features/NAME-FINGERPRINT/x.jpg.npz   its features
 *
 * or, with a cache elsewhere, CACHE/DATA-HASH/TASK/features/..., where DATA is what the
 * data's directory is called, and HASH is of its whole path: pictures of two directories
 * are never taken for each other.
 *
 * The fingerprint is of all that decides what features are: those of one encoder are
 * never taken for those of another. */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_PICTURES_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_PICTURES_H

#include "runtime/data/dataset/dataset_batch.h"

typedef struct DatasetPicture {
    const char *path;     /* of the image or video */
    const char *features; /* of the file that has its features, or is to have them */
    const DatasetExample *example; /* the first that shows it */
} DatasetPicture;

/* Of a task, for one split. */
typedef struct DatasetPictures {
    const Task *task; /* NULL: it has no pictures for an encoder */
    DatasetPicture *items;
    int64_t count;
    const char *folder; /* of all features */
    bool is_video;
    double interval; /* seconds between two rows of a video */
    int64_t width;   /* of the features that the model takes */
    int64_t room;    /* most rows of an image that it takes; 0: any number */
} DatasetPictures;

/* The pictures of a source that dataset_open has opened with an encoder: of the first
 * `limit` examples, or all if that is 0, each once, in the order of the file. `arena`
 * owns what *out points at, but for the examples. False and an error if the split cannot
 * be read. */
NODISCARD bool dataset_pictures(DataSource *source, const char *task, Split split,
                                int64_t limit, Arena *arena, DatasetPictures *out,
                                Diags *diags);

/* -- for the source ------------------------------------------------------------------ */

/* Whether the task's records name pictures that an encoder may turn to features. */
bool dataset_is_encoded(const TaskTexts *texts);
/* Of the task, as it says or as published. False and an error if it is no time. */
NODISCARD bool dataset_interval(const Task *task, double *out, Diags *diags);
/* The folder of features, under that of the task; `interval` is 0 of images. */
const char *dataset_encoded_folder(const DatasetEncoder *encoder, double interval,
                                   Arena *arena);
/* The directory of features of a data directory: that, or one in the encoder's cache. */
const char *dataset_encoded_directory(const DatasetEncoder *encoder,
                                      const char *directory, Arena *arena);
void dataset_pictures_list(const BatchMaker *maker, const DatasetExample *examples,
                           int64_t count, Arena *arena, DatasetPictures *out);

#endif
