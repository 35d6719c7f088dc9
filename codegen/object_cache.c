/* The object cache. File: magic, lengths and authentication code; then identity and
 * object. */
#include "codegen/object_cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "codegen/cache_room.h"
#include "emitters_version.h"
#include "ir/base/arena.h"
#include "ir/base/cache_dir.h"
#include "ir/base/hash.h"
#include "ir/base/heap.h"

static const char magic[8] = "VLGOBJ2\n";
static const char key_name[] = ".key";

enum { MAC_BYTES = 32, MOST_OBJECT_BYTES = 1 << 28, NAME_BYTES = 64 };

typedef struct ObjectHeader {
    char magic[8];
    uint64_t identity_bytes, object_bytes;
    unsigned char mac[MAC_BYTES]; /* HMAC-SHA-256 of the file with zeros here */
} ObjectHeader;
enum { MAC_OFFSET = offsetof(ObjectHeader, mac) };

/* -- the key ------------------------------------------------------------------------- */

static void make_key(int dir)
{
    unsigned char key[CACHE_KEY_BYTES];
    if (getrandom(key, sizeof key, 0) == sizeof key)
        (void)cache_file_put_first(dir, key_name, key, sizeof key);
    OPENSSL_cleanse(key, sizeof key);
}

static bool read_all(int fd, void *bytes, size_t count)
{
    for (char *at = bytes; count > 0;) {
        ssize_t done = read(fd, at, count);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        count -= (size_t)done;
    }
    return true;
}

/* A regular file of this user's; its size, or -1. */
static int64_t own_file(int fd, mode_t forbidden)
{
    struct stat status;
    bool is_own = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                  status.st_uid == geteuid() && !(status.st_mode & forbidden);
    return is_own ? (int64_t)status.st_size : -1;
}

static bool read_key(ObjectCache *cache, char reason[CACHE_DIR_REASON])
{
    int fd = cache_file_open(cache->dir, key_name);
    if (fd < 0 && errno == ENOENT) {
        make_key(cache->dir);
        fd = cache_file_open(cache->dir, key_name);
    }
    if (fd < 0) {
        snprintf(reason, CACHE_DIR_REASON, "%s in it: %s", key_name, strerror(errno));
        return false;
    }
    bool ok = own_file(fd, 0077) == CACHE_KEY_BYTES &&
              read_all(fd, cache->key, sizeof cache->key);
    close(fd);
    if (!ok)
        snprintf(reason, CACHE_DIR_REASON,
                 "%s in it is no key that only this user can read: remove it", key_name);
    return ok;
}

/* -- the cache ----------------------------------------------------------------------- */

static void open_dir(ObjectCache *cache, const char *path, Diags *diags)
{
    char reason[CACHE_DIR_REASON];
    cache->dir = cache_dir_open(path, reason);
    if (cache->dir >= 0 && read_key(cache, reason))
        return;
    diag_warning(diags, (Loc){0}, "kernels are compiled anew, without the cache '%s': %s",
                 path, reason);
    if (cache->dir >= 0)
        close(cache->dir);
    cache->dir = -1;
}

void object_cache_open(ObjectCache *cache, const char *path, const Processor *processor,
                       Diags *diags)
{
    cache->dir = -1;
    FILE *out = heap_stream(&cache->identity, &cache->identity_len);
    fprintf(out, "emitters %s\nllvm %s\ntriple %s\nprocessor %s\nfeatures %s\n",
            EMITTERS_VERSION, processor->version, processor->triple, processor->name,
            processor->features);
    fprintf(out, "cache %" PRId64 "\nproducts %s\n", processor->second_cache,
            processor->calls_gemm ? "called" : "generated");
    fclose(out);
    if (path)
        open_dir(cache, path, diags);
}

void object_cache_close(ObjectCache *cache)
{
    if (cache->identity && cache->dir >= 0)
        close(cache->dir);
    OPENSSL_cleanse(cache->key, sizeof cache->key);
    free(cache->identity);
    *cache = (ObjectCache){.dir = -1};
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

static void object_name(const Kernel *kernel, char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "%s" CACHE_ENDING, kernel->symbol);
}

/* -- one file ------------------------------------------------------------------------ */

typedef struct ObjectFile {
    char *bytes;       /* malloc'ed: the header, the identity, the object */
    size_t len, start; /* of all; where the object begins */
} ObjectFile;

static ObjectFile file_new(const ObjectCache *cache, const Kernel *kernel, size_t bytes)
{
    size_t start = sizeof(ObjectHeader) + cache->identity_len + kernel->description_len;
    return (ObjectFile){heap_alloc(size_sum(start, bytes)), start + bytes, start};
}

/* With the code left out: all that does not depend on the object's bytes. */
static void put_front(const ObjectCache *cache, const Kernel *kernel,
                      const ObjectFile *file)
{
    ObjectHeader header = {
        .identity_bytes = cache->identity_len + kernel->description_len,
        .object_bytes = file->len - file->start,
    };
    memcpy(header.magic, magic, sizeof magic);
    char *at = file->bytes;
    memcpy(at, &header, sizeof header);
    at += sizeof header;
    memcpy(at, cache->identity, cache->identity_len);
    memcpy(at + cache->identity_len, kernel->description, kernel->description_len);
}

static bool sign(const ObjectCache *cache, const ObjectFile *file,
                 unsigned char out_mac[MAC_BYTES])
{
    unsigned len = MAC_BYTES;
    return HMAC(EVP_sha256(), cache->key, sizeof cache->key,
                (const unsigned char *)file->bytes, file->len, out_mac, &len) &&
           len == MAC_BYTES;
}

/* Whether the front that was read is that of the kernel, and all of it is ours. */
static bool is_authentic(const ObjectCache *cache, const Kernel *kernel,
                         const ObjectFile *file, const char *read)
{
    unsigned char mac[MAC_BYTES], *found = (unsigned char *)file->bytes + MAC_OFFSET;
    put_front(cache, kernel, file);
    memcpy(file->bytes + file->start, read + file->start, file->len - file->start);
    if (!sign(cache, file, mac) || CRYPTO_memcmp(mac, read + MAC_OFFSET, MAC_BYTES) != 0)
        return false;
    memcpy(found, mac, MAC_BYTES);
    return memcmp(read, file->bytes, file->start) == 0;
}

static void take_object(const ObjectCache *cache, Kernel *kernel, int fd, size_t bytes)
{
    ObjectFile file = file_new(cache, kernel, bytes);
    char *read = heap_alloc(file.len);
    if (read_all(fd, read, file.len) && is_authentic(cache, kernel, &file, read)) {
        kernel->object = LLVMCreateMemoryBufferWithMemoryRangeCopy(
            file.bytes + file.start, bytes, kernel->symbol);
        kernel->from_cache = true;
        (void)futimens(fd, NULL); /* used now: among the last to be removed */
    }
    free(read);
    free(file.bytes);
}

bool object_cache_load(const ObjectCache *cache, Kernel *kernel)
{
    char name[NAME_BYTES];
    object_name(kernel, name);
    int fd = cache->dir < 0 ? -1 : cache_file_open(cache->dir, name);
    if (fd < 0)
        return false;
    int64_t front =
        (int64_t)(sizeof(ObjectHeader) + cache->identity_len + kernel->description_len);
    int64_t bytes = own_file(fd, 0022) - front;
    if (bytes > 0 && bytes <= MOST_OBJECT_BYTES)
        take_object(cache, kernel, fd, (size_t)bytes);
    close(fd);
    return kernel->from_cache;
}

void object_cache_store(const ObjectCache *cache, const Kernel *kernel)
{
    char name[NAME_BYTES];
    size_t bytes = LLVMGetBufferSize(kernel->object);
    if (cache->dir < 0 || bytes > MOST_OBJECT_BYTES)
        return;
    object_name(kernel, name);
    ObjectFile file = file_new(cache, kernel, bytes);
    put_front(cache, kernel, &file);
    memcpy(file.bytes + file.start, LLVMGetBufferStart(kernel->object), bytes);
    unsigned char mac[MAC_BYTES];
    if (sign(cache, &file, mac)) {
        memcpy(file.bytes + MAC_OFFSET, mac, sizeof mac);
        (void)cache_file_put(cache->dir, name, file.bytes, file.len);
    }
    free(file.bytes);
}
