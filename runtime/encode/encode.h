/* Features of pictures, by an encoder: of files one after the other, or of one. */
#ifndef VLG_RUNTIME_ENCODE_ENCODE_H
#define VLG_RUNTIME_ENCODE_ENCODE_H

#include "runtime/data/features/features.h"
#include "runtime/encode/encoder.h"
#include "runtime/media/pictures.h"

/* What a file is: of an image there are all rows of features, rounded to half precision
 * as they are stored; of a video one row in an interval, in single precision. */
typedef struct EncodeKind {
    bool is_video;
    double interval; /* seconds from picture to picture of a video */
} EncodeKind;

/* Takes what was made of an item, and may keep its rows by zeroing it. False after an
 * error ends the work. */
typedef bool EncodeTake(void *state, const PictureItem *item, Features *features,
                        Diags *diags);

typedef struct EncodeOptions {
    EncodeKind kind;
    const PictureItem *items; /* [item_count] */
    int64_t item_count;
    bool skip_bad;              /* leave out what cannot be read */
    const Interrupt *interrupt; /* ends the work early; NULL allowed */
    FILE *progress;             /* a terminal, or NULL */
    EncodeTake *take;
    void *state;
} EncodeOptions;

typedef struct EncodeCounts {
    int64_t files, skipped; /* that features were taken of; that could not be read */
    int64_t pictures;
    double seconds;
} EncodeCounts;

/* Pictures of several files are computed together, and the next are read meanwhile. False
 * and an error that names the file. Features that are not finite, or of an image and too
 * large for half precision, are an error in numbers. */
NODISCARD bool encode(Encoder *encoder, const EncodeOptions *options, EncodeCounts *out,
                      Diags *diags);

/* The features of one file; *out is the caller's (features_free), zeroed after an
 * error. */
NODISCARD bool encode_file(Encoder *encoder, const char *path, const EncodeKind *kind,
                           Features *out, Diags *diags);

/* The interval of the published features of videos. */
#define ENCODE_INTERVAL 1.5

#endif
