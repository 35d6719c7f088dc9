/* Object code on disk, a file per kernel.
 *
 * A kernel's identity is everything its code depends on: its description, the emitters'
 * version, LLVM's version and the processor. The file is named by a hash of the identity
 * and holds it in full with a checksum, so that a file that is stale, damaged or of
 * another kernel is ignored. A cache that cannot be read or written costs time and
 * nothing else. */
#ifndef VLG_CODEGEN_OBJECT_CACHE_H
#define VLG_CODEGEN_OBJECT_CACHE_H

#include "codegen/kernel.h"

typedef struct ObjectCache {
    const char *dir; /* NULL: no cache */
    char *identity;  /* of emitters, LLVM and processor; malloc'ed */
    size_t identity_len;
} ObjectCache;

void object_cache_open(ObjectCache *cache, const char *dir, const Processor *processor);
void object_cache_close(ObjectCache *cache);

/* Names the kernel's symbol after its identity. */
void object_cache_name(const ObjectCache *cache, Kernel *kernel);
/* Sets kernel->object and from_cache if there is a good file. */
bool object_cache_load(const ObjectCache *cache, Kernel *kernel);
void object_cache_store(const ObjectCache *cache, const Kernel *kernel);

#endif
