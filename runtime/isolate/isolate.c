/* The side that asks: starts the server, sends it files, and takes what comes back. */
#include "runtime/isolate/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ir/base/arena.h"
#include "ir/base/files.h"
#include "ir/base/heap.h"
#include "runtime/isolate/isolate_wire.h"

enum { SECONDS_TO_START = 60, SECONDS_BEYOND = 5 };

struct Isolate {
    pthread_mutex_t lock;          /* held from begin to end */
    const IsolateProgram *program; /* or NULL */
    pid_t server;                  /* 0: none runs */
    int socket, memory;
    unsigned char *mapped; /* the memory, as far as it was needed */
    size_t mapped_bytes;
    uint64_t serial;
    IsolateCall call;
    bool is_waiting; /* the handler has handed over a part and waits */
    bool is_asked_again;
    bool is_over;
    _Atomic bool is_broken;
};

Isolate *isolate_new(const IsolateProgram *program)
{
    Isolate *isolate = heap_alloc(sizeof *isolate);
    *isolate = (Isolate){.program = program, .socket = -1, .memory = -1};
    pthread_mutex_init(&isolate->lock, NULL);
    return isolate;
}

/* -- the server's life ------------------------------------------------------------- */

/* It, and what it forked. */
static void stop_server(Isolate *isolate)
{
    if (isolate->server > 0) {
        (void)kill(-isolate->server, SIGKILL);
        while (waitpid(isolate->server, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (isolate->mapped)
        (void)munmap(isolate->mapped, isolate->mapped_bytes);
    if (isolate->socket >= 0)
        (void)close(isolate->socket);
    if (isolate->memory >= 0)
        (void)close(isolate->memory);
    isolate->server = 0;
    isolate->socket = isolate->memory = -1;
    isolate->mapped = NULL;
    isolate->mapped_bytes = 0;
}

void isolate_free(Isolate *isolate)
{
    if (!isolate)
        return;
    stop_server(isolate);
    pthread_mutex_destroy(&isolate->lock);
    free(isolate);
}

/* The environment of ours, without threads that a library starts when it is loaded.
 * Functions of libraries are looked up by the server once, not by each of its
 * children. */
static char **server_environment(Arena *arena)
{
    static const char *const added[] = {ISOLATE_VARIABLE "=1", "OPENBLAS_NUM_THREADS=1",
                                        "LD_BIND_NOW=1"};
    enum { ADDED = sizeof added / sizeof *added };
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **all = ARENA_ARRAY(arena, char *, count + ADDED + 1);
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "OPENBLAS_NUM_THREADS=", 21) != 0)
            all[kept++] = environ[i];
    for (size_t i = 0; i < ADDED; i++)
        all[kept++] = arena_format(arena, "%s", added[i]);
    all[kept] = NULL;
    return all;
}

/* A group of its own, so that an interrupt from the terminal, which ends our run in good
 * order, does not end the server before. */
static int spawn(pid_t *out, int socket, int memory, int program)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t facts;
    sigset_t none, all;
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawnattr_init(&facts);
    for (int i = 0; i < WIRE_SOCKET; i++)
        (void)posix_spawn_file_actions_addopen(&files, i, "/dev/null", O_RDWR, 0);
    (void)posix_spawn_file_actions_adddup2(&files, socket, WIRE_SOCKET);
    (void)posix_spawn_file_actions_adddup2(&files, memory, WIRE_MEMORY);
    (void)posix_spawn_file_actions_adddup2(&files, program, WIRE_FILES);
    (void)posix_spawn_file_actions_addclosefrom_np(&files, WIRE_FILES + 1);
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawnattr_setsigmask(&facts, &none);
    (void)posix_spawnattr_setsigdefault(&facts, &all);
    (void)posix_spawnattr_setpgroup(&facts, 0);
    (void)posix_spawnattr_setflags(
        &facts, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    Arena *arena = arena_new();
    char *argv[] = {arena_format(arena, "%s", program_invocation_name),
                    arena_format(arena, "%s", ISOLATE_COMMAND), NULL};
    int fault =
        posix_spawn(out, WIRE_PROGRAM, &files, &facts, argv, server_environment(arena));
    arena_free(arena);
    (void)posix_spawnattr_destroy(&facts);
    (void)posix_spawn_file_actions_destroy(&files);
    return fault;
}

/* Waits for a message. */
static bool hear(Isolate *isolate, uint32_t seconds, WireMessage *out)
{
    enum { MILLISECONDS = 1000 };
    struct pollfd wait = {.fd = isolate->socket, .events = POLLIN};
    int ready;
    do
        ready = poll(&wait, 1, (int)seconds * MILLISECONDS);
    while (ready < 0 && errno == EINTR);
    return ready > 0 && wire_receive(isolate->socket, out, NULL);
}

/* A number that the fixed ones of the server do not collide with. */
static int moved_away(int file)
{
    enum { AWAY = 16 };
    int moved = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, AWAY);
    if (file >= 0)
        (void)close(file);
    return moved;
}

/* The memory can grow and not shrink: what is mapped here stays there. */
static bool open_ends(Isolate *isolate, int *out_other)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    isolate->socket = pair[0];
    *out_other = moved_away(pair[1]);
    isolate->memory = moved_away(memfd_create("files", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    return *out_other >= 0 && isolate->memory >= 0 &&
           fcntl(isolate->memory, F_ADD_SEALS, F_SEAL_SHRINK) == 0;
}

/* Memory that can be run: systems that forbid it unless it is asked for know the flag,
 * older ones refuse the flag. */
static int runnable_memory(void)
{
#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif
    int file = memfd_create("reader", MFD_CLOEXEC | MFD_EXEC);
    return file < 0 && errno == EINVAL ? memfd_create("reader", MFD_CLOEXEC) : file;
}

/* A descriptor of the program in memory; -1 and errno if there is none. */
static int memory_program(const IsolateProgram *program)
{
    int file = moved_away(runnable_memory());
    if (file < 0)
        return -1;
    size_t bytes = (size_t)(program->end - program->begin);
    if (descriptor_write(file, program->begin, bytes))
        return file;
    int fault = errno;
    (void)close(file);
    errno = fault;
    return -1;
}

/* Starts the program in `file`, which is closed; 0, or what errno says. */
static int spawn_program(Isolate *isolate, int socket, int file)
{
    if (file < 0)
        return errno;
    int fault = spawn(&isolate->server, socket, isolate->memory, file);
    (void)close(file);
    return fault;
}

/* Where nothing may run from memory, this program must do, which has the same
 * handlers. */
static int spawn_server(Isolate *isolate, int socket)
{
    if (isolate->program &&
        spawn_program(isolate, socket, memory_program(isolate->program)) == 0)
        return 0;
    return spawn_program(isolate, socket,
                         moved_away(open("/proc/self/exe", O_PATH | O_CLOEXEC)));
}

static bool start_server(Isolate *isolate, Diags *diags)
{
    if (getenv(ISOLATE_VARIABLE)) { /* main() has not called isolate_serve */
        diag_error(
            diags, (Loc){0},
            "cannot start the process that reads files from one that was started to "
            "read files (" ISOLATE_VARIABLE " is set)");
        return false;
    }
    int other = -1;
    int fault = open_ends(isolate, &other) ? spawn_server(isolate, other) : errno;
    if (other >= 0)
        (void)close(other);
    WireMessage message;
    bool is_ready = fault == 0 && hear(isolate, SECONDS_TO_START, &message) &&
                    message.kind == WIRE_ready;
    if (is_ready)
        return true;
    if (fault != 0)
        isolate->server = 0;
    diag_error(diags, (Loc){0}, "cannot start the process that reads files: %s",
               fault != 0 ? strerror(fault) : "it ends at once");
    stop_server(isolate);
    return false;
}

/* -- asking ------------------------------------------------------------------------ */

static bool send_call(Isolate *isolate, int file)
{
    const IsolateCall *call = &isolate->call;
    WireMessage message = {.kind = WIRE_read,
                           .serial = ++isolate->serial,
                           .memory = call->memory,
                           .seconds = call->seconds,
                           .request_bytes = (uint32_t)call->request_bytes};
    (void)snprintf(message.handler, sizeof message.handler, "%s", call->handler);
    (void)snprintf(message.text, sizeof message.text, "%s", call->path);
    if (call->request_bytes > 0)
        memcpy(message.request, call->request, call->request_bytes);
    return wire_send(isolate->socket, &message, file);
}

/* A server that something outside has ended is started again. */
static bool ask(Isolate *isolate, int file, Diags *diags)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        if (isolate->server == 0 && !start_server(isolate, diags)) {
            isolate->is_broken = true;
            return false;
        }
        if (send_call(isolate, file))
            return true;
        stop_server(isolate);
    }
    diag_error(diags, (Loc){0}, "the process that reads files was ended twice");
    return false;
}

bool isolate_is_broken(const Isolate *isolate)
{
    return isolate->is_broken;
}

bool isolate_begin(Isolate *isolate, const IsolateCall *call, Diags *diags)
{
    if (call->request_bytes > ISOLATE_REQUEST_MAX ||
        strlen(call->path) >= WIRE_PATH_MAX) {
        diag_error(diags, (Loc){.file = call->path}, "has too long a name");
        return false;
    }
    int file = file_open(call->path, diags);
    if (file < 0)
        return false;
    pthread_mutex_lock(&isolate->lock);
    isolate->call = *call;
    isolate->is_waiting = isolate->is_over = isolate->is_asked_again = false;
    bool is_asked = ask(isolate, file, diags);
    (void)close(file);
    if (!is_asked)
        pthread_mutex_unlock(&isolate->lock);
    return is_asked;
}

void isolate_end(Isolate *isolate)
{
    const WireMessage stop = {.kind = WIRE_stop};
    bool is_fit = isolate->is_over ||
                  (isolate->is_waiting && wire_send(isolate->socket, &stop, -1));
    if (!is_fit)
        stop_server(isolate); /* in the midst of a file */
    pthread_mutex_unlock(&isolate->lock);
}

/* -- answers ----------------------------------------------------------------------- */

static IsolateStep fail(Isolate *isolate)
{
    isolate->is_over = true;
    return ISOLATE_failed;
}

static IsolateStep tell_death(Isolate *isolate, int status, Diags *diags)
{
    const IsolateCall *call = &isolate->call;
    const Loc loc = {.file = call->path};
    enum { MEBIBYTE = 1 << 20 };
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        diag_error(diags, loc, "takes longer than %u s to read", call->seconds);
    else if (WIFSIGNALED(status))
        diag_error(diags, loc, "is damaged: the %s library crashed on it (signal %d, %s)",
                   call->handler, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        diag_error(diags, loc, "needs more memory to read than the %zu MiB allowed",
                   call->memory / MEBIBYTE);
    return fail(isolate);
}

/* The memory, as far as the part goes. */
static bool map_part(Isolate *isolate, uint64_t bytes)
{
    struct stat facts;
    if (bytes <= isolate->mapped_bytes)
        return true;
    if (fstat(isolate->memory, &facts) != 0 || bytes > (uint64_t)facts.st_size)
        return false;
    if (isolate->mapped)
        (void)munmap(isolate->mapped, isolate->mapped_bytes);
    isolate->mapped_bytes = (size_t)facts.st_size;
    isolate->mapped =
        mmap(NULL, isolate->mapped_bytes, PROT_READ, MAP_SHARED, isolate->memory, 0);
    if (isolate->mapped != MAP_FAILED)
        return true;
    isolate->mapped = NULL;
    isolate->mapped_bytes = 0;
    return false;
}

static IsolateStep take_part(Isolate *isolate, const WireMessage *message,
                             const void **out_part, size_t *out_bytes, Diags *diags)
{
    isolate->is_waiting = message->kind == WIRE_part;
    isolate->is_over = message->kind == WIRE_last;
    if (message->bytes == 0)
        return ISOLATE_done;
    if (!map_part(isolate, message->bytes)) {
        diag_error(diags, (Loc){.file = isolate->call.path},
                   "there is no memory for what was read: %s", strerror(errno));
        return ISOLATE_failed;
    }
    *out_part = isolate->mapped;
    *out_bytes = (size_t)message->bytes;
    return ISOLATE_part;
}

/* Of the file at hand; of earlier ones nothing matters any more. */
static bool hear_of_file(Isolate *isolate, WireMessage *out)
{
    do
        if (!hear(isolate, isolate->call.seconds + SECONDS_BEYOND, out))
            return false;
    while (out->serial != isolate->serial);
    return true;
}

/* Its end of the socket goes a little before it can be waited for. */
static bool has_ended(const Isolate *isolate)
{
    enum { LOOKS = 100, NANOSECONDS = 1000000 };
    for (int i = 0; i < LOOKS; i++) {
        if (waitpid(isolate->server, NULL, WNOHANG) == isolate->server)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = NANOSECONDS}, NULL);
    }
    return false;
}

/* The server was ended from outside, for want of memory say, which is not the file's
 * fault: it is read once more, unless parts of it are out already. */
static bool ask_again(Isolate *isolate, WireMessage *out, Diags *diags)
{
    if (isolate->is_waiting || isolate->is_asked_again || !has_ended(isolate))
        return false;
    isolate->server = 0;
    stop_server(isolate);
    isolate->is_asked_again = true;
    int file = file_open(isolate->call.path, diags);
    bool is_heard = file >= 0 && ask(isolate, file, diags) && hear_of_file(isolate, out);
    if (file >= 0)
        (void)close(file);
    return is_heard;
}

IsolateStep isolate_next(Isolate *isolate, const void **out_part, size_t *out_bytes,
                         Diags *diags)
{
    const WireMessage go_on = {.kind = WIRE_go_on};
    const Loc loc = {.file = isolate->call.path};
    WireMessage message;
    if (isolate->is_over)
        return ISOLATE_done;
    bool is_heard = (!isolate->is_waiting || wire_send(isolate->socket, &go_on, -1)) &&
                    hear_of_file(isolate, &message);
    if (!is_heard && !ask_again(isolate, &message, diags)) {
        diag_error(diags, loc, "the process that reads it ended, or hangs");
        stop_server(isolate);
        return fail(isolate);
    }
    switch (message.kind) {
    case WIRE_part:
    case WIRE_last:
        return take_part(isolate, &message, out_part, out_bytes, diags);
    case WIRE_died:
        return tell_death(isolate, message.status, diags);
    default:
        diag_error(diags, loc, "%s", message.text);
        return fail(isolate);
    }
}
