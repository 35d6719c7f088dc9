/* The object cache: code from it is the code that was compiled; files that are damaged or
 * belong to something else are compiled again; a directory that cannot be used costs only
 * time. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    bool good = fixture_compile(&f, &(JitOptions){.cache_dir = dir});
    if (good) {
        for (int i = 0; i < WIDTH; i++)
            fixture_floats(&f, x)[i] = (float)i / 7 - 3;
        fixture_run(&f);
        memcpy(out, fixture_floats(&f, y), WIDTH * sizeof *out);
        out[WIDTH] = *fixture_floats(&f, z);
        *out_stats = jit_stats(f.jit);
    }
    fixture_close(&f);
    return good;
}

static void expect(Check *check, const char *what, const char *dir, const float *expected,
                   uint32_t from_cache)
{
    float got[WIDTH + 1];
    JitStats stats = {0};
    bool good = run(dir, got, &stats);
    CHECK(check, good, "%s: does not compile", what);
    if (!good)
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

static void test_default_dir(Check *check, const char *dir)
{
    char expected[64];
    snprintf(expected, sizeof expected, "%s/vlgraph", dir);
    setenv("XDG_CACHE_HOME", dir, 1);
    char *found = jit_default_cache_dir();
    struct stat status;
    CHECK(check, found && strcmp(found, expected) == 0, "it is %s",
          found ? found : "none");
    CHECK(check, stat(expected, &status) == 0 && S_ISDIR(status.st_mode),
          "it does not exist");
    rmdir(expected);
    free(found);
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", "relative", 1);
    found = jit_default_cache_dir();
    CHECK(check, !found, "it is %s", found);
    free(found);
}

int main(void)
{
    Check check = {0};
    char dir[] = "/tmp/vlgraph-cache-test-XXXXXX", missing[64], file[64], paths[8][512];
    if (!mkdtemp(dir))
        return 1;
    float expected[WIDTH + 1];
    JitStats stats;
    CHECK(&check, run(NULL, expected, &stats), "does not compile");
    expect(&check, "no cache", NULL, expected, 0);
    expect(&check, "cold", dir, expected, 0);
    expect(&check, "warm", dir, expected, KERNELS);
    uint32_t count = object_paths(dir, paths, 8);
    CHECK(&check, count == KERNELS, "%u files", count);
    if (count == KERNELS) {
        test_damage(&check, dir, paths[0], expected);
        test_collision(&check, dir, paths, expected);
    }
    CHECK(&check, object_paths(dir, paths, 8) == KERNELS, "files are left behind");
    snprintf(missing, sizeof missing, "%s/none/such", dir);
    expect(&check, "a missing directory", missing, expected, 0);
    snprintf(file, sizeof file, "%s/file", dir);
    write_all(file, "x", 1);
    expect(&check, "a directory that is a file", file, expected, 0);
    unlink(file);
    for (uint32_t i = 0; i < count; i++)
        unlink(paths[i]);
    test_default_dir(&check, dir);
    CHECK(&check, rmdir(dir) == 0, "files are left behind");
    return check_finish(&check);
}
