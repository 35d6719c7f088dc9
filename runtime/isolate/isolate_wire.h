/* What the two sides say to each other: whole messages over a pair of sockets. */
#ifndef VLG_RUNTIME_ISOLATE_ISOLATE_WIRE_H
#define VLG_RUNTIME_ISOLATE_ISOLATE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/isolate/isolate.h"

/* How a server is started, and where it finds its ends. */
#define ISOLATE_COMMAND "--serve-files"
#define ISOLATE_VARIABLE "VLGRAPH_SERVES_FILES"
/* Files begin where the server's program was until it started. */
enum { WIRE_SOCKET = 3, WIRE_MEMORY = 4, WIRE_FILES = 5 };
#define WIRE_PROGRAM "/proc/self/fd/5"

typedef enum WireKind {
    WIRE_ready, /* the server has started */
    WIRE_read,  /* a file comes along */
    WIRE_go_on, /* the part is taken */
    WIRE_stop,  /* no more parts are wanted */
    WIRE_part,  /* `bytes` of the memory are a part, and the handler goes on */
    WIRE_last,  /* the same, and the handler is done; 0 bytes: no part */
    WIRE_fault, /* `text` says what the handler found */
    WIRE_died,  /* the handler's process ended with `status` of waitpid */
} WireKind;

enum { WIRE_TEXT_MAX = 2048, WIRE_PATH_MAX = 4096, WIRE_NAME_MAX = 32 };

typedef struct WireMessage {
    WireKind kind;
    int32_t status;
    uint64_t serial; /* of the file that it is about */
    uint64_t bytes;
    uint64_t memory;
    uint32_t seconds, request_bytes;
    char handler[WIRE_NAME_MAX];
    char text[WIRE_PATH_MAX]; /* the path, or what is wrong */
    unsigned char request[ISOLATE_REQUEST_MAX];
} WireMessage;

/* False if the other side is gone. `file` goes along unless it is -1. */
bool wire_send(int socket, const WireMessage *message, int file);
/* False if the other side is gone or says nothing whole. The caller closes *out_file,
 * which is -1 if none came along; NULL if none is expected. */
bool wire_receive(int socket, WireMessage *out, int *out_file);

#endif
