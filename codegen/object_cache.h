/* Object code on disk, a file per kernel.
 *
 * A kernel's identity is everything its code depends on: its description, the sources of
 * the emitters, LLVM's version and the processor. The file is named by a hash of the
 * identity and holds it in full.
 *
 * Objects are code that will run, so the directory must be the user's alone
 * (ir/base/cache_dir.h), and every file ends with an HMAC under a secret key that is kept
 * beside it and never leaves it. A file that is stale, damaged, of another kernel or
 * written without the key is ignored and replaced. A cache that cannot be used costs time
 * and nothing else. */
#ifndef VLG_CODEGEN_OBJECT_CACHE_H
#define VLG_CODEGEN_OBJECT_CACHE_H

#include "codegen/kernel.h"

enum { CACHE_KEY_BYTES = 32 };

typedef struct ObjectCache {
    int dir; /* file descriptor; -1: no cache */
    unsigned char key[CACHE_KEY_BYTES];
    char *identity; /* of emitters, LLVM and processor; malloc'ed */
    size_t identity_len;
} ObjectCache;

/* In the directory `path`; NULL: no cache. A warning says why one cannot be used. */
void object_cache_open(ObjectCache *cache, const char *path, const Processor *processor,
                       Diags *diags);
void object_cache_close(ObjectCache *cache);

/* Names the kernel's symbol after its identity. */
void object_cache_name(const ObjectCache *cache, Kernel *kernel);
/* Sets kernel->object and from_cache if there is a good file. */
bool object_cache_load(const ObjectCache *cache, Kernel *kernel);
void object_cache_store(const ObjectCache *cache, const Kernel *kernel);

#endif
