/* How a model is to be read. */
#ifndef VLG_FRONTEND_RECIPE_OPTIONS_H
#define VLG_FRONTEND_RECIPE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct FrontendOptions {
    const char *const *sets; /* "name=value", from --set */
    uint32_t set_count;
    bool *out_library; /* if not NULL, a file of definitions only is no error: NULL is
                          returned, and this set */
} FrontendOptions;

#endif
