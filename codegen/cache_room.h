/* How much room the object cache takes: counting, bounding and clearing it. Programs that
 * share a cache may do all of this at once. */
#ifndef VLG_CODEGEN_CACHE_ROOM_H
#define VLG_CODEGEN_CACHE_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* How names of objects end. */
#define CACHE_ENDING ".o"

typedef struct CacheUse {
    int64_t objects, bytes; /* as they take room on the disk */
    int64_t limit;
    int64_t hits, misses; /* kernels found and compiled since the cache was cleared */
} CacheUse;

/* `dir` is an open directory. */
CacheUse cache_use(int dir);
/* Adds to what is counted. */
void cache_count(int dir, int64_t hits, int64_t misses);
/* Removes the objects that were not used for longest, until the rest is within the limit,
 * and what writers that were killed have left. */
void cache_trim(int dir);
/* For this and later programs; VLGRAPH_CACHE_LIMIT in the environment goes before it.
 * False if it cannot be written. */
bool cache_set_limit(int dir, int64_t bytes);
/* Removes all objects; false if one is left. */
bool cache_clear(int dir);

/* "512M": bytes, or with K, M, G or T; false if it is no such number. */
bool cache_size_parse(const char *text, int64_t *out_bytes);

#endif
