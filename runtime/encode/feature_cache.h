/* Features of pictures, in files that are kept; runtime/encode/encode_data.h tells of
 * them. */
#ifndef VLG_RUNTIME_ENCODE_FEATURE_CACHE_H
#define VLG_RUNTIME_ENCODE_FEATURE_CACHE_H

#include "runtime/encode/encode.h"

typedef struct CachedPicture {
    const char *path;     /* of the image or video */
    const char *features; /* of the file that has its features, or is to have them */
    const char *wanted;   /* who shows it, for messages */
} CachedPicture;

typedef struct FeatureCache {
    const char *folder; /* of all features */
    const CachedPicture *pictures;
    int64_t picture_count;
    EncodeKind kind;
    bool skip_bad;
    const Interrupt *interrupt;
    FILE *talk;     /* what happens on the way */
    FILE *progress; /* a terminal, or NULL */
} FeatureCache;

/* Makes the features that are not there. False and an error that names the picture. True
 * also after an interrupt. */
NODISCARD bool feature_cache_fill(const FeatureCache *cache, Encoder *encoder,
                                  Diags *diags);

#endif
