/* Reads files from outside with libraries that a damaged file may crash, in processes of
 * their own, so that a fault costs the file and not the run.
 *
 * A program registers handlers. The first call starts it anew as a server, or a smaller
 * one that it has in memory, which forks one process for every file: it reads that file
 * alone, within limits of memory and time, can open no other, and hands back bytes in
 * shared memory. What goes wrong, a crash included, is an error that names the file.
 *
 *     program            server               one process for each file
 *     isolate_begin  ->  waits for it  ->     handler(input, reply)
 *     isolate_next   <---------------------   isolate_part(reply, bytes), ...
 *     isolate_end        forks the next
 */
#ifndef VLG_RUNTIME_ISOLATE_ISOLATE_H
#define VLG_RUNTIME_ISOLATE_ISOLATE_H

#include <stdint.h>

#include "ir/base/diag.h"

/* -- the side that reads ----------------------------------------------------------- */

typedef struct IsolateInput {
    const char *path; /* for messages: what they name */
    int file;         /* open for reading, a regular file; closed after the handler */
    const void *request;
    size_t request_bytes;
} IsolateInput;

typedef struct IsolateReply IsolateReply;

/* Room for the next part of the result; earlier parts must no longer be touched. Waits
 * until the caller has taken the part before. */
void *isolate_part(IsolateReply *reply, size_t bytes);

/* Reads one file. False after an error of `input->path` in `diags`, the first of which is
 * passed on. Must not rely on memory of earlier calls: every file has a new process. */
typedef bool IsolateFn(const IsolateInput *input, IsolateReply *reply, Diags *diags);

typedef struct IsolateHandler {
    const char *name;
    IsolateFn *read;
    void (*prepare)(void); /* once, before files are read; NULL: nothing to do */
    int files; /* that the handler opens besides `input->file`; more cannot be opened */
} IsolateHandler;

/* The first thing in main(): serves and does not return if this process was started for
 * that; else does nothing. */
void isolate_serve(int argc, char **argv, const IsolateHandler *const *handlers,
                   uint32_t count);

/* -- the side that asks ------------------------------------------------------------ */

typedef struct Isolate Isolate;

/* A program in memory whose main() calls isolate_serve. The fewer libraries it has, the
 * less a process for a file costs. */
typedef struct IsolateProgram {
    const unsigned char *begin, *end;
} IsolateProgram;

/* Starts nothing yet. `program` is the server, and must stay; NULL: this program. */
Isolate *isolate_new(const IsolateProgram *program);
void isolate_free(Isolate *isolate);

enum { ISOLATE_REQUEST_MAX = 4096 };

/* Everything in it must stay until isolate_end. */
typedef struct IsolateCall {
    const char *handler, *path;
    const void *request; /* at most ISOLATE_REQUEST_MAX bytes */
    size_t request_bytes;
    size_t memory;    /* bytes that the handler may take, the largest part among them */
    uint32_t seconds; /* for each part */
} IsolateCall;

/* Opens the file, which must be a regular one, and asks for its reading. False and an
 * error that names the file; else isolate_end must follow. Other threads wait. */
NODISCARD bool isolate_begin(Isolate *isolate, const IsolateCall *call, Diags *diags);

typedef enum IsolateStep { ISOLATE_part, ISOLATE_done, ISOLATE_failed } IsolateStep;

/* The next part, which stays until the next call. Failed, after an error that names the
 * file: the handler found a fault, crashed, or met a limit. */
IsolateStep isolate_next(Isolate *isolate, const void **out_part, size_t *out_bytes,
                         Diags *diags);
void isolate_end(Isolate *isolate); /* also before the last part */

/* The server cannot be started: no file is at fault, and none can be left out for it. */
bool isolate_is_broken(const Isolate *isolate);

#endif
