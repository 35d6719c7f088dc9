/* Chooses directory and tokenizer. */
#include "runtime/data/data.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/data/dataset/dataset.h"
#include "runtime/data/shapes/shapes.h"

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* False after an error. `out_cached`: the directory, if it is to be freed. */
static bool resolve(const DataOptions *options, const Module *module, DatasetOptions *out,
                    char **out_cached, Diags *diags)
{
    const char *directory = options->directory;
    *out_cached = NULL;
    if (!directory || strcmp(directory, "shapes") == 0)
        directory = *out_cached =
            shapes_cached(module, options->progress, options->interrupt, diags);
    if (!directory)
        return false;
    *out = (DatasetOptions){.directory = directory,
                            .tokenizer = options->tokenizer,
                            .skip_bad = options->skip_bad && !options->has_questions,
                            .encoder = options->encoder,
                            .findings = options->findings,
                            .leaderboard = options->leaderboard,
                            .has_questions = options->has_questions,
                            .has_no_training =
                                options->has_no_training || options->has_questions};
    if (!out->tokenizer && options->weights && is_directory(options->weights))
        out->tokenizer = options->weights;
    if (options->has_questions || is_directory(directory))
        return true;
    diag_error(diags, (Loc){.file = directory}, "is no directory of data sets");
    return false;
}

DataSource *data_open(const DataOptions *options, const Module *module, Diags *diags)
{
    DatasetOptions dataset;
    char *cached;
    DataSource *source = NULL;
    if (resolve(options, module, &dataset, &cached, diags))
        source = dataset_open(&dataset, module, diags);
    free(cached);
    return source;
}

bool data_files(const DataOptions *options, const Module *module, Arena *arena,
                DataFiles *out, Diags *diags)
{
    DatasetOptions dataset;
    char *cached;
    bool ok = resolve(options, module, &dataset, &cached, diags);
    if (ok && !dataset.tokenizer)
        dataset.tokenizer = arena_format(arena, "%s/spiece.model", dataset.directory);
    ok = ok && dataset_files(&dataset, module, arena, out, diags);
    free(cached);
    return ok;
}

void data_close(DataSource *source)
{
    if (source)
        source->free(source->state);
}
