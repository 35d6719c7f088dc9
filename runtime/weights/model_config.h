/* What a model directory's config.json says, against what a plan was compiled for. */
#ifndef VLG_RUNTIME_WEIGHTS_MODEL_CONFIG_H
#define VLG_RUNTIME_WEIGHTS_MODEL_CONFIG_H

#include "ir/graph.h"

/* A fact `config.KEY` of the first task (<data> of backbone or task) is what KEY must be
 * in the config.json of the model directory `path` (or beside the index `path`): a
 * number, a text, or 1 and 0 for true and false. Keys that the file lacks, and files
 * other than directories and indices, are not held against anybody. False and an error
 * per difference; also if config.json is there but cannot be read. */
NODISCARD bool model_config_check(const Module *module, const char *path, Diags *diags);

enum { MODEL_CONFIG_KIND = 128 };

/* What the config.json in or beside `path` says that the model is. False if none says
 * it. */
bool model_config_kind(const char *path, char out[MODEL_CONFIG_KIND]);

#endif
