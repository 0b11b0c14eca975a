// Between clone and exec: raw system calls only, in the order of DESIGN §6. The first that fails ends the child.
#include "CLinux.h"

#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/mount.h>

enum {
    STACK_BYTES = 64 * 1024, FIRST_STACK_BYTES = 16 * 1024, GUARD_BYTES = 4096,
    LANDLOCK_PATH_RULE = 1, LANDLOCK_PORT_RULE = 2, LANDLOCK_CONNECT_TCP = 2,
    LAST_SIGNAL = 64, LAST_CAPABILITY = 63, KERNEL_SIGNAL_SET_BYTES = 8,
    WAIT_KILLABLE = 1 << 5,  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19
};

// The kernel's layouts; the headers of Debian 12 know only the first field of the first.
struct landlock_ruleset { uint64_t files, network, scoped; };
struct __attribute__((packed)) landlock_path { uint64_t rights; int32_t parent; };
struct landlock_port { uint64_t rights, port; };
struct kernel_action { void (*handler)(int); unsigned long flags; void (*restorer)(void); uint64_t mask; };

/// Stands in memory that the parent, the child and process 1 between them share, above their stacks.
struct child {
    const struct postern_launch_plan *plan;
    volatile struct postern_launch_result result;
    pid_t parent;
    int program, root, channel;  // where these descriptors are after they were placed, or -1
    int monitor;                 // the other end of the channel, or -1
    volatile pid_t is_shared;    // not 0 while the second process of a pid namespace shares our memory
};

/// Reports the failing step, and ends.
static _Noreturn void fail(struct child *child, int error) {
    child->result.error = error;
    for (;;) syscall(SYS_exit_group, 125);
}

/// Passes on the result of a call, or ends the child.
static long must(struct child *child, long result) {
    if (result < 0) fail(child, errno);
    return result;
}

static void reset_signals(struct child *child) {
    // The parent's handlers must not run on memory that is still shared; exec would keep ignored signals ignored.
    const struct kernel_action standard = {0};
    for (int signal = 1; signal <= LAST_SIGNAL; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        must(child, syscall(SYS_rt_sigaction, signal, &standard, NULL, KERNEL_SIGNAL_SET_BYTES));
    }
}

/// Puts the given descriptors at 0, 1, 2 …, after them the program, the root and the way back; closes all others.
static void place_descriptors(struct child *child) {
    const int count = (int)child->plan->settings.descriptor_count;
    const int total = count + 3;
    int source[POSTERN_MAX_DESCRIPTORS + 3];
    if (count > POSTERN_MAX_DESCRIPTORS) fail(child, EINVAL);
    for (int i = 0; i < count; i++) source[i] = child->plan->descriptors[i];
    source[count] = child->plan->settings.program;
    source[count + 1] = child->plan->settings.root;
    source[count + 2] = child->channel;
    // First out of the way of each other, then into place.
    for (int i = 0; i < total; i++) {
        child->result.index = (uint32_t)i;
        if (source[i] >= total || (source[i] < 0 && i >= count)) continue;
        source[i] = (int)must(child, syscall(SYS_fcntl, source[i], F_DUPFD_CLOEXEC, total));
    }
    for (int i = 0; i < total; i++) {
        child->result.index = (uint32_t)i;
        if (source[i] < 0) syscall(SYS_close, i);
        else must(child, syscall(SYS_dup3, source[i], i, i < count ? 0 : O_CLOEXEC));
    }
    must(child, syscall(SYS_close_range, total, ~0U, 0));
    child->program = source[count] < 0 ? -1 : count;
    child->root = source[count + 1] < 0 ? -1 : count + 1;
    child->channel = source[count + 2] < 0 ? -1 : count + 2;
}

static void start_session(struct child *child) {
    if (child->plan->settings.new_session) must(child, syscall(SYS_setsid));
}

static void change_root(struct child *child) {
    if (child->root < 0) return;
    must(child, syscall(SYS_fchdir, child->root));
    must(child, syscall(SYS_chroot, "."));
    must(child, syscall(SYS_chdir, "/"));
    must(child, syscall(SYS_close, child->root));
}

static void set_limits(struct child *child) {
    for (uint32_t i = 0; i < child->plan->settings.limit_count; i++) {
        const struct postern_limit *limit = &child->plan->limits[i];
        const uint64_t pair[2] = {limit->soft, limit->hard};
        child->result.index = i;
        must(child, syscall(SYS_prlimit64, 0, limit->resource, pair, NULL));
    }
}

static void drop_bounding(struct child *child) {
    if (!child->plan->settings.drops_bounding) return;
    for (int capability = 0; capability <= LAST_CAPABILITY; capability++) {
        const long held = syscall(SYS_prctl, PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0) return;  // past the last one this kernel has
        child->result.index = (uint32_t)capability;
        if (held) must(child, syscall(SYS_prctl, PR_CAPBSET_DROP, capability, 0, 0, 0));
    }
}

static void change_groups(struct child *child) {
    if (!child->plan->settings.changes_identity) return;
    must(child, syscall(SYS_setgroups, child->plan->settings.group_count, child->plan->groups));
}

static void change_identity(struct child *child) {
    if (!child->plan->settings.changes_identity) return;
    const uid_t uid = child->plan->settings.uid;
    const gid_t gid = child->plan->settings.gid;
    // Raw calls: glibc's would signal the parent's other threads.
    must(child, syscall(SYS_setresgid, gid, gid, gid));
    must(child, syscall(SYS_setresuid, uid, uid, uid));
    // The number -1 means "as before" to these calls: they are believed only when they did it.
    uid_t uids[3];
    gid_t gids[3];
    must(child, syscall(SYS_getresuid, &uids[0], &uids[1], &uids[2]));
    must(child, syscall(SYS_getresgid, &gids[0], &gids[1], &gids[2]));
    for (int i = 0; i < 3; i++) {
        if (uids[i] != uid || gids[i] != gid) fail(child, EINVAL);
    }
    // Its memory is still the monitor's: no process of that user may look into it, whatever fs.suid_dumpable says.
    must(child, syscall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0));
}

static void empty_capabilities(struct child *child) {
    if (child->plan->settings.keeps_privileges) return;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}, {0}};
    must(child, syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    must(child, syscall(SYS_capset, &header, none));
}

static void bind_to_parent(struct child *child) {
    if (child->plan->settings.parent_death_signal == 0) return;
    must(child, syscall(SYS_prctl, PR_SET_PDEATHSIG, child->plan->settings.parent_death_signal, 0, 0, 0));
    if (syscall(SYS_getppid) != child->parent) fail(child, ESRCH);
}

static void make_directory(struct child *child) {
    if (!child->plan->settings.makes_directory) return;
    if (syscall(SYS_mkdirat, AT_FDCWD, child->plan->directory, 0700) < 0 && errno != EEXIST) fail(child, errno);
}

static void change_directory(struct child *child) {
    if (!child->plan->directory) return;
    make_directory(child);
    must(child, syscall(SYS_chdir, child->plan->directory));
}

/// What is not there, or not for this user, is for the program to find out; what leads out of its directory ends the child.
static void check_paths(struct child *child) {
    const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    for (uint32_t i = 0; i < child->plan->settings.path_count; i++) {
        const struct postern_path_within *within = &child->plan->paths[i];
        child->result.index = i;
        const long directory = syscall(SYS_openat, AT_FDCWD, within->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        const long found = directory < 0 ? -1 : syscall(SYS_openat2, directory, within->path, &how, sizeof how);
        if (found < 0 && errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ENAMETOOLONG) fail(child, errno);
        if (found >= 0) must(child, syscall(SYS_close, found));
        if (directory >= 0) must(child, syscall(SYS_close, directory));
    }
}

static void renounce_privileges(struct child *child) {
    if (child->plan->settings.keeps_privileges) return;
    must(child, syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/// What an optional rule passes over: the path is not there, or not for this user.
static bool is_absent(long result) {
    return result < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP);
}

static void add_path_rule(struct child *child, int ruleset, int beneath, uint64_t rights) {
    struct stat status;
    must(child, syscall(SYS_newfstatat, beneath, "", &status, AT_EMPTY_PATH));
    struct landlock_path rule = {.rights = rights, .parent = beneath};
    if (!S_ISDIR(status.st_mode)) rule.rights &= child->plan->settings.file_rights;
    if (rule.rights == 0) return;
    must(child, syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PATH_RULE, &rule, 0));
}

static void enter_landlock(struct child *child) {
    const struct postern_launch_plan *plan = child->plan;
    if (!plan->settings.landlock) return;
    const struct landlock_ruleset handled = {plan->settings.handled_files, plan->settings.handled_network, plan->settings.scoped};
    child->result.index = UINT32_MAX;
    const int ruleset = (int)must(child, syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0));
    if (child->program >= 0 && plan->settings.handled_files) {
        add_path_rule(child, ruleset, child->program, plan->settings.program_rights);
    }
    for (uint32_t i = 0; i < plan->settings.rule_count; i++) {
        child->result.index = i;
        const long beneath = syscall(SYS_openat, AT_FDCWD, plan->rules[i].path, O_PATH | O_CLOEXEC);
        if (is_absent(beneath) && !plan->rules[i].required) continue;
        must(child, beneath);
        add_path_rule(child, ruleset, (int)beneath, plan->rules[i].rights);
        must(child, syscall(SYS_close, beneath));
    }
    for (uint32_t i = 0; i < plan->settings.port_count; i++) {
        child->result.index = plan->settings.rule_count + i;
        const struct landlock_port rule = {LANDLOCK_CONNECT_TCP, plan->ports[i]};
        must(child, syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PORT_RULE, &rule, 0));
    }
    child->result.index = UINT32_MAX;
    must(child, syscall(SYS_landlock_restrict_self, ruleset, 0));
    must(child, syscall(SYS_close, ruleset));
}

static void enter_seccomp(struct child *child) {
    if (child->plan->settings.filter_length == 0) return;
    const struct sock_fprog program = {(unsigned short)child->plan->settings.filter_length, (struct sock_filter *)child->plan->filter};
    const unsigned long flags = child->plan->settings.reports_denials ? SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE : 0;
    const int listener = (int)must(child, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
    // What is called from here on every filter lets through: the compiler sees to it.
    if (flags) must(child, postern_send(child->channel, "L", 1, &listener, 1));
}

static void execute(struct child *child) {
    const struct postern_launch_plan *plan = child->plan;
    must(child, syscall(SYS_rt_sigprocmask, SIG_SETMASK, &plan->settings.blocked_signals, NULL, KERNEL_SIGNAL_SET_BYTES));
    if (child->program < 0) must(child, syscall(SYS_execve, plan->path, plan->arguments, plan->environment));
    must(child, syscall(SYS_execveat, child->program, "", plan->arguments, plan->environment, AT_EMPTY_PATH));
}

static int run_child(void *argument) {
    static void (*const steps[])(struct child *) = {
        reset_signals, start_session, place_descriptors, change_root, set_limits, drop_bounding, change_groups, change_identity,
        empty_capabilities, bind_to_parent, change_directory, check_paths, renounce_privileges, enter_landlock, enter_seccomp, execute,
    };
    struct child *child = argument;
    for (uint32_t step = POSTERN_STEP_SIGNALS; step <= POSTERN_STEP_EXEC; step++) {
        child->result.step = step;
        child->result.index = 0;
        steps[step - POSTERN_STEP_SIGNALS](child);
    }
    fail(child, ENOEXEC);
}

/// Makes all mounts read-only but what may be written: elsewhere not even what Landlock has no rule for is changed.
static void keep_read_only(struct child *child) {
    const struct postern_launch_plan *plan = child->plan;
    const struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    const uint32_t count = plan->settings.writable_count;
    int trees[POSTERN_MAX_WRITABLE];
    if (count == 0) return;
    if (count > POSTERN_MAX_WRITABLE) fail(child, E2BIG);
    // Paths are looked up as the user, who may see what root without its capabilities may not, and the other way round.
    must(child, syscall(SYS_setgroups, plan->settings.group_count, plan->groups));
    syscall(SYS_setfsgid, plan->settings.gid);
    syscall(SYS_setfsuid, plan->settings.uid);
    child->result.step = POSTERN_STEP_DIRECTORY;
    make_directory(child);
    child->result.step = POSTERN_STEP_NAMESPACES;
    // Each with its mounts as they are; that one is absent Landlock finds again.
    for (uint32_t i = 0; i < count; i++) {
        const long tree = syscall(SYS_open_tree, AT_FDCWD, plan->writable[i], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        trees[i] = is_absent(tree) ? -1 : (int)must(child, tree);
    }
    must(child, syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only));
    for (uint32_t i = 0; i < count; i++) {
        if (trees[i] < 0) continue;
        must(child, syscall(SYS_move_mount, trees[i], "", AT_FDCWD, plan->writable[i], MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS));
        must(child, syscall(SYS_close, trees[i]));
    }
}

/// What process 1 of a pid namespace does before the program starts.
static void prepare_namespaces(struct child *child) {
    // Signals for the program's group go to process 1's, which hands them on.
    must(child, syscall(SYS_setsid));
    must(child, syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL));
    if (!(child->plan->settings.namespaces & CLONE_NEWNS)) return;
    must(child, syscall(SYS_mount, NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
    keep_read_only(child);
    const struct postern_launch_plan *plan = child->plan;
    if (plan->temporary) must(child, syscall(SYS_mount, "tmpfs", plan->temporary, "tmpfs", MS_NOSUID | MS_NODEV, plan->temporary_options));
    if (plan->settings.mounts_proc) must(child, syscall(SYS_mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
}

/// The program's process in a pid namespace: it waits until process 1 shares no memory with us any more.
static int run_second(void *argument) {
    struct child *child = argument;
    char word;
    // Else a monitor that ends would not be missed.
    must(child, syscall(SYS_close, child->monitor));
    if (must(child, syscall(SYS_read, child->channel, &word, 1)) != 1) fail(child, EPIPE);
    return run_child(child);
}

/// Process 1: starts the program's process, and becomes `postern-init`.
static int run_first(void *argument) {
    struct child *child = argument;
    child->parent = 1;
    child->result.step = POSTERN_STEP_NAMESPACES;
    prepare_namespaces(child);
    child->is_shared = 1;
    const pid_t second = clone(run_second, (char *)child - FIRST_STACK_BYTES, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, child, NULL, NULL, &child->is_shared);
    if (second != 2) {
        child->is_shared = 0;
        fail(child, second < 0 ? errno : ESRCH);
    }
    char *const arguments[] = {"postern-init", NULL}, *const environment[] = {NULL};
    must(child, syscall(SYS_dup3, child->channel, 0, 0));
    must(child, syscall(SYS_close_range, 1, ~0U, CLOSE_RANGE_CLOEXEC));
    must(child, syscall(SYS_execveat, child->plan->settings.first, "", arguments, environment, AT_EMPTY_PATH));
    fail(child, ENOEXEC);
}

/// Takes one message of the child or of process 1, where it is due.
static void receive_report(struct child *child, char expected) {
    char byte = 0;
    size_t count;
    int flags, listener = -1;
    if (child->result.error) return;
    if (postern_receive(child->monitor, &byte, 1, &listener, 1, &count, &flags) <= 0 || byte != expected) child->result.error = EPIPE;
    if (listener >= 0) child->result.listener = listener;
}

/// Once process 1 can be reaped, none of its namespace is left.
static bool has_ended(pid_t pid) {
    siginfo_t information = {0};
    return syscall(SYS_waitid, P_PID, pid, &information, WEXITED | WNOHANG | WNOWAIT, NULL) == 0 && information.si_pid == pid;
}

/// Lets the program's process go on once process 1 says that it is there, and waits until it was executed, or has failed.
static void release(struct child *child) {
    const struct timespec look = {.tv_nsec = 100 * 1000 * 1000};
    receive_report(child, 'S');
    if (child->result.error == 0 && postern_send(child->monitor, "G", 1, NULL, 0) < 0) child->result.error = errno;
    if (child->result.error) syscall(SYS_kill, child->result.pid, SIGKILL);
    // The kernel clears the word when they share memory no more. Until then `errno` is one for both: no call that fails, unless it takes very long.
    while (child->is_shared && !has_ended(child->result.pid)) syscall(SYS_futex, &child->is_shared, FUTEX_WAIT, 1, &look, NULL, 0);
}

/// As clone(2), but into a control group, where it is from its first instruction: to move it there later, the kernel waits for a grace period (RCU).
static pid_t clone_into(int group, int (*function)(void *), struct child *child, int flags, int *pidfd) {
    char *const stack = (char *)child + 1024 - STACK_BYTES;
    struct clone_args arguments = {
        .flags = ((uint32_t)flags & ~0xffU) | CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .pidfd = (uintptr_t)pidfd,
        .stack = (uintptr_t)stack, .stack_size = (uintptr_t)child - (uintptr_t)stack, .cgroup = (uint64_t)group,
    };
#if defined(__x86_64__)
    long result;
    register void *called __asm__("r8") = (void *)function, *argument __asm__("r9") = child;
    __asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tmov %%r9, %%rdi\n\tcall *%%r8\n\tud2\n1:"
        : "=a"(result) : "a"(SYS_clone3), "D"(&arguments), "S"(sizeof arguments), "r"(called), "r"(argument) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long result __asm__("x0") = (long)&arguments, size __asm__("x1") = sizeof arguments, number __asm__("x8") = SYS_clone3;
    register void *called __asm__("x9") = (void *)function, *argument __asm__("x10") = child;
    __asm__ volatile("svc 0\n\tcbnz x0, 1f\n\tmov x29, xzr\n\tmov x0, x10\n\tblr x9\n\tbrk 0\n1:"
        : "+r"(result) : "r"(size), "r"(number), "r"(called), "r"(argument) : "memory");
#else
#error "no clone3 for this architecture"
#endif
    if (result < 0) errno = (int)-result;
    return result < 0 ? -1 : (pid_t)result;
}

static void start(struct child *child, int *pidfd) {
    const bool has_first = child->plan->settings.namespaces & CLONE_NEWPID;
    const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | (int)child->plan->settings.namespaces, theirs = child->channel;
    int (*const first)(void *) = has_first ? run_first : run_child;
    const int group = child->plan->settings.group;
    const pid_t pid = group < 0 ? clone(first, child, flags, child, pidfd) : clone_into(group, first, child, flags, pidfd);
    if (pid < 0) child->result.error = errno;
    // They have it; if we had it too, we would not see them end.
    if (theirs >= 0) close(theirs);
    child->result.pid = pid;
    if (has_first && pid > 0) release(child);
    if (child->plan->settings.reports_denials) receive_report(child, 'L');
}

int postern_launch(const struct postern_launch_plan *plan, struct postern_launch_result *result) {
    *result = (struct postern_launch_result){.pid = -1, .pidfd = -1, .listener = -1, .report = -1, .step = POSTERN_STEP_CLONE};
    const bool has_first = plan->settings.namespaces & CLONE_NEWPID;
    int channel[2] = {-1, -1};
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, GUARD_BYTES, PROT_NONE) < 0
        || ((has_first || plan->settings.reports_denials) && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)) {
        result->error = errno;
        if (stack != MAP_FAILED) munmap(stack, STACK_BYTES);
        return -1;
    }
    struct child *child = (struct child *)(stack + STACK_BYTES - 1024);
    *child = (struct child){.plan = plan, .result = *result, .parent = getpid(), .channel = channel[1], .monitor = channel[0]};
    const uint64_t all = ~0ULL;
    uint64_t before;
    int pidfd = -1;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGNAL_SET_BYTES);
    start(child, &pidfd);
    const pid_t pid = child->result.pid;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGNAL_SET_BYTES);
    *result = child->result;
    munmap(stack, STACK_BYTES);
    if (!has_first || result->error) close(channel[0]);
    else result->report = channel[0];
    if (result->error == 0) {
        result->pid = pid;
        result->pidfd = pidfd;
        return 0;
    }
    if (result->listener >= 0) close(result->listener);
    if (pid > 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
        close(pidfd);
    }
    return -1;
}
