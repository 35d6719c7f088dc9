/* The server and the processes that read.
 *
 * The server has one thread and never touches a file, so that what it forks is always
 * fresh: whatever a damaged file does to a library's memory ends with that file. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/isolate/isolate_wire.h"

enum { EXIT_NO_ROOM = 3, EXIT_ALONE = 4 };

typedef struct Server {
    const IsolateHandler *const *handlers;
    uint32_t count;
    uint64_t mapped_bytes;     /* of the address space, before any file */
    volatile uint64_t *serial; /* shared: of the file that is being read; 0: none */
} Server;

struct IsolateReply {
    uint64_t serial;
    uint32_t seconds;
    unsigned char *memory; /* mapped */
    size_t mapped, part;   /* bytes */
};

/* -- one file ---------------------------------------------------------------------- */

static _Noreturn void leave(int code)
{
    (void)alarm(0);
    _exit(code);
}

static void send_reply(IsolateReply *reply, WireKind kind, const char *text)
{
    WireMessage message = {.kind = kind, .serial = reply->serial, .bytes = reply->part};
    (void)snprintf(message.text, WIRE_TEXT_MAX, "%s", text);
    (void)alarm(0); /* the caller's time is not ours */
    if (!wire_send(WIRE_SOCKET, &message, -1))
        leave(EXIT_ALONE);
}

static void map_memory(IsolateReply *reply, size_t bytes)
{
    enum { STEP = 1 << 20 };
    size_t size = (bytes + STEP - 1) / STEP * STEP;
    if (reply->memory)
        (void)munmap(reply->memory, reply->mapped);
    off_t had = lseek(WIRE_MEMORY, 0, SEEK_END);
    if (size < bytes || (had < (off_t)size && ftruncate(WIRE_MEMORY, (off_t)size) != 0))
        leave(EXIT_NO_ROOM);
    reply->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, WIRE_MEMORY, 0);
    if (reply->memory == MAP_FAILED)
        leave(EXIT_NO_ROOM);
    reply->mapped = size;
}

void *isolate_part(IsolateReply *reply, size_t bytes)
{
    if (reply->part > 0) {
        WireMessage answer;
        send_reply(reply, WIRE_part, "");
        if (!wire_receive(WIRE_SOCKET, &answer, NULL))
            leave(EXIT_ALONE);
        if (answer.kind != WIRE_go_on)
            leave(0);
        (void)alarm(reply->seconds);
    }
    if (bytes > reply->mapped || !reply->memory)
        map_memory(reply, bytes > 0 ? bytes : 1);
    reply->part = bytes;
    return reply->memory;
}

/* What a library asks for beyond the limits fails, is a signal, or no file. */
static void limit(const Server *server, const WireMessage *request, int files)
{
    const struct rlimit none = {0, 0};
    const struct rlimit few = {(rlim_t)(WIRE_FILES + 1 + files),
                               (rlim_t)(WIRE_FILES + 1 + files)};
    const rlim_t most = (rlim_t)(server->mapped_bytes + request->memory);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)setrlimit(RLIMIT_AS, &(struct rlimit){most, most});
    (void)setrlimit(RLIMIT_NOFILE, &few);
    (void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){most, most});
    (void)alarm(request->seconds);
}

/* The first error without the place, which the caller adds. */
static const char *first_error(char *text, const char *path)
{
    static const char kind[] = ": error: ";
    size_t len = strlen(path);
    text[strcspn(text, "\n")] = 0;
    if (strncmp(text, path, len) == 0 && strncmp(text + len, kind, sizeof kind - 1) == 0)
        return text + len + sizeof kind - 1;
    return *text ? text : "cannot be read";
}

static void read_file(const IsolateHandler *handler, const WireMessage *request, int file,
                      IsolateReply *reply)
{
    const IsolateInput input = {.path = request->text,
                                .file = file,
                                .request = request->request,
                                .request_bytes = request->request_bytes};
    char *text = NULL;
    size_t count = 0;
    FILE *out = open_memstream(&text, &count);
    if (!out)
        leave(EXIT_NO_ROOM);
    Diags *diags = diags_new(out);
    bool is_read = handler->read(&input, reply, diags);
    (void)fflush(out);
    if (!is_read)
        reply->part = 0;
    send_reply(reply, is_read ? WIRE_last : WIRE_fault,
               is_read ? "" : first_error(text, input.path));
}

static const IsolateHandler *find_handler(const Server *server, const char *name)
{
    for (uint32_t i = 0; i < server->count; i++)
        if (strcmp(server->handlers[i]->name, name) == 0)
            return server->handlers[i];
    return NULL;
}

static _Noreturn void serve_one(const Server *server)
{
    WireMessage request;
    int file;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    do
        if (!wire_receive(WIRE_SOCKET, &request, &file))
            leave(EXIT_ALONE);
    while (request.kind != WIRE_read); /* a late word about an earlier file */
    *server->serial = request.serial;
    IsolateReply reply = {.serial = request.serial, .seconds = request.seconds};
    const IsolateHandler *handler = find_handler(server, request.handler);
    if (!handler || file != WIRE_FILES) {
        send_reply(&reply, WIRE_fault, "this program cannot read such files");
        leave(0);
    }
    limit(server, &request, handler->files);
    read_file(handler, &request, file, &reply);
    leave(0);
}

/* -- the server -------------------------------------------------------------------- */

/* A process that ended before it took a file is replaced without a word. */
static void tell_death(const Server *server, int status)
{
    WireMessage message = {
        .kind = WIRE_died, .status = status, .serial = *server->serial};
    if (message.serial != 0 && status != 0 && !wire_send(WIRE_SOCKET, &message, -1))
        _exit(EXIT_ALONE);
}

static _Noreturn void serve(const Server *server)
{
    for (;;) {
        *server->serial = 0;
        pid_t child = fork();
        if (child == 0)
            serve_one(server);
        int status;
        if (child < 0 || waitpid(child, &status, 0) != child ||
            (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ALONE))
            _exit(EXIT_ALONE);
        tell_death(server, status);
    }
}

/* Bytes of address space; 0 if the system does not say. */
static uint64_t address_space(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%llu", &pages) != 1)
        pages = 0;
    if (file)
        (void)fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void isolate_serve(int argc, char **argv, const IsolateHandler *const *handlers,
                   uint32_t count)
{
    if (argc != 2 || strcmp(argv[1], ISOLATE_COMMAND) != 0 || !getenv(ISOLATE_VARIABLE))
        return;
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        (void)signal(faults[i], SIG_DFL); /* whoever took them before us */
    for (uint32_t i = 0; i < count; i++)
        if (handlers[i]->prepare)
            handlers[i]->prepare();
    (void)close_range(WIRE_FILES, ~0U, 0);
    Server server = {.handlers = handlers, .count = count};
    server.serial = mmap(NULL, sizeof *server.serial, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    server.mapped_bytes = address_space();
    const WireMessage ready = {.kind = WIRE_ready};
    if (server.serial == MAP_FAILED || !server.mapped_bytes ||
        !wire_send(WIRE_SOCKET, &ready, -1))
        _exit(EXIT_ALONE);
    serve(&server);
}
