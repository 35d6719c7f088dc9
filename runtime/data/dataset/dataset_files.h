/* The files that decide what the examples of a data set say, told apart by their
 * bytes. */
#ifndef VLG_RUNTIME_DATA_DATASET_DATASET_FILES_H
#define VLG_RUNTIME_DATA_DATASET_DATASET_FILES_H

#include "runtime/data/dataset/dataset.h"

typedef struct DataFile {
    const char *name; /* under the data's directory; "tokenizer/NAME" of the tokenizer */
    uint64_t hash;    /* of all its bytes */
} DataFile;

typedef struct DataFiles {
    DataFile *items;
    uint32_t count;
} DataFiles;

/* Lists, annotations and subtitles of the tasks of `module`, those for leaderboards left
 * out, and all of them where only questions are asked; and what belongs to the tokenizer.
 * Files that are not there are not in the result. False and an error if one cannot be
 * read. `options` name a tokenizer. */
NODISCARD bool dataset_files(const DatasetOptions *options, const Module *module,
                             Arena *arena, DataFiles *out, Diags *diags);

const DataFile *data_files_find(const DataFiles *files, const char *name); /* or NULL */

#endif
