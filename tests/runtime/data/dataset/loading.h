/* A split of a task, loaded from a test's directory in the published layout. */
#ifndef VLG_TESTS_RUNTIME_DATA_DATASET_LOADING_H
#define VLG_TESTS_RUNTIME_DATA_DATASET_LOADING_H

#include "runtime/data/dataset/dataset_load.h"
#include "tests/scratch.h"

typedef struct Loading {
    Task task;
    TaskTexts texts;
    Loader loader;
    ExampleList list;
    Messages messages;
    bool is_loaded;
} Loading;

/* The folders of all tasks' files. */
void loading_folders(const Scratch *scratch);

/* All but the loading itself. */
void loading_prepare(Loading *out, const Scratch *scratch, const char *task,
                     bool skip_bad);
void loading_open(Loading *out, const Scratch *scratch, const char *task, Split split,
                  bool skip_bad);
/* A task with facts of its own. */
void loading_open_task(Loading *out, const Scratch *scratch, const Task *task,
                       Split split);
void loading_close(Loading *loading);

#endif
