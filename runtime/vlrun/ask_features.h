/* Where the features of what a question shows come from. */
#ifndef VLG_RUNTIME_VLRUN_ASK_FEATURES_H
#define VLG_RUNTIME_VLRUN_ASK_FEATURES_H

#include <sys/stat.h>

#include "runtime/data/dataset/dataset_question.h"
#include "runtime/encode/encode.h"

/* Features of what was shown last: many questions are about one picture. */
typedef struct ShownFeatures {
    char *name; /* NULL: none yet */
    const char *task;
    struct stat status; /* of the file, when it was read */
    Features features;
} ShownFeatures;

typedef struct AskFeatures {
    DataSource *source;
    const char *task;
    Encoder *encoder; /* NULL: pictures cannot be read */
    Isolate *isolate; /* that reads files of features */
    ShownFeatures shown[EXAMPLE_IMAGES_MAX];
    uint32_t next; /* of `shown` to be forgotten */
    bool has_told; /* that features of the data set stand for pictures */
} AskFeatures;

/* As FeatureReader has it: a name that ends in .h5 or .npz is a file of features; any
 * other file is a picture or a video, for the encoder; else it is what the data set has
 * features of. `state` is an AskFeatures. */
bool ask_features_read(void *state, const char *name, Features *out, Diags *diags);
void ask_features_free(AskFeatures *features);

/* Whether a file of features is called so. */
bool is_features_name(const char *name);

#endif
