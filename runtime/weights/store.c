/* One region of pages for all numbers of a module, and their names. */
#include "runtime/weights/store.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ir/base/heap.h"
#include "ir/base/strings.h"

struct Store {
    Arena *arena;
    const Module *module;
    StoreEntry *entries;
    uint32_t entry_count;
    Strings *names;         /* of entries, and other names of theirs */
    uint32_t *name_entries; /* by number of the name */
    char *pages;
    int64_t page_bytes;
};

enum { ALIGNMENT = 64 };

void *pages_new(int64_t bytes)
{
    size_t size = bytes > 0 ? (size_t)bytes : 1;
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED)
        out_of_memory(size);
    return pages;
}

void pages_free(void *pages, int64_t bytes)
{
    if (pages)
        munmap(pages, bytes > 0 ? (size_t)bytes : 1);
}

static int64_t padded_bytes(int64_t elements)
{
    int64_t bytes = elements * (int64_t)sizeof(float);
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The first entry of a name has it. */
static void add_name(Store *store, const char *name, uint32_t entry)
{
    uint32_t known = strings_count(store->names);
    uint32_t number = strings_add(store->names, name, strlen(name));
    if (number == known)
        store->name_entries[number] = entry;
}

static void index_names(Store *store)
{
    uint32_t names = store->entry_count;
    for (uint32_t i = 0; i < store->module->param_count; i++)
        names += store->module->params[i].alias_count;
    store->names = strings_new();
    store->name_entries = ARENA_ARRAY(store->arena, uint32_t, names);
    for (uint32_t i = 0; i < store->entry_count; i++) {
        const Param *param = store->entries[i].param;
        add_name(store, store->entries[i].name, i);
        for (uint32_t a = 0; param && a < param->alias_count; a++)
            add_name(store, param->aliases[a], i);
    }
}

/* Parameters that are trained, and those whose gradient a graph makes all the same (a
 * plan made without the pass that prunes them). */
static bool *find_gradients(const Store *store)
{
    const Module *module = store->module;
    bool *has = ARENA_ARRAY(store->arena, bool, store->entry_count);
    for (uint32_t i = 0; i < module->param_count; i++)
        has[i] = module->params[i].trained;
    for (uint32_t g = 0; g < module->graph_count; g++)
        for (uint32_t i = 0; i < module->graphs[g]->output_count; i++) {
            const Output *output = &module->graphs[g]->outputs[i];
            const Param *param = output->role == OUTPUT_gradient
                                     ? module_find_param(module, output->name)
                                     : NULL;
            if (param)
                has[param - module->params] = true;
        }
    return has;
}

/* Numbers get their places once all sizes are known. */
static void place_entries(Store *store)
{
    const bool *has_gradient = find_gradients(store);
    int64_t bytes = 0;
    for (uint32_t i = 0; i < store->entry_count; i++)
        bytes += padded_bytes(store->entries[i].elements) * (has_gradient[i] ? 2 : 1);
    store->pages = pages_new(bytes);
    store->page_bytes = bytes;
    char *next = store->pages;
    for (uint32_t i = 0; i < store->entry_count; i++) {
        StoreEntry *entry = &store->entries[i];
        entry->data = entry->own = (float *)(void *)next;
        next += padded_bytes(entry->elements);
        if (has_gradient[i]) {
            entry->gradient = (float *)(void *)next;
            next += padded_bytes(entry->elements);
        }
    }
}

Store *store_new(const Module *module)
{
    Arena *arena = arena_new();
    Store *store = arena_alloc(arena, sizeof *store);
    store->arena = arena;
    store->module = module;
    store->entry_count = module->param_count + module->state_count;
    store->entries = ARENA_ARRAY(arena, StoreEntry, store->entry_count);
    for (uint32_t i = 0; i < module->param_count; i++) {
        const Param *param = &module->params[i];
        store->entries[i] =
            (StoreEntry){.name = param->name, .param = param, .type = param->type};
    }
    for (uint32_t i = 0; i < module->state_count; i++) {
        const StateVar *state = &module->states[i];
        store->entries[module->param_count + i] =
            (StoreEntry){.name = state->name, .state = state, .type = state->type};
    }
    for (uint32_t i = 0; i < store->entry_count; i++)
        store->entries[i].elements = type_static_elements(store->entries[i].type);
    place_entries(store);
    index_names(store);
    return store;
}

void store_free(Store *store)
{
    if (!store)
        return;
    strings_free(store->names);
    pages_free(store->pages, store->page_bytes);
    arena_free(store->arena);
}

const Module *store_module(const Store *store)
{
    return store->module;
}

uint32_t store_count(const Store *store)
{
    return store->entry_count;
}

StoreEntry *store_at(Store *store, uint32_t index)
{
    assert(index < store->entry_count);
    return &store->entries[index];
}

StoreEntry *store_find(const Store *store, const char *name)
{
    uint32_t number = strings_find(store->names, name, strlen(name));
    return number == STRING_ABSENT ? NULL : &store->entries[store->name_entries[number]];
}

bool store_map(StoreEntry *entry, const float *data)
{
    if (!entry->param || param_is_kept(entry->param) ||
        (uintptr_t)data % sizeof *data != 0)
        return false;
    entry->data = (float *)(uintptr_t)data; /* never written where `mapped` is set */
    entry->mapped = true;
    return true;
}

void store_own(StoreEntry *entry)
{
    if (!entry->mapped)
        return;
    memcpy(entry->own, entry->data, (size_t)entry->elements * sizeof *entry->own);
    entry->data = entry->own;
    entry->mapped = false;
}

/* Whole pages: others may hold numbers of a neighbour that is in use. */
void store_release(const StoreEntry *entry)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)entry->data;
    uintptr_t end = begin + (uintptr_t)entry->elements * sizeof(float);
    begin = (begin + page - 1) / page * page;
    end = end / page * page;
    if (entry->mapped && begin < end)
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED); /* else it stays */
}

int64_t store_not_finite(const StoreEntry *entry)
{
    for (int64_t i = 0; i < entry->elements; i++)
        if (!isfinite(entry->data[i]))
            return i;
    return -1;
}
