/* Hashing with XXH3, and remembering the result in a file of the user's cache directory:
 * a line "key hash" for each set of files, the last ones kept. What cannot be remembered
 * is hashed again, and nothing is said of it. */
#include "runtime/weights/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "ir/base/arena.h"
#include "ir/base/cache_dir.h"
#include "ir/base/clock.h"

enum { LINE_BYTES = 34, MOST_LINES = 256, SETTLED_SECONDS = 2, HEXADECIMAL = 16 };

static const char NAME[] = ".fingerprints";

/* -- hashing ------------------------------------------------------------------------ */

static void hash_tensor(XXH3_state_t *state, const Tensor *tensor)
{
    XXH3_64bits_update(state, tensor->name, strlen(tensor->name) + 1);
    XXH3_64bits_update(state, tensor->type, strlen(tensor->type) + 1);
    XXH3_64bits_update(state, &tensor->rank, sizeof tensor->rank);
    XXH3_64bits_update(state, tensor->dims, tensor->rank * sizeof *tensor->dims);
    XXH3_64bits_update(state, tensor->bytes, (size_t)tensor->byte_count);
}

static XXH3_state_t *new_state(void)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_64bits_reset(state) != XXH_OK) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return state;
}

static uint64_t finish(XXH3_state_t *state)
{
    uint64_t hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return hash ? hash : 1;
}

uint64_t weights_hash(const TensorSet *set)
{
    XXH3_state_t *state = new_state();
    for (uint32_t i = 0; i < tensor_set_count(set); i++)
        hash_tensor(state, tensor_set_at(set, i));
    return finish(state);
}

/* -- remembering -------------------------------------------------------------------- */

/* Of the files as they were opened; 0 if one was changed so lately that the next change
 * might leave the same time. */
static uint64_t hash_files(const TensorSet *set)
{
    XXH3_state_t *state = new_state();
    bool is_settled = true;
    for (uint32_t i = 0; i < tensor_set_file_count(set); i++) {
        const struct stat *status = tensor_file_status(tensor_set_file_at(set, i));
        const int64_t facts[] = {
            (int64_t)status->st_dev,  (int64_t)status->st_ino,
            (int64_t)status->st_size, (int64_t)status->st_mtim.tv_sec,
            status->st_mtim.tv_nsec,  (int64_t)status->st_ctim.tv_sec,
            status->st_ctim.tv_nsec};
        XXH3_64bits_update(state, facts, sizeof facts);
        time_t now = clock_date();
        is_settled = is_settled && now - status->st_mtim.tv_sec > SETTLED_SECONDS &&
                     now - status->st_ctim.tv_sec > SETTLED_SECONDS;
    }
    for (uint32_t i = 0; i < tensor_set_count(set); i++) {
        const char *name = tensor_set_at(set, i)->name;
        XXH3_64bits_update(state, name, strlen(name) + 1);
    }
    uint64_t key = finish(state);
    return is_settled ? key : 0;
}

static int open_cache(void)
{
    char reason[CACHE_DIR_REASON];
    char *path = cache_dir_path();
    int directory = path ? cache_dir_open(path, reason) : -1;
    free(path);
    return directory;
}

/* The lines of the file, whole ones only; a string in `out`. */
static size_t read_lines(int directory, char out[MOST_LINES * LINE_BYTES + 1])
{
    int file = cache_file_open(directory, NAME);
    ssize_t len = file < 0 ? 0 : read(file, out, MOST_LINES * LINE_BYTES);
    if (file >= 0)
        close(file);
    size_t used = len > 0 ? (size_t)len / LINE_BYTES * LINE_BYTES : 0;
    out[used] = '\0';
    return used;
}

static uint64_t find_line(const char *lines, size_t used, uint64_t key)
{
    for (size_t at = 0; at < used; at += LINE_BYTES)
        if (strtoull(lines + at, NULL, HEXADECIMAL) == key && lines[at + 16] == ' ')
            return strtoull(lines + at + 17, NULL, HEXADECIMAL);
    return 0;
}

/* The new line stands first, so that the oldest falls off the end. */
static void add_line(int directory, const char *lines, size_t used, uint64_t key,
                     uint64_t hash)
{
    char text[MOST_LINES * LINE_BYTES + 1];
    size_t most = (MOST_LINES - 1) * LINE_BYTES, kept = used < most ? used : most;
    snprintf(text, sizeof text, "%016" PRIx64 " %016" PRIx64 "\n", key, hash);
    memcpy(text + LINE_BYTES, lines, kept);
    (void)cache_file_put(directory, NAME, text, LINE_BYTES + kept);
}

uint64_t weights_fingerprint(const TensorSet *set)
{
    char lines[MOST_LINES * LINE_BYTES + 1];
    uint64_t key = hash_files(set);
    int directory = key ? open_cache() : -1;
    if (directory < 0)
        return weights_hash(set);
    size_t used = read_lines(directory, lines);
    uint64_t hash = find_line(lines, used, key);
    if (!hash) {
        hash = weights_hash(set);
        add_line(directory, lines, used, key, hash);
    }
    close(directory);
    return hash;
}
