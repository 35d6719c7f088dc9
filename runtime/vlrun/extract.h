/* From pictures to files of features, as the data sets of image and video tasks have
 * them. */
#ifndef VLG_RUNTIME_VLRUN_EXTRACT_H
#define VLG_RUNTIME_VLRUN_EXTRACT_H

#include "runtime/run/run.h"

typedef struct ExtractOptions {
    const char *images, *video; /* one of them: a directory or a file */
    const char *out;            /* directory */
    double interval;            /* seconds from picture to picture of a video */
    bool overwrite, skip_bad;
} ExtractOptions;

/* Runs the evaluate graph of the plan's only task, whose input `pixels`, f32[axis, 3],
 * has image_size * image_size rows per sequence and whose result `features` goes to the
 * files: of each image STEM.h5 with all rows, of each video STEM.npz with one row per
 * frame. The task's facts `image_size`, `mean`, `std` (three numbers) and `interpolation`
 * (bicubic), and `fit` (squash or crop; without it images are squashed and videos
 * cropped), say what pixels are. An interrupt ends it early; files are written whole. */
ExitCode extract(const ExtractOptions *options, Run *run, const Interrupt *interrupt,
                 Diags *diags);

#endif
