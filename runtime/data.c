/* Chooses directory and tokenizer. */
#include "runtime/data.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/data/dataset.h"
#include "runtime/data/shapes.h"

void batch_free(Batch *batch)
{
    if (batch)
        arena_free(batch->arena);
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

DataSource *data_open(const DataOptions *options, const Module *module, Diags *diags)
{
    const char *directory = options->directory;
    char *cached = NULL;
    if (!directory || strcmp(directory, "shapes") == 0)
        directory = cached = shapes_cached(module, diags);
    if (!directory)
        return NULL;
    DatasetOptions dataset = {.directory = directory,
                              .tokenizer = options->tokenizer,
                              .skip_bad = options->skip_bad,
                              .leaderboard = options->leaderboard,
                              .has_no_training = options->has_no_training};
    if (!dataset.tokenizer && options->weights && is_directory(options->weights))
        dataset.tokenizer = options->weights;
    DataSource *source = NULL;
    if (is_directory(directory))
        source = dataset_open(&dataset, module, diags);
    else
        diag_error(diags, (Loc){.file = directory}, "is no directory of data sets");
    free(cached);
    return source;
}

void data_close(DataSource *source)
{
    if (source)
        source->free(source->state);
}
