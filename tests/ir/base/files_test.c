/* Files are read only if regular, and replaced in one step, through links. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/cache_dir.h"
#include "ir/base/files.h"
#include "tests/check.h"

typedef struct Test {
    Check check;
    Arena *arena;
    const char *directory;
    Diags *diags;
} Test;

static const char *in(Test *test, const char *name)
{
    return arena_format(test->arena, "%s/%s", test->directory, name);
}

static bool holds(Test *test, const char *name, const char *expected)
{
    size_t len;
    char *bytes = file_read(in(test, name), 1000, &len, test->diags);
    bool is_equal = bytes && len == strlen(expected) && strcmp(bytes, expected) == 0;
    free(bytes);
    return is_equal;
}

static bool put(Test *test, const char *name, const char *text)
{
    return file_replace(in(test, name), text, strlen(text), test->diags);
}

static mode_t mode_of(Test *test, const char *name)
{
    struct stat status;
    return lstat(in(test, name), &status) == 0 ? status.st_mode : 0;
}

static void test_reading(Test *test)
{
    Check *check = &test->check;
    size_t len;
    CHECK(check, put(test, "text", "0123456789"), "writes");
    CHECK(check, holds(test, "text", "0123456789"), "reads");
    char *cut = file_read(in(test, "text"), 9, &len, test->diags);
    CHECK(check, !cut, "ten bytes where nine are allowed");
    char *whole = file_read(in(test, "text"), 10, &len, test->diags);
    CHECK(check, whole && len == 10, "ten bytes where ten are allowed");
    free(whole);
    CHECK(check, mkfifo(in(test, "pipe"), 0600) == 0, "makes a pipe");
    CHECK(check, file_open(in(test, "pipe"), test->diags) < 0, "a pipe is not read");
    CHECK(check, file_open(test->directory, test->diags) < 0, "nor a directory");
    CHECK(check, file_open("/dev/zero", test->diags) < 0, "nor a device");
    CHECK(check, file_open(in(test, "none"), test->diags) < 0, "nor what is missing");
}

static void test_writing(Test *test)
{
    Check *check = &test->check;
    CHECK(check, put(test, "file", "old") && put(test, "file", "new"), "replaces");
    CHECK(check, holds(test, "file", "new"), "by the new one");
    CHECK(check, chmod(in(test, "file"), 0640) == 0 && put(test, "file", "again"),
          "replaces a file of another mode");
    CHECK(check, (mode_of(test, "file") & 0777) == 0640, "and keeps the mode");
    CHECK(check, symlink("file", in(test, "link")) == 0 && put(test, "link", "through"),
          "writes through a link");
    CHECK(check, S_ISLNK(mode_of(test, "link")) && holds(test, "file", "through"),
          "which stays a link");
    CHECK(check, symlink("later", in(test, "dangling")) == 0, "links to nothing");
    CHECK(check, put(test, "dangling", "made") && holds(test, "later", "made"),
          "a link to nothing makes the file it names");
    CHECK(check, symlink("loop", in(test, "loop")) == 0 && !put(test, "loop", "x"),
          "a link to itself is refused");
}

static void test_refusals(Test *test)
{
    Check *check = &test->check;
    CHECK(check, mkfifo(in(test, "fifo"), 0600) == 0 && !put(test, "fifo", "x"),
          "a pipe is not replaced");
    CHECK(check, S_ISFIFO(mode_of(test, "fifo")), "and stays a pipe");
    CHECK(check, !put(test, "", "x"), "a directory is not replaced");
    struct stat status;
    CHECK(check, !file_replace("/dev/null", "x", 1, test->diags), "nor a device");
    CHECK(check, stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode),
          "which stays one");
    NewFile *file = new_file_open(in(test, "file"), test->diags);
    CHECK(check, file && fputs("lost", new_file_stream(file)) >= 0, "begins a file");
    new_file_discard(file);
    CHECK(check, holds(test, "file", "through"), "a file given up leaves the old one");
    CHECK(check, directory_make(in(test, "a/b/c"), test->diags), "makes directories");
    CHECK(check, S_ISDIR(mode_of(test, "a/b/c")), "all of them");
    CHECK(check, !directory_make(in(test, "file/d"), test->diags), "not below a file");
}

static bool cached(int dir, const char *name, const char *expected)
{
    char bytes[16];
    int descriptor = cache_file_open(dir, name);
    ssize_t len = descriptor >= 0 ? read(descriptor, bytes, sizeof bytes) : -1;
    if (descriptor >= 0)
        close(descriptor);
    return len == (ssize_t)strlen(expected) && memcmp(bytes, expected, (size_t)len) == 0;
}

static void test_cache(Test *test)
{
    Check *check = &test->check;
    char reason[CACHE_DIR_REASON];
    CHECK(check, directories_make(in(test, "cache"), 0755), "makes a directory");
    int dir = cache_dir_open(in(test, "cache"), reason);
    CHECK(check, dir >= 0 && (mode_of(test, "cache") & 0777) == 0700, "made private");
    CHECK(check, cache_file_put(dir, "a", "old", 3) && cached(dir, "a", "old"), "writes");
    CHECK(check, cache_file_put(dir, "a", "new", 3) && cached(dir, "a", "new"),
          "the last one is there");
    CHECK(check, cache_file_put_first(dir, "b", "old", 3) && cached(dir, "b", "old"),
          "makes what is not there");
    CHECK(check, cache_file_put_first(dir, "b", "new", 3) && cached(dir, "b", "old"),
          "the first one is there");
    CHECK(check, symlinkat("a", dir, "c") == 0 && cache_file_open(dir, "c") < 0,
          "a link is not followed");
    CHECK(check, cache_file_put(dir, "c", "own", 3) && cached(dir, "a", "new"),
          "nor written through");
    for (const char *name = "abc"; *name; name++)
        unlinkat(dir, (char[]){*name, '\0'}, 0);
    close(dir);
    CHECK(check, rmdir(in(test, "cache")) == 0, "nothing is left: %s", strerror(errno));
}

/* What is left beside the files would be found by rmdir. */
static void test_nothing_left(Test *test)
{
    static const char *const made[] = {"text",     "pipe",  "file", "link",
                                       "dangling", "later", "loop", "fifo"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        unlink(in(test, made[i]));
    rmdir(in(test, "a/b/c"));
    rmdir(in(test, "a/b"));
    rmdir(in(test, "a"));
    CHECK(&test->check, rmdir(test->directory) == 0, "nothing is left beside: %s",
          strerror(errno));
}

int main(void)
{
    char directory[] = "/tmp/vlgraph_files_XXXXXX";
    char *messages;
    size_t messages_len;
    FILE *out = open_memstream(&messages, &messages_len);
    Test test = {.arena = arena_new(), .directory = mkdtemp(directory)};
    test.diags = diags_new(out);
    test_reading(&test);
    test_writing(&test);
    test_refusals(&test);
    test_cache(&test);
    test_nothing_left(&test);
    CHECK(&test.check, diags_error_count(test.diags) == 10, "%u messages",
          diags_error_count(test.diags));
    diags_free(test.diags);
    fclose(out);
    free(messages);
    arena_free(test.arena);
    return check_finish(&test.check);
}
