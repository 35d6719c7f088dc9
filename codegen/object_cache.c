/* The object cache. File: magic, lengths and checksum; then identity and object. */
#include "codegen/object_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/hash.h"

/* VLG_CODEGEN_SOURCES is a hash of the emitters' sources, from codegen/CMakeLists.txt. */
static const char emitters_version[] = VLG_CODEGEN_SOURCES;

static const char magic[8] = "VLGOBJ1\n";

typedef struct ObjectHeader {
    char magic[8];
    uint64_t identity_bytes, object_bytes;
    uint64_t checksum; /* of identity and object */
} ObjectHeader;

enum { MOST_OBJECT_BYTES = 1 << 28, PATH_BYTES = 4096 };

void object_cache_open(ObjectCache *cache, const char *dir, const Processor *processor)
{
    cache->dir = dir;
    FILE *out = open_memstream(&cache->identity, &cache->identity_len);
    if (!out)
        abort();
    fprintf(out, "emitters %s\nllvm %s\ntriple %s\nprocessor %s\nfeatures %s\n",
            emitters_version, processor->version, processor->triple, processor->name,
            processor->features);
    fclose(out);
}

void object_cache_close(ObjectCache *cache)
{
    free(cache->identity);
    *cache = (ObjectCache){0};
}

static uint64_t hash_identity(const ObjectCache *cache, const Kernel *kernel,
                              uint64_t start)
{
    uint64_t hash = hash_bytes(start, cache->identity, cache->identity_len);
    return hash_word(hash,
                     hash_bytes(hash, kernel->description, kernel->description_len));
}

void object_cache_name(const ObjectCache *cache, Kernel *kernel)
{
    uint64_t low = hash_identity(cache, kernel, HASH_START);
    uint64_t high = hash_identity(cache, kernel, hash_word(low, HASH_START));
    snprintf(kernel->symbol, sizeof kernel->symbol, "kernel_%016llx%016llx",
             (unsigned long long)high, (unsigned long long)low);
}

static bool object_path(const ObjectCache *cache, const Kernel *kernel, char *out_path)
{
    int len = snprintf(out_path, PATH_BYTES, "%s/%s.o", cache->dir, kernel->symbol);
    return len > 0 && len < PATH_BYTES;
}

static uint64_t checksum(const ObjectCache *cache, const Kernel *kernel,
                         const void *object, size_t bytes)
{
    uint64_t hash = hash_bytes(HASH_START, cache->identity, cache->identity_len);
    hash = hash_bytes(hash, kernel->description, kernel->description_len);
    return hash_bytes(hash, object, bytes);
}

/* Whether the bytes `expected` come next. */
static bool read_equal(FILE *in, const void *expected, size_t len)
{
    char *bytes = heap_alloc(len + 1);
    bool equal = fread(bytes, 1, len, in) == len && memcmp(bytes, expected, len) == 0;
    free(bytes);
    return equal;
}

static void *read_object(const ObjectCache *cache, const Kernel *kernel, FILE *in,
                         size_t *out_bytes)
{
    ObjectHeader header;
    if (fread(&header, sizeof header, 1, in) != 1 ||
        memcmp(header.magic, magic, sizeof magic) != 0 ||
        header.identity_bytes != cache->identity_len + kernel->description_len ||
        header.object_bytes > MOST_OBJECT_BYTES ||
        !read_equal(in, cache->identity, cache->identity_len) ||
        !read_equal(in, kernel->description, kernel->description_len))
        return NULL;
    size_t bytes = (size_t)header.object_bytes;
    void *object = heap_alloc(bytes + 1);
    if (fread(object, 1, bytes, in) == bytes && fgetc(in) == EOF &&
        checksum(cache, kernel, object, bytes) == header.checksum) {
        *out_bytes = bytes;
        return object;
    }
    free(object);
    return NULL;
}

bool object_cache_load(const ObjectCache *cache, Kernel *kernel)
{
    char path[PATH_BYTES];
    if (!cache->dir || !object_path(cache, kernel, path))
        return false;
    FILE *in = fopen(path, "rb");
    if (!in)
        return false;
    size_t bytes = 0;
    void *object = read_object(cache, kernel, in, &bytes);
    fclose(in);
    if (!object)
        return false;
    kernel->object =
        LLVMCreateMemoryBufferWithMemoryRangeCopy(object, bytes, kernel->symbol);
    kernel->from_cache = true;
    free(object);
    return true;
}

static bool write_object(const ObjectCache *cache, const Kernel *kernel, FILE *out)
{
    const void *object = LLVMGetBufferStart(kernel->object);
    size_t bytes = LLVMGetBufferSize(kernel->object);
    ObjectHeader header = {
        .identity_bytes = cache->identity_len + kernel->description_len,
        .object_bytes = bytes,
        .checksum = checksum(cache, kernel, object, bytes),
    };
    memcpy(header.magic, magic, sizeof magic);
    return fwrite(&header, sizeof header, 1, out) == 1 &&
           fwrite(cache->identity, 1, cache->identity_len, out) == cache->identity_len &&
           fwrite(kernel->description, 1, kernel->description_len, out) ==
               kernel->description_len &&
           fwrite(object, 1, bytes, out) == bytes;
}

void object_cache_store(const ObjectCache *cache, const Kernel *kernel)
{
    char path[PATH_BYTES], aside[PATH_BYTES + 16];
    if (!cache->dir || !object_path(cache, kernel, path))
        return;
    snprintf(aside, sizeof aside, "%s.XXXXXX", path);
    int fd = mkstemp(aside);
    if (fd < 0)
        return;
    FILE *out = fdopen(fd, "wb");
    if (!out) {
        close(fd);
        unlink(aside);
        return;
    }
    bool good = write_object(cache, kernel, out);
    good = fclose(out) == 0 && good;
    if (!good || rename(aside, path) != 0)
        unlink(aside);
}

/* -- where it is --------------------------------------------------------------- */

static bool make_dirs(char *path)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        mkdir(path, 0700);
        *at = kept;
        if (kept == '\0')
            break;
    }
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

char *jit_default_cache_dir(void)
{
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int len = -1;
    if (base && base[0] == '/')
        len = asprintf(&path, "%s/vlgraph", base);
    else if (home && home[0] == '/')
        len = asprintf(&path, "%s/.cache/vlgraph", home);
    if (len < 0)
        return NULL;
    if (make_dirs(path))
        return path;
    free(path);
    return NULL;
}
