// Calls that are variadic or macros.
#include "CLinux.h"

#include <arpa/inet.h>

int postern_prctl(int option, unsigned long second, unsigned long third) { return prctl(option, second, third, 0UL, 0UL); }

void postern_openlog(const char *name) {
    static char kept[32];  // syslog(3) keeps the pointer
    snprintf(kept, sizeof kept, "%s", name);
    openlog(kept, LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
}

void postern_syslog(int priority, const char *text) { syslog(priority, "%s", text); }

int postern_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

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
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t postern_next_length(int socket) {
    struct msghdr message = {0};
    return recvmsg(socket, &message, MSG_PEEK | MSG_TRUNC);
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

int postern_socket_address(int socket, bool peer, char host[POSTERN_HOST_BYTES], uint16_t *port) {
    union {
        struct sockaddr generic;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage storage;
    } address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    if ((peer ? getpeername : getsockname)(socket, &address.generic, &length) < 0) return -1;
    if (address.generic.sa_family == AF_INET) {
        *port = ntohs(address.v4.sin_port);
        return inet_ntop(AF_INET, &address.v4.sin_addr, host, POSTERN_HOST_BYTES) ? 0 : -1;
    }
    if (address.generic.sa_family == AF_INET6) {
        *port = ntohs(address.v6.sin6_port);
        const struct in6_addr *from = &address.v6.sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(from)) return inet_ntop(AF_INET, &from->s6_addr[12], host, POSTERN_HOST_BYTES) ? 0 : -1;
        return inet_ntop(AF_INET6, from, host, POSTERN_HOST_BYTES) ? 0 : -1;
    }
    errno = EAFNOSUPPORT;
    return -1;
}

/// Fills in a numeric address. Returns its length, or 0.
static socklen_t parse_address(const char *host, uint16_t port, struct sockaddr_storage *storage) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;
    memset(storage, 0, sizeof *storage);
    storage->ss_family = AF_INET;
    v4->sin_port = htons(port);  // where sin6_port is too
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) return sizeof *v4;
    storage->ss_family = AF_INET6;
    return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1 ? sizeof *v6 : 0;
}

static int start(int number, int family, const struct sockaddr *address, socklen_t length, int backlog) {
    const int yes = 1, no = 0;
    if (backlog == 0) return connect(number, address, length);
    if (setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0) return -1;
    // "::" takes IPv4 too, whatever the machine's default is.
    if (family == AF_INET6 && setsockopt(number, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) < 0) return -1;
    return bind(number, address, length) < 0 ? -1 : listen(number, backlog);
}

int postern_socket(const char *host, uint16_t port, int backlog) {
    struct sockaddr_storage address;
    const socklen_t length = parse_address(host, port, &address);
    if (length == 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    const int number = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (number < 0 || start(number, address.ss_family, (struct sockaddr *)&address, length, backlog) == 0) return number;
    const int error = errno;
    close(number);
    errno = error;
    return -1;
}
