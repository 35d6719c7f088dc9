/* Files beside the objects, which begin with a dot: the limit, what was counted, and the
 * lock that is held while either changes or objects are removed. Readers need no lock: an
 * object that is removed while it is read stays readable, one that is gone is
 * compiled. */
#include "codegen/cache_room.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/cache_dir.h"
#include "ir/base/list.h"

static const char limit_name[] = ".limit", count_name[] = ".count", lock_name[] = ".lock";
static const int64_t LIMIT = INT64_C(512) << 20;

enum { LOCK_TRIES = 100, NUMBERS = 2, TEXT_BYTES = 64, BLOCK_BYTES = 512 };

/* -- small files --------------------------------------------------------------------- */

/* -1 if another holds it for long: nothing here is worth waiting for. */
static int lock(int dir)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    int fd = openat(dir, lock_name,
                    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    for (int i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (i == LOCK_TRIES) {
            close(fd);
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return fd;
}

static void unlock(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The numbers of a small file, 0 for those that are missing. */
static uint32_t read_numbers(int dir, const char *name, int64_t out[NUMBERS])
{
    char text[TEXT_BYTES] = "";
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[len < 0 ? 0 : len] = '\0';
    uint32_t count = 0;
    for (char *at = text, *end; count < NUMBERS; at = end) {
        errno = 0;
        long long number = strtoll(at, &end, 10);
        if (end == at || errno || number < 0)
            break;
        out[count++] = number;
    }
    for (uint32_t i = count; i < NUMBERS; i++)
        out[i] = 0;
    return count;
}

/* In one call, so that a program which is killed leaves the old ones or the new. */
static bool write_numbers(int dir, const char *name, const int64_t numbers[NUMBERS])
{
    char text[TEXT_BYTES];
    int len = snprintf(text, sizeof text, "%-20" PRId64 " %-20" PRId64 "\n", numbers[0],
                       numbers[1]);
    int fd =
        openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    bool is_written = fd >= 0 && pwrite(fd, text, (size_t)len, 0) == len;
    if (fd >= 0)
        is_written = close(fd) == 0 && is_written;
    return is_written;
}

bool cache_size_parse(const char *text, int64_t *out_bytes)
{
    static const char units[] = "KMGT";
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || !isdigit((unsigned char)text[0]) || errno)
        return false;
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (number > INT64_MAX >> shift || end[unit ? 1 : 0] != '\0')
        return false;
    *out_bytes = (int64_t)number << shift;
    return true;
}

static int64_t limit_of(int dir)
{
    int64_t numbers[NUMBERS], bytes;
    const char *text = getenv("VLGRAPH_CACHE_LIMIT");
    if (text && cache_size_parse(text, &bytes))
        return bytes;
    return read_numbers(dir, limit_name, numbers) ? numbers[0] : LIMIT;
}

bool cache_set_limit(int dir, int64_t bytes)
{
    return write_numbers(dir, limit_name, (int64_t[NUMBERS]){bytes});
}

void cache_count(int dir, int64_t hits, int64_t misses)
{
    int held = lock(dir);
    if (held < 0)
        return;
    int64_t numbers[NUMBERS];
    read_numbers(dir, count_name, numbers);
    numbers[0] += hits;
    numbers[1] += misses;
    (void)write_numbers(dir, count_name, numbers);
    unlock(held);
}

/* -- objects ------------------------------------------------------------------------- */

typedef struct CachedFile {
    char *name;
    struct timespec used;
    int64_t bytes;
} CachedFile;

typedef struct CacheListing {
    Arena *arena;
    CachedFile *entries; /* malloc'ed */
    size_t count, capacity;
    int64_t bytes;
} CacheListing;

static bool is_object(const char *name)
{
    size_t len = strlen(name), ending = strlen(CACHE_ENDING);
    return name[0] != '.' && len > ending &&
           strcmp(name + len - ending, CACHE_ENDING) == 0;
}

/* A file without a lock is no longer being written. */
static void remove_left_over(int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(dir, name, 0);
    close(fd);
}

static void add_entry(CacheListing *listing, int dir, const char *name)
{
    struct stat status;
    if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    LIST_ROOM(listing->entries, listing->count + 1, listing->capacity);
    int64_t blocks = (int64_t)status.st_blocks * BLOCK_BYTES;
    CachedFile entry = {.name = arena_string(listing->arena, name, strlen(name)),
                        .used = status.st_mtim,
                        .bytes =
                            blocks > status.st_size ? blocks : (int64_t)status.st_size};
    listing->entries[listing->count++] = entry;
    listing->bytes += entry.bytes;
}

static CacheListing list_objects(int dir)
{
    CacheListing listing = {.arena = arena_new()};
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = fd < 0 ? NULL : fdopendir(fd);
    if (!open && fd >= 0)
        close(fd);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        if (is_object(entry->d_name))
            add_entry(&listing, dir, entry->d_name);
        else if (strncmp(entry->d_name, CACHE_ASIDE, strlen(CACHE_ASIDE)) == 0)
            remove_left_over(dir, entry->d_name);
    }
    if (open)
        closedir(open);
    return listing;
}

static void listing_free(CacheListing *listing)
{
    free(listing->entries);
    arena_free(listing->arena);
}

CacheUse cache_use(int dir)
{
    int64_t numbers[NUMBERS];
    CacheListing listing = list_objects(dir);
    read_numbers(dir, count_name, numbers);
    CacheUse use = {.objects = (int64_t)listing.count,
                    .bytes = listing.bytes,
                    .limit = limit_of(dir),
                    .hits = numbers[0],
                    .misses = numbers[1]};
    listing_free(&listing);
    return use;
}

static int compare_use(const void *a, const void *b)
{
    const CachedFile *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

/* Whether no more than `limit` bytes are left. */
static bool trim_to(int dir, int64_t limit)
{
    int held = lock(dir);
    if (held < 0)
        return false;
    CacheListing listing = list_objects(dir);
    if (listing.bytes > limit && listing.count)
        qsort(listing.entries, listing.count, sizeof *listing.entries, compare_use);
    for (size_t i = 0; i < listing.count && listing.bytes > limit; i++)
        if (unlinkat(dir, listing.entries[i].name, 0) == 0 || errno == ENOENT)
            listing.bytes -= listing.entries[i].bytes;
    bool is_within = listing.bytes <= limit;
    listing_free(&listing);
    unlock(held);
    return is_within;
}

void cache_trim(int dir)
{
    (void)trim_to(dir, limit_of(dir));
}

bool cache_clear(int dir)
{
    return trim_to(dir, 0) && write_numbers(dir, count_name, (int64_t[NUMBERS]){0});
}
