/* What is right, from the published files of a task alone: no plan, no features. */
#ifndef VLG_RUNTIME_DATA_SCORE_REFERENCES_H
#define VLG_RUNTIME_DATA_SCORE_REFERENCES_H

#include "runtime/data/dataset/layouts.h"

typedef struct References References;

/* `path` is a data directory, of which the split's files are read, or one such file; of
 * captions also COCO's own annotations, of vqa also VQA's. NULL and an error if it cannot
 * be used. */
References *references_read(const Layout *layout, const char *path, Split split,
                            Diags *diags);
void references_free(References *references); /* NULL is allowed */

/* Subjects are what is predicted: 0 .. count - 1. A file may have several examples of
 * one, such as the descriptions of a clip. */
uint32_t references_count(const References *references);
/* The subject of that name, or UINT32_MAX. */
uint32_t references_find(const References *references, const char *name);
const char *references_name(const References *references, uint32_t subject);
/* The subject's examples: *at starts as 0; NULL after the last. */
const DatasetExample *references_next(const References *references, uint32_t subject,
                                      uint32_t *at);
Arena *references_arena(const References *references);

#endif
