/* The memory of a module: parameters, states of the optimizer, and one gradient
 * accumulator per parameter that has a gradient, found by name. All of it is 64-byte
 * aligned, zero at first, and takes real memory only where it is touched. A frozen
 * parameter may instead point into a mapped file.
 *
 * Fill the store first (weights.h), then give it to session_new: a session keeps
 * the pointers. The numbers behind them may be written between steps, the pointers no
 * more. */
#ifndef VLG_RUNTIME_WEIGHTS_STORE_H
#define VLG_RUNTIME_WEIGHTS_STORE_H

#include "ir/graph.h"

typedef struct StoreEntry {
    const char *name;      /* canonical */
    const Param *param;    /* NULL for a state */
    const StateVar *state; /* NULL for a parameter */
    Type type;
    int64_t elements;
    float *data;     /* [elements] */
    float *gradient; /* [elements], sum over the batch; NULL unless a graph makes it */
    float *own;      /* [elements] of the store, and `data` unless that is mapped */
    bool mapped;     /* data is not the store's, and read only */
    bool given;      /* filled from a file, all or most of it, not by its rule */
} StoreEntry;

typedef struct Store Store;

Store *store_new(const Module *module); /* the module must outlive it */
void store_free(Store *store);          /* NULL is allowed */

const Module *store_module(const Store *store);
/* Parameters in the module's order, then states. */
uint32_t store_count(const Store *store);
StoreEntry *store_at(Store *store, uint32_t index);
/* By canonical name or, for parameters, any alias; NULL if there is none. */
StoreEntry *store_find(const Store *store, const char *name);
/* Makes a frozen parameter read `data`, of a file or shared memory that is mapped, which
 * outlives the store. False, and no change,
 * if `data` is not aligned as floats are or the parameter is one that checkpoints hold:
 * copy it then. */
NODISCARD bool store_map(StoreEntry *entry, const float *data);

/* Makes an entry's data the store's again, with the same numbers, to be written. */
void store_own(StoreEntry *entry);

/* Gives back the memory of a parameter that was mapped, which is a file's or shared with
 * another process: it comes back where it is read. Does nothing to others. */
void store_release(const StoreEntry *entry);

/* The first number of an entry that is not finite; -1 if all are. */
int64_t store_not_finite(const StoreEntry *entry);

/* Zeroed memory that costs nothing until it is touched; 64-byte aligned. */
void *pages_new(int64_t bytes);
void pages_free(void *pages, int64_t bytes);

#endif
