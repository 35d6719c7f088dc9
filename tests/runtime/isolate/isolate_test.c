/* Files read in processes of their own: results of many parts, and every way to fail ends
 * with an error that names the file, after which the next file is read as if nothing had
 * happened. */
#include "runtime/isolate/isolate.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/scratch.h"

enum { MEBIBYTE = 1 << 20, PARTS = 5 };

/* -- handlers: what they do stands in the request ------------------------------------ */

static bool echo(const IsolateInput *input, IsolateReply *reply)
{
    char *part = isolate_part(reply, 4096);
    ssize_t got = read(input->file, part, 4096);
    memset(part + got, 0, (size_t)(4096 - got));
    return got >= 0;
}

/* Each part is larger than the one before. */
static bool send_parts(IsolateReply *reply)
{
    for (size_t i = 1; i <= PARTS; i++)
        memset(isolate_part(reply, i * MEBIBYTE), (int)i, i * MEBIBYTE);
    return true;
}

static bool take_memory(const IsolateInput *input, Diags *diags)
{
    void *memory = malloc((size_t)256 * MEBIBYTE);
    if (!memory)
        diag_error(diags, (Loc){.file = input->path}, "needs more memory than there is");
    return memory;
}

static bool open_another(const IsolateInput *input, Diags *diags)
{
    if (open(input->path, O_RDONLY) >= 0)
        return true;
    diag_error(diags, (Loc){.file = input->path}, "nothing can be opened");
    return false;
}

/* Which process it is, and what an earlier file has left behind. */
static char left_behind = 'a';

static bool remember(IsolateReply *reply)
{
    char *part = isolate_part(reply, 1);
    *part = left_behind++;
    return true;
}

/* As if something outside had ended the server: once if a file says so, else always. */
static bool end_server(const IsolateInput *input, IsolateReply *reply)
{
    char once[512];
    (void)snprintf(once, sizeof once, "%s.once", input->path);
    if (*(const char *)input->request == 'o' && unlink(once) != 0)
        return echo(input, reply);
    (void)kill(getppid(), SIGKILL);
    for (;;)
        pause();
}

static bool obey(const IsolateInput *input, IsolateReply *reply, Diags *diags)
{
    const char *order = input->request;
    switch (input->request_bytes ? *order : 'e') {
    case 'e':
        return echo(input, reply);
    case 'p':
        return send_parts(reply);
    case 'n':
        return true;
    case 's':
        return raise(SIGSEGV) == 0;
    case 'a':
        abort();
    case 'm':
        return take_memory(input, diags);
    case 'h': /* as heap_alloc does */
        exit(EXIT_FAILURE);
    case 't':
        for (;;)
            pause();
    case 'w':
        return open_another(input, diags);
    case 'o':
    case 'k':
        return end_server(input, reply);
    case 'r':
        return remember(reply);
    default:
        diag_error(diags, (Loc){.file = input->path}, "has the %s", "fault");
        diag_error(diags, (Loc){.file = input->path}, "second fault");
        return false;
    }
}

static const IsolateHandler handler = {.name = "test", .read = obey};

/* -- calls --------------------------------------------------------------------------- */

static IsolateCall call_for(const char *path, const char *order)
{
    return (IsolateCall){.handler = "test",
                         .path = path,
                         .request = order,
                         .request_bytes = strlen(order),
                         .memory = 64 * MEBIBYTE,
                         .seconds = *order == 't' ? 1 : 60};
}

static void check_good(Check *check, Isolate *isolate, const char *path)
{
    Diags *diags = diags_new(stderr);
    const IsolateCall call = call_for(path, "e");
    const void *part = NULL;
    size_t bytes = 0;
    bool is_begun = isolate_begin(isolate, &call, diags);
    CHECK(check, is_begun, "begins");
    if (is_begun) {
        CHECK(check, isolate_next(isolate, &part, &bytes, diags) == ISOLATE_part, "part");
        CHECK(check, bytes == 4096 && strcmp(part, "text") == 0, "the file's bytes");
        CHECK(check, isolate_next(isolate, &part, &bytes, diags) == ISOLATE_done, "done");
        isolate_end(isolate);
    }
    diags_free(diags);
}

static void check_fault(Check *check, Isolate *isolate, const char *path,
                        const char *order, const char *message)
{
    Messages messages;
    const IsolateCall call = call_for(path, order);
    const void *part;
    size_t bytes;
    messages_open(&messages);
    if (isolate_begin(isolate, &call, messages.diags)) {
        CHECK(check,
              isolate_next(isolate, &part, &bytes, messages.diags) == ISOLATE_failed,
              "'%s' fails", order);
        isolate_end(isolate);
    }
    Arena *arena = arena_new();
    const char *text = arena_format(arena, "%s: error: %s", path, message);
    CHECK(check, messages_have(&messages, text), "should say '%s': %s", text,
          messages.text);
    CHECK(check, !messages_have(&messages, "second"), "one message");
    messages_close(&messages);
    arena_free(arena);
}

static void test_faults(Check *check, Isolate *isolate, const char *path)
{
    static const char *const cases[][2] = {
        {"s", "is damaged: the test library crashed on it (signal 11, "},
        {"a", "is damaged: the test library crashed on it (signal 6, "},
        {"m", "needs more memory "},
        {"h", "needs more memory to read than the 64 MiB allowed"},
        {"t", "takes longer than 1 s to read"},
        {"w", "nothing can be opened"},
        {"k", "the process that reads it ended, or hangs"},
        {"x", "has the fault\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_fault(check, isolate, path, cases[i][0], cases[i][1]);
        check_good(check, isolate, path);
    }
}

static void test_files(Check *check, Isolate *isolate, const Scratch *scratch)
{
    const char *pipe = scratch_path(scratch, "pipe");
    CHECK(check, mkfifo(pipe, 0600) == 0, "mkfifo");
    check_fault(check, isolate, pipe, "e",
                "cannot be read: it is a pipe, not a regular file");
    check_fault(check, isolate, scratch->directory, "e",
                "cannot be read: it is a directory");
    check_fault(check, isolate, "/dev/zero", "e", "cannot be read: it is a device");
    check_fault(check, isolate, scratch_path(scratch, "none"), "e",
                "cannot be read: No such file");
}

static void test_parts(Check *check, Isolate *isolate, const char *path)
{
    Diags *diags = diags_new(stderr);
    const IsolateCall call = call_for(path, "p");
    const void *part;
    size_t bytes, i = 0;
    /* At first all of them, then ever fewer. */
    for (size_t wanted = PARTS + 1; wanted-- > 0;) {
        if (!isolate_begin(isolate, &call, diags))
            break;
        for (i = 0;
             i < wanted && isolate_next(isolate, &part, &bytes, diags) == ISOLATE_part;
             i++) {
            const char *all = part;
            CHECK(check, bytes == (i + 1) * MEBIBYTE, "%zu bytes", bytes);
            CHECK(check, all[0] == (char)(i + 1) && all[bytes - 1] == (char)(i + 1),
                  "part %zu", i);
        }
        CHECK(check, i == wanted, "%zu parts", i);
        if (wanted == PARTS)
            CHECK(check, isolate_next(isolate, &part, &bytes, diags) == ISOLATE_done,
                  "no more");
        isolate_end(isolate);
        check_good(check, isolate, path);
    }
    diags_free(diags);
}

/* Memory that one file has changed is not what the next one finds. */
static void test_fresh(Check *check, Isolate *isolate, const char *path)
{
    Diags *diags = diags_new(stderr);
    const IsolateCall call = call_for(path, "r"), none = call_for(path, "n");
    const void *part;
    size_t bytes;
    for (int i = 0; i < 3; i++) {
        if (!isolate_begin(isolate, &call, diags))
            break;
        IsolateStep step = isolate_next(isolate, &part, &bytes, diags);
        CHECK(check, step == ISOLATE_part && *(const char *)part == 'a', "file %d", i);
        isolate_end(isolate);
    }
    if (isolate_begin(isolate, &none, diags)) {
        CHECK(check, isolate_next(isolate, &part, &bytes, diags) == ISOLATE_done,
              "nothing to tell");
        isolate_end(isolate);
    }
    diags_free(diags);
}

/* A file that is being read when something else ends the server is read again. */
static void test_ended(Check *check, Isolate *isolate, const Scratch *scratch,
                       const char *path)
{
    Diags *diags = diags_new(stderr);
    const IsolateCall call = call_for(path, "o");
    const void *part = NULL;
    size_t bytes;
    const char *once = scratch_text(scratch, "file.once", "");
    if (isolate_begin(isolate, &call, diags)) {
        CHECK(check, isolate_next(isolate, &part, &bytes, diags) == ISOLATE_part, "part");
        CHECK(check, part && strcmp(part, "text") == 0, "the file's bytes");
        isolate_end(isolate);
    }
    CHECK(check, access(once, F_OK) != 0, "the server was ended");
    CHECK(check, diags_error_count(diags) == 0, "no error");
    diags_free(diags);
}

/* What no file is at fault for is told apart. */
static void test_broken(Check *check, const char *path)
{
    Isolate *isolate = isolate_new(NULL);
    Messages messages;
    const IsolateCall call = call_for(path, "e");
    messages_open(&messages);
    CHECK(check, setenv("VLGRAPH_SERVES_FILES", "1", 1) == 0, "setenv");
    CHECK(check, !isolate_is_broken(isolate), "not tried yet");
    CHECK(check, !isolate_begin(isolate, &call, messages.diags), "cannot begin");
    CHECK(check, isolate_is_broken(isolate), "broken");
    CHECK(check, messages_have(&messages, "cannot start the process"), "%s",
          messages.text);
    CHECK(check, unsetenv("VLGRAPH_SERVES_FILES") == 0, "unsetenv");
    messages_close(&messages);
    isolate_free(isolate);
}

int main(int argc, char **argv)
{
    static const IsolateHandler *const handlers[] = {&handler};
    isolate_serve(argc, argv, handlers, 1);
    Check check = {0};
    Scratch scratch = scratch_new();
    const char *path = scratch_text(&scratch, "file", "text");
    Isolate *isolate = isolate_new(NULL);
    test_faults(&check, isolate, path);
    test_files(&check, isolate, &scratch);
    test_parts(&check, isolate, path);
    test_fresh(&check, isolate, path);
    test_ended(&check, isolate, &scratch, path);
    test_broken(&check, path);
    isolate_free(isolate);
    scratch_free(&scratch);
    return check_finish(&check);
}
