/* Messages with files beside them. Only the bytes in use are sent. */
#include "runtime/isolate/isolate_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union FileRoom {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
} FileRoom;

static bool has_request(const WireMessage *message)
{
    return message->kind == WIRE_read;
}

static size_t used_bytes(const WireMessage *message)
{
    return has_request(message) ? offsetof(WireMessage, request) + message->request_bytes
                                : offsetof(WireMessage, text) + strlen(message->text) + 1;
}

bool wire_send(int socket, const WireMessage *message, int file)
{
    struct iovec bytes = {(void *)(uintptr_t)message, used_bytes(message)};
    FileRoom room = {.bytes = {0}};
    struct msghdr header = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (file >= 0) {
        header.msg_control = room.bytes;
        header.msg_controllen = sizeof room.bytes;
        struct cmsghdr *part = CMSG_FIRSTHDR(&header);
        *part = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                 .cmsg_type = SCM_RIGHTS,
                                 .cmsg_len = CMSG_LEN(sizeof file)};
        memcpy(CMSG_DATA(part), &file, sizeof file);
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)bytes.iov_len;
}

static int take_file(struct msghdr *header)
{
    int file = -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part;
         part = CMSG_NXTHDR(header, part))
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
            memcpy(&file, CMSG_DATA(part), sizeof file);
    return file;
}

/* Strings end, and lengths are those of what came. */
static bool is_whole(WireMessage *message, size_t got)
{
    if (got < offsetof(WireMessage, text) + 1)
        return false;
    message->text[sizeof message->text - 1] = 0;
    message->handler[sizeof message->handler - 1] = 0;
    return !has_request(message) ||
           (message->request_bytes <= ISOLATE_REQUEST_MAX && got == used_bytes(message));
}

bool wire_receive(int socket, WireMessage *out, int *out_file)
{
    struct iovec bytes = {out, sizeof *out};
    FileRoom room = {.bytes = {0}};
    struct msghdr header = {.msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = out_file ? room.bytes : NULL,
                            .msg_controllen = out_file ? sizeof room.bytes : 0};
    ssize_t got;
    do
        got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    int file = got >= 0 ? take_file(&header) : -1;
    if (out_file)
        *out_file = file;
    return got > 0 && is_whole(out, (size_t)got);
}
