/* The object cache: code from it is the code that was compiled; files that are damaged,
 * forged or belong to something else are compiled again; a directory that cannot be used,
 * or that others can write in, costs only time; it stays within its limit; programs that
 * share it do not meet. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codegen/cache_room.h"
#include "ir/base/cache_dir.h"
#include "ir/base/heap.h"
#include "tests/check.h"
#include "tests/codegen/fixture.h"

enum { WIDTH = 40, KERNELS = 2 };

/* y = tanh(x) + 1 and, in a kernel of its own, z = sum_width(y) */
static bool run(const char *dir, float *out, JitStats *out_stats)
{
    Fixture f;
    fixture_open(&f);
    const Node *x = fixture_input(&f, "x", type_vector(DTYPE_f32, WIDTH));
    const Node *one = graph_constant(f.graph, (BuildSite){0}, 1);
    const Node *y = fixture_op(&f, OP_add, fixture_op(&f, OP_tanh, x, NULL), one);
    fixture_group(&f);
    const Node *z = fixture_op(&f, OP_sum_width, y, NULL);
    f.graph->nodes[z->id]->group = 1;
    fixture_result(&f, "y", y);
    fixture_result(&f, "z", z);
    bool ok = fixture_compile(&f, &(JitOptions){.cache_dir = dir});
    if (ok) {
        for (int i = 0; i < WIDTH; i++)
            fixture_floats(&f, x)[i] = (float)i / 7 - 3;
        fixture_run(&f);
        memcpy(out, fixture_floats(&f, y), WIDTH * sizeof *out);
        out[WIDTH] = *fixture_floats(&f, z);
        *out_stats = jit_stats(f.jit);
    }
    fixture_close(&f);
    return ok;
}

static void expect(Check *check, const char *what, const char *dir, const float *expected,
                   uint32_t from_cache)
{
    float got[WIDTH + 1];
    JitStats stats = {0};
    bool ok = run(dir, got, &stats);
    CHECK(check, ok, "%s: does not compile", what);
    if (!ok)
        return;
    CHECK(check, memcmp(got, expected, sizeof got) == 0, "%s: other results", what);
    CHECK(check, stats.distinct == KERNELS, "%s: %u kernels", what, stats.distinct);
    CHECK(check, stats.from_cache == from_cache,
          "%s: %u kernels from the cache, expected %u", what, stats.from_cache,
          from_cache);
}

/* Paths of the objects in `dir`, sorted by nothing; returns how many there are. */
static uint32_t object_paths(const char *dir, char paths[][512], uint32_t most)
{
    DIR *open = opendir(dir);
    uint32_t count = 0;
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (entry->d_name[0] != '.' && count < most)
            snprintf(paths[count++], 512, "%s/%s", dir, entry->d_name);
    if (open)
        closedir(open);
    return count;
}

static char *read_all(const char *path, size_t *out_len)
{
    FILE *in = fopen(path, "rb");
    char *bytes = heap_alloc(1 << 20);
    *out_len = in ? fread(bytes, 1, 1 << 20, in) : 0;
    if (in)
        fclose(in);
    return bytes;
}

static void write_all(const char *path, const char *bytes, size_t len)
{
    FILE *out = fopen(path, "wb");
    if (out) {
        fwrite(bytes, 1, len, out);
        fclose(out);
    }
}

/* Flips a bit at each of many places, cuts the file short, lengthens it. */
static void test_damage(Check *check, const char *dir, const char *path,
                        const float *expected)
{
    size_t len;
    char *bytes = read_all(path, &len);
    CHECK(check, len > 64, "%s holds %zu bytes", path, len);
    for (size_t at = 0; at < len; at += len / 11 + 1) {
        bytes[at] ^= 0x10;
        write_all(path, bytes, len);
        bytes[at] ^= 0x10;
        expect(check, "a flipped bit", dir, expected, KERNELS - 1);
        expect(check, "repaired", dir, expected, KERNELS);
    }
    const size_t cuts[] = {0, 1, 20, len / 2, len - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        write_all(path, bytes, cuts[i]);
        expect(check, "cut short", dir, expected, KERNELS - 1);
    }
    bytes[len] = 0;
    write_all(path, bytes, len + 1);
    expect(check, "too long", dir, expected, KERNELS - 1);
    free(bytes);
}

/* A good file under the name of another kernel, as if two names collided. */
static void test_collision(Check *check, const char *dir, char paths[][512],
                           const float *expected)
{
    size_t len;
    char *bytes = read_all(paths[0], &len);
    write_all(paths[1], bytes, len);
    free(bytes);
    expect(check, "another kernel's file", dir, expected, KERNELS - 1);
}

/* Whoever has no key can write whole, well-formed files, but none that runs. */
static void test_forgery(Check *check, const char *dir, char paths[][512],
                         const float *expected)
{
    char other[] = "/tmp/vlgraph-cache-test-XXXXXX", key[64];
    if (!mkdtemp(other))
        return;
    expect(check, "another cache", other, expected, 0);
    for (int i = 0; i < KERNELS; i++) {
        char from[600];
        size_t len;
        snprintf(from, sizeof from, "%s/%s", other, strrchr(paths[i], '/') + 1);
        char *bytes = read_all(from, &len);
        CHECK(check, len > 0, "%s is missing", from);
        write_all(paths[i], bytes, len);
        unlink(from);
        free(bytes);
    }
    expect(check, "objects under another key", dir, expected, 0);
    expect(check, "replaced", dir, expected, KERNELS);
    static const char *const beside[] = {".key", ".count", ".lock"};
    for (int i = 0; i < 3; i++) {
        snprintf(key, sizeof key, "%s/%s", other, beside[i]);
        unlink(key);
    }
    CHECK(check, rmdir(other) == 0, "%s has other files", other);
}

/* An object that is a link is not followed, and replaced by a file. */
static void test_link(Check *check, const char *dir, const char *path,
                      const float *expected)
{
    char aside[600];
    snprintf(aside, sizeof aside, "%s.aside", path);
    CHECK(check, rename(path, aside) == 0 && symlink(aside, path) == 0, "no link");
    expect(check, "an object that is a link", dir, expected, KERNELS - 1);
    struct stat status;
    CHECK(check, lstat(path, &status) == 0 && S_ISREG(status.st_mode),
          "it stayed a link");
    unlink(aside);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mode & 07777 : 0;
}

static void test_private(Check *check, const char *dir, const float *expected)
{
    char key[64], link[64];
    size_t len;
    static const mode_t writable[] = {0777, 01777, 0770, 0702};
    for (int i = 0; i < 4; i++) {
        chmod(dir, writable[i]);
        expect(check, "a directory that others may write in", dir, expected, 0);
    }
    chmod(dir, 0755);
    expect(check, "a directory that others may read", dir, expected, KERNELS);
    CHECK(check, mode_of(dir) == 0700, "it has mode %o", (unsigned)mode_of(dir));
    if (geteuid() == 0) {
        CHECK(check, chown(dir, 1, (gid_t)-1) == 0, "cannot be given away");
        expect(check, "another user's directory", dir, expected, 0);
        CHECK(check, chown(dir, 0, (gid_t)-1) == 0, "cannot be taken back");
    }
    snprintf(link, sizeof link, "%s-link", dir);
    CHECK(check, symlink(dir, link) == 0, "no link");
    expect(check, "a link to the directory", link, expected, 0);
    unlink(link);
    snprintf(key, sizeof key, "%s/.key", dir);
    CHECK(check, mode_of(key) == 0600, "the key has mode %o", (unsigned)mode_of(key));
    chmod(key, 0604);
    expect(check, "a key that others may read", dir, expected, 0);
    chmod(key, 0600);
    expect(check, "private again", dir, expected, KERNELS);
    char *bytes = read_all(key, &len);
    write_all(key, bytes, len - 1);
    expect(check, "a short key", dir, expected, 0);
    write_all(key, bytes, len);
    free(bytes);
    expect(check, "whole again", dir, expected, KERNELS);
}

/* -- room -----------------------------------------------------------------------------
 */

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void test_limit(Check *check, const char *dir, char paths[][512],
                       const float *expected)
{
    int open_dir = open(dir, O_RDONLY | O_DIRECTORY);
    const struct timespec older[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    CacheUse use = cache_use(open_dir);
    CHECK(check,
          use.objects == KERNELS && use.bytes > 0 && use.hits > 0 && use.misses > 0,
          "%lld objects, %lld hits", (long long)use.objects, (long long)use.hits);
    CHECK(check, use.limit == INT64_C(512) << 20, "limit %lld", (long long)use.limit);
    for (int i = 0; i < KERNELS; i++) {
        utimensat(AT_FDCWD, paths[i], older, 0);
        expect(check, "both used", dir, expected, KERNELS);
        utimensat(AT_FDCWD, paths[i], older, 0);
        CHECK(check, cache_set_limit(open_dir, use.bytes), "no limit");
        cache_trim(open_dir);
        CHECK(check, cache_use(open_dir).objects == KERNELS, "removed without need");
        CHECK(check, cache_set_limit(open_dir, use.bytes - 1), "no limit");
        cache_trim(open_dir);
        CHECK(check, !exists(paths[i]) && exists(paths[1 - i]), "not the oldest: %d", i);
        cache_set_limit(open_dir, use.limit);
        expect(check, "one was removed", dir, expected, KERNELS - 1);
    }
    setenv("VLGRAPH_CACHE_LIMIT", "0", 1);
    expect(check, "no room", dir, expected, KERNELS);
    CHECK(check, unlink(paths[0]) == 0, "%s is missing", paths[0]);
    expect(check, "no room", dir, expected, KERNELS - 1);
    CHECK(check, cache_use(open_dir).objects == 0, "objects are kept");
    unsetenv("VLGRAPH_CACHE_LIMIT");
    expect(check, "room again", dir, expected, 0);
    CHECK(check, cache_clear(open_dir) && cache_use(open_dir).objects == 0,
          "not cleared");
    expect(check, "cleared", dir, expected, 0);
    close(open_dir);
}

static void test_sizes(Check *check)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } sizes[] = {{"0", 0},
                 {"17", 17},
                 {"3K", 3072},
                 {"512M", INT64_C(512) << 20},
                 {"2g", INT64_C(2) << 30},
                 {"", -1},
                 {"M", -1},
                 {"-1", -1},
                 {"1X", -1},
                 {"1KB", -1},
                 {" 1", -1},
                 {"99999999999999999999", -1},
                 {"9000000000G", -1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t bytes = -1;
        bool is_size = cache_size_parse(sizes[i].text, &bytes);
        CHECK(check,
              is_size == (sizes[i].bytes >= 0) && (!is_size || bytes == sizes[i].bytes),
              "'%s' is %lld", sizes[i].text, (long long)bytes);
    }
}

static void test_left_over(Check *check, const char *dir)
{
    char dead[64], alive[64];
    int open_dir = open(dir, O_RDONLY | O_DIRECTORY);
    snprintf(dead, sizeof dead, "%s/" CACHE_ASIDE "dead", dir);
    snprintf(alive, sizeof alive, "%s/" CACHE_ASIDE "alive", dir);
    write_all(dead, "x", 1);
    int held = open(alive, O_RDWR | O_CREAT, 0600);
    flock(held, LOCK_EX);
    cache_trim(open_dir);
    CHECK(check, !exists(dead), "what a killed writer left stays");
    CHECK(check, exists(alive), "what is being written is removed");
    close(held);
    cache_trim(open_dir);
    CHECK(check, !exists(alive), "it stays");
    close(open_dir);
}

/* -- sharing --------------------------------------------------------------------------
 */

/* Whether results stay right while others write the same objects and remove them. */
static int share(const char *dir, const float *expected, int process)
{
    enum { ROUNDS = 8 };
    if (process % 2)
        setenv("VLGRAPH_CACHE_LIMIT", "5K", 1); /* room for one object */
    for (int i = 0; i < ROUNDS; i++) {
        float got[WIDTH + 1];
        JitStats stats;
        if (!run(dir, got, &stats) || memcmp(got, expected, sizeof got) != 0)
            return 1;
    }
    return 0;
}

static void test_sharing(Check *check, const char *dir, const float *expected)
{
    enum { PROCESSES = 6, KILLED = 2 };
    pid_t processes[PROCESSES];
    fflush(NULL);
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = fork();
        if (processes[i] == 0)
            _exit(share(dir, expected, i));
    }
    usleep(30000);
    for (int i = 0; i < KILLED; i++)
        kill(processes[i], SIGKILL);
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;
        waitpid(processes[i], &status, 0);
        CHECK(check, i < KILLED || status == 0, "a program that shares it: status %d",
              status);
    }
    JitStats stats;
    float got[WIDTH + 1];
    CHECK(check, run(dir, got, &stats) && memcmp(got, expected, sizeof got) == 0,
          "after sharing");
    expect(check, "after sharing", dir, expected, KERNELS);
    int open_dir = open(dir, O_RDONLY | O_DIRECTORY);
    cache_trim(open_dir);
    close(open_dir);
}

/* -- where it is ----------------------------------------------------------------------
 */

static void test_default_dir(Check *check, const char *dir)
{
    char expected[64];
    snprintf(expected, sizeof expected, "%s/vlgraph", dir);
    setenv("XDG_CACHE_HOME", dir, 1);
    char *found = cache_dir_path();
    CHECK(check, found && strcmp(found, expected) == 0, "it is %s",
          found ? found : "none");
    CHECK(check, mode_of(expected) == 0700, "it has mode %o",
          (unsigned)mode_of(expected));
    rmdir(expected);
    free(found);
    setenv("XDG_CACHE_HOME", "relative", 1);
    setenv("HOME", dir, 1);
    snprintf(expected, sizeof expected, "%s/.cache/vlgraph", dir);
    found = cache_dir_path();
    CHECK(check, found && strcmp(found, expected) == 0, "it is %s",
          found ? found : "none");
    rmdir(expected);
    *strrchr(expected, '/') = '\0';
    rmdir(expected);
    free(found);
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", "relative", 1);
    found = cache_dir_path();
    CHECK(check, !found, "it is %s", found);
    free(found);
}

static void remove_all(const char *dir)
{
    DIR *open = opendir(dir);
    for (struct dirent *entry; open && (entry = readdir(open));)
        unlinkat(dirfd(open), entry->d_name, 0);
    if (open)
        closedir(open);
}

int main(void)
{
    Check check = {0};
    char dir[] = "/tmp/vlgraph-cache-test-XXXXXX", missing[64], file[64], paths[8][512];
    if (!mkdtemp(dir))
        return 1;
    float expected[WIDTH + 1];
    JitStats stats;
    unsetenv("VLGRAPH_CACHE_LIMIT");
    CHECK(&check, run(NULL, expected, &stats), "does not compile");
    expect(&check, "no cache", NULL, expected, 0);
    expect(&check, "cold", dir, expected, 0);
    expect(&check, "warm", dir, expected, KERNELS);
    uint32_t count = object_paths(dir, paths, 8);
    CHECK(&check, count == KERNELS, "%u files", count);
    if (count == KERNELS) {
        test_damage(&check, dir, paths[0], expected);
        test_collision(&check, dir, paths, expected);
        test_forgery(&check, dir, paths, expected);
        test_link(&check, dir, paths[0], expected);
        test_private(&check, dir, expected);
        test_limit(&check, dir, paths, expected);
        test_left_over(&check, dir);
        test_sharing(&check, dir, expected);
    }
    test_sizes(&check);
    CHECK(&check, object_paths(dir, paths, 8) == KERNELS, "files are left behind");
    snprintf(missing, sizeof missing, "%s/none/such", dir);
    expect(&check, "a missing directory", missing, expected, 0);
    snprintf(file, sizeof file, "%s/file", dir);
    write_all(file, "x", 1);
    expect(&check, "a directory that is a file", file, expected, 0);
    remove_all(dir);
    test_default_dir(&check, dir);
    CHECK(&check, rmdir(dir) == 0, "files are left behind");
    return check_finish(&check);
}
