/* What a plan says of the pictures that it turns to features.
 *
 * Its only task has no loss, an input `pixels`, f32[axis, 3], with image_size *
 * image_size rows for each picture, and a result `features`. The task's facts
 * `image_size`, `mean`, `std` (three numbers), `interpolation` (bicubic) and `fit`
 * (squash or crop) say what pixels are. */
#ifndef VLG_RUNTIME_ENCODE_ENCODER_PLAN_H
#define VLG_RUNTIME_ENCODE_ENCODER_PLAN_H

#include "ir/graph.h"
#include "runtime/media/picture.h"

typedef struct EncoderPlan {
    const Task *task;
    const char *axis; /* of the pixels */
    int64_t most;     /* pictures of a batch */
    int64_t width;    /* of the features */
    int64_t rows;     /* of them, of a picture; 0: it depends */
    int32_t side;     /* of a picture, in pixels */
    float mean[3], std[3];
    bool has_fit; /* else images are squashed, and videos cropped */
    PictureFit fit;
} EncoderPlan;

extern const char encoder_pixels[], encoder_features[]; /* names of input and result */

/* `module` must outlive *out. False and an error if it is no plan of that kind. */
NODISCARD bool encoder_plan_find(EncoderPlan *out, const Module *module, Diags *diags);

PictureFit encoder_plan_fit(const EncoderPlan *plan, bool is_video);

#endif
