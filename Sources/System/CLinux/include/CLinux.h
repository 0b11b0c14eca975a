// What Swift cannot call by itself, and the child's steps between clone and exec. No decisions are taken here.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/// The child's steps, in the order they happen.
enum postern_step {
    POSTERN_STEP_CLONE = 1, POSTERN_STEP_NAMESPACES, POSTERN_STEP_SIGNALS, POSTERN_STEP_SESSION, POSTERN_STEP_DESCRIPTORS, POSTERN_STEP_ROOT, POSTERN_STEP_LIMITS,
    POSTERN_STEP_BOUNDING, POSTERN_STEP_GROUPS, POSTERN_STEP_UID, POSTERN_STEP_CAPABILITIES, POSTERN_STEP_PARENT_DEATH,
    POSTERN_STEP_DIRECTORY, POSTERN_STEP_PATHS, POSTERN_STEP_NO_NEW_PRIVILEGES, POSTERN_STEP_LANDLOCK, POSTERN_STEP_SECCOMP, POSTERN_STEP_EXEC,
};

struct postern_limit { int resource; uint64_t soft, hard; };

/// One Landlock rule on what lies beneath `path`; on a file only the bits in `file_rights` of the plan are used.
struct postern_path_rule { const char *path; uint64_t rights; bool required; };

/// A path that must not lead out of a directory by symbolic links.
struct postern_path_within { const char *directory, *path; };

/// The numbers of a launch.
struct postern_launch_settings {
    int program;                    // executed by this descriptor, or -1: by the path
    int first;                      // postern-init, for process 1 of a pid namespace; else -1
    int root;                       // a directory to chroot into, or -1
    int group;                      // the directory of the control group that it starts in, or -1: ours
    uint32_t namespaces;            // CLONE_NEW… flags; of the pid namespace `first` is the first process
    int parent_death_signal;        // 0: none
    bool mounts_proc;               // of the pid namespace, which needs the mount namespace too
    bool new_session, drops_bounding, changes_identity, landlock;
    bool makes_directory;           // the directory is made, for its user only, where it is missing
    bool reports_denials;           // the filter's notifications come to `listener`
    bool keeps_privileges;          // of our own programs only: capabilities stay, no_new_privs unset
    uint64_t blocked_signals;       // of the program, until it unblocks them: the bit of signal 1 is the lowest
    uid_t uid;
    gid_t gid;
    uint32_t descriptor_count;      // at most POSTERN_MAX_DESCRIPTORS
    uint32_t limit_count, group_count, rule_count, port_count, path_count;
    uint32_t writable_count;        // at most POSTERN_MAX_WRITABLE; not 0: all else is mounted read-only, which needs the mount namespace
    uint32_t filter_length;         // in records; 0: no filter
    uint64_t handled_files;         // what Landlock denies unless a rule allows it
    uint64_t handled_network;
    uint64_t scoped;
    uint64_t file_rights;           // those that a rule on something else than a directory may carry
    uint64_t program_rights;        // those on `program` itself
};

/// Everything the child needs, as plain data that stays in place until the launch is over.
struct postern_launch_plan {
    struct postern_launch_settings settings;
    const char *path;
    char *const *arguments, *const *environment;  // end with NULL
    const char *directory;          // to change to after the uid, or NULL
    const struct postern_path_within *paths;
    const char *temporary, *temporary_options;  // where an empty tmpfs is mounted, which needs the mount namespace, and its options; or NULL
    const char *const *writable;    // none beneath another
    const int *descriptors;         // become 0, 1, 2, 3 …; nothing else stays open
    const struct postern_limit *limits;
    const gid_t *groups;
    const struct postern_path_rule *rules;
    const uint16_t *ports;          // TCP ports that may be connected to
    const void *filter;             // struct sock_filter records
};

enum { POSTERN_MAX_DESCRIPTORS = 64, POSTERN_MAX_PASSED = 16, POSTERN_MAX_WRITABLE = 256 };

struct postern_launch_result {
    pid_t pid;
    int pidfd;
    int listener;                   // where denied calls wait for an answer, or -1
    int report;                     // from process 1 of the pid namespace: how the program ended, as of wait(2); or -1
    uint32_t step;                  // the last one begun
    int error;                      // 0: the program runs
    uint32_t index;                 // of the descriptor, limit, path or rule that failed
};

/// Starts a program; a failing step leaves no process behind. Returns 0, or -1 with `step` and `error` set.
int postern_launch(const struct postern_launch_plan *plan, struct postern_launch_result *result);

/// A system call that libc has no function for, or a variadic one. Returns its result, or -1 with errno.
static inline long postern_call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
    return syscall(number, a, b, c, d, 0UL);
}

/// Sends bytes and descriptors as one message.
ssize_t postern_send(int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count);
/// Receives one message. At most `limit` descriptors are stored and counted in `count`; `flags` gets MSG_TRUNC and MSG_CTRUNC.
ssize_t postern_receive(int socket, void *bytes, size_t capacity, int *descriptors, size_t limit, size_t *count, int *flags);

static inline char **postern_environment(void) { return environ; }
static inline const char *postern_own_name(void) { return program_invocation_short_name; }
static inline int postern_errno(void) { return errno; }
static inline void postern_ignore_signal(int number) { signal(number, SIG_IGN); }
static inline int postern_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }
static inline int postern_fcntl(int descriptor, int command, int value) { return fcntl(descriptor, command, value); }
static inline int postern_openat(int directory, const char *path, int flags, mode_t mode) { return openat(directory, path, flags, mode); }
