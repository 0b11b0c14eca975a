// Messages with descriptors, whose control data is written by macros (cmsg(3)).
#include "CLinux.h"

ssize_t postern_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * POSTERN_MAX_PASSED)];
    } control = {.bytes = {0}};
    struct iovec vector = {(void *)bytes, count};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (descriptor_count > POSTERN_MAX_PASSED) {
        errno = E2BIG;
        return -1;
    }
    if (descriptor_count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptor_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * descriptor_count);
        memcpy(CMSG_DATA(header), descriptors, sizeof(int) * descriptor_count);
    }
    return syscall(SYS_sendmsg, socket, &message, MSG_NOSIGNAL);  // also made between clone and exec
}

ssize_t postern_receive(int socket, void *bytes, size_t capacity, int *descriptors, size_t limit, size_t *count, int *flags) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * POSTERN_MAX_PASSED)];
    } control = {.bytes = {0}};
    struct iovec vector = {bytes, capacity};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes};
    *count = 0;
    *flags = 0;
    if (limit > POSTERN_MAX_PASSED) limit = POSTERN_MAX_PASSED;
    // CMSG_LEN, not CMSG_SPACE: the padding would have room for one descriptor more.
    message.msg_controllen = limit > 0 ? CMSG_LEN(sizeof(int) * limit) : 0;
    const ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (received < 0) return received;
    *flags = message.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const size_t passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < passed; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            if (*count < limit) {
                descriptors[(*count)++] = descriptor;
            } else {
                close(descriptor);
                *flags |= MSG_CTRUNC;
            }
        }
    }
    return received;
}
