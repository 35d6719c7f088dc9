/* Splits of data sets in a test's directory. */
#include "tests/runtime/data/dataset/loading.h"

#include <stdlib.h>
#include <sys/stat.h>

static void prepare(Loading *out, const Scratch *scratch, const Task *task, bool skip_bad)
{
    *out = (Loading){.loader = {.directory = scratch->directory, .arena = arena_new()}};
    messages_open(&out->messages);
    Loader *loader = &out->loader;
    loader->interns = interns_new();
    loader->skips = skips_new(skip_bad);
    loader->diags = out->messages.diags;
    out->task = *task;
    if (task_texts_find(&out->texts, &out->task, loader->arena, loader->diags))
        loader->texts = &out->texts;
}

void loading_prepare(Loading *out, const Scratch *scratch, const char *task,
                     bool skip_bad)
{
    prepare(out, scratch, &(Task){.name = task}, skip_bad);
}

void loading_open_task(Loading *out, const Scratch *scratch, const Task *task,
                       Split split)
{
    prepare(out, scratch, task, false);
    out->is_loaded =
        out->loader.texts && loader_load(&out->loader, split, false, &out->list);
}

void loading_open(Loading *out, const Scratch *scratch, const char *task, Split split,
                  bool skip_bad)
{
    loading_prepare(out, scratch, task, skip_bad);
    out->is_loaded = loader_load(&out->loader, split, false, &out->list);
}

void loading_close(Loading *loading)
{
    Loader *loader = &loading->loader;
    subtitles_free(loader->subtitles);
    skips_free(loader->skips);
    interns_free(loader->interns);
    arena_free(loader->arena);
    messages_close(&loading->messages);
    free(loading->list.items);
}

void loading_folders(const Scratch *scratch)
{
    static const char *const folders[] = {
        "vqa",           "GQA",           "nlvr",           "COCO",
        "video",         "video/ann",     "video/ann/tvqa", "video/ann/how2qa",
        "video/ann/tvc", "video/ann/yc2c"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        (void)mkdir(scratch_path(scratch, folders[i]), 0777);
}
