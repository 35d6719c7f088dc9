/* Data sets whose records name pictures: an encoder turns them to features, each once,
 * which are kept beside the data (runtime/data/dataset/dataset_pictures.h):
 *
 *     TASK/features/NAME-FINGERPRINT/encoder.json   what they are, for people
 *     TASK/features/NAME-FINGERPRINT/x.jpg.npz      features of TASK/x.jpg: of an image
 *                                                   in half precision, of a video in
 *                                                   single precision
 *
 * or in a directory of their own, in the same way. A file of features has the time of the
 * last change of its picture: where they differ, the picture is another, and features are
 * made anew. Each file is replaced in one step, so that work that was ended at any moment
 * goes on where it stopped. Of several processes one does the work, and the others wait
 * for it. */
#ifndef VLG_RUNTIME_ENCODE_ENCODE_DATA_H
#define VLG_RUNTIME_ENCODE_ENCODE_DATA_H

#include "runtime/data/dataset/dataset_pictures.h"
#include "runtime/encode/encode.h"

/* The rows of a command's options, for the offsets of three texts. */
#define OPTIONS_ENCODER(plan, weights, cache)                                            \
    OPTION(path, "--encoder", plan, "PLAN",                                              \
           "plan that turns pictures of the data to features, which are kept"),          \
        OPTION(path, "--encoder-weights", weights, "PATH", "the encoder's parameters"),  \
        OPTION(path, "--feature-cache", cache, "DIR",                                    \
               "where they are kept, if not beside the data")

typedef struct EncodeDataOptions {
    EncoderOptions encoder;    /* without a plan: that of the run, if it has one */
    const char *feature_cache; /* directory of features; NULL: the run's, or else they are
                                  beside the data */
    bool splits[SPLIT_COUNT];  /* whose pictures are wanted */
    const char *task;          /* only of this one; NULL: of all */
    int64_t limit;             /* first examples of each split; 0: all */
    const Interrupt *interrupt;
    FILE *talk;     /* what happens on the way */
    FILE *progress; /* a terminal, or NULL */
} EncodeDataOptions;

/* What run.json is to say of an encoder; all zero if there is none. In the run's
 * arena. */
typedef struct EncoderRecord {
    const char *plan, *weights, *cache; /* as they were given */
    const char *file;                   /* that has the plan now */
    uint64_t fingerprint;
} EncoderRecord;

/* The encoder that is given, or else the run's, in *out; NULL if there is neither. False
 * and an error if it cannot be opened, or is not that of the run. */
NODISCARD bool encode_choose(const Run *run, const EncoderOptions *given, Encoder **out,
                             EncoderRecord *out_record, Diags *diags);

/* Whether the task's model takes what the encoder makes; else an error at `plan`, its
 * file. */
bool encode_check_fit(const DatasetPictures *pictures, const Encoder *encoder,
                      const char *plan, Diags *diags);

/* The directory of features that is given, or else the run's, in record->cache. False and
 * an error if it is given, and encode_choose found no encoder. */
NODISCARD bool encode_choose_cache(const Run *run, const char *given,
                                   EncoderRecord *record, Diags *diags);

/* run_open_data, and the features of the pictures that the splits name. Features that the
 * model does not take, and pictures that are not there, are found out before any work.
 * NULL and an error at fault; NULL alone if it was interrupted. `data` gets what
 * run_open_data fills in; `out_files` and `out_record` may be NULL. */
NODISCARD DataSource *encode_open_data(const Run *run, const EncodeDataOptions *options,
                                       DataOptions *data, DataFiles *out_files,
                                       EncoderRecord *out_record, Diags *diags);

#endif
