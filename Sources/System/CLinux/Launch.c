// Between clone and exec: raw system calls only, in the order of DESIGN §6. The first that fails ends the child.
#include "CLinux.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

enum {
    STACK_BYTES = 64 * 1024,
    GUARD_BYTES = 4096,
    LANDLOCK_VERSION = 1,
    LANDLOCK_PATH_RULE = 1,
    LANDLOCK_PORT_RULE = 2,
    LANDLOCK_CONNECT_TCP = 2,
    LAST_SIGNAL = 64,
    LAST_CAPABILITY = 63,
    KERNEL_SIGNAL_SET_BYTES = 8,
};

// The kernel's layouts; the headers of Debian 12 know only the first field of the first.
struct landlock_ruleset { uint64_t files, network, scoped; };
struct __attribute__((packed)) landlock_path { uint64_t rights; int32_t parent; };
struct landlock_port { uint64_t rights, port; };
struct kernel_action { void (*handler)(int); unsigned long flags; void (*restorer)(void); uint64_t mask; };

struct child {
    const struct postern_launch_plan *plan;
    volatile struct postern_launch_result *result;
    pid_t parent;
    int program, root;  // where the plan's descriptors are after they were placed, or -1
};

/// Reports the failing step through the memory shared with the parent, and ends.
static _Noreturn void fail(struct child *child, int error) {
    child->result->error = error;
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

/// Puts the given descriptors at 0, 1, 2 …, the program after them, the root after that; closes all others.
static void place_descriptors(struct child *child) {
    const int count = (int)child->plan->settings.descriptor_count;
    int source[POSTERN_MAX_DESCRIPTORS + 2];
    if (count > POSTERN_MAX_DESCRIPTORS) fail(child, EINVAL);
    for (int i = 0; i < count; i++) source[i] = child->plan->descriptors[i];
    source[count] = child->plan->settings.program;
    source[count + 1] = child->plan->settings.root;
    // First out of the way of each other, then into place.
    for (int i = 0; i < count + 2; i++) {
        child->result->index = (uint32_t)i;
        if (source[i] >= count + 2 || (source[i] < 0 && i >= count)) continue;
        source[i] = (int)must(child, syscall(SYS_fcntl, source[i], F_DUPFD_CLOEXEC, count + 2));
    }
    for (int i = 0; i < count + 2; i++) {
        child->result->index = (uint32_t)i;
        if (source[i] < 0) syscall(SYS_close, i);
        else must(child, syscall(SYS_dup3, source[i], i, i < count ? 0 : O_CLOEXEC));
    }
    must(child, syscall(SYS_close_range, count + 2, ~0U, 0));
    child->program = source[count] < 0 ? -1 : count;
    child->root = source[count + 1] < 0 ? -1 : count + 1;
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
        child->result->index = i;
        must(child, syscall(SYS_prlimit64, 0, limit->resource, pair, NULL));
    }
}

static void drop_bounding(struct child *child) {
    if (!child->plan->settings.drops_bounding) return;
    for (int capability = 0; capability <= LAST_CAPABILITY; capability++) {
        const long held = syscall(SYS_prctl, PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0) return;  // past the last one this kernel has
        child->result->index = (uint32_t)capability;
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
    // In a new pid namespace the parent has no number to compare.
    if (child->plan->settings.namespaces & CLONE_NEWPID) return;
    if (syscall(SYS_getppid) != child->parent) fail(child, ESRCH);
}

static void change_directory(struct child *child) {
    if (child->plan->directory) must(child, syscall(SYS_chdir, child->plan->directory));
}

static void renounce_privileges(struct child *child) {
    if (child->plan->settings.keeps_privileges) return;
    must(child, syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/// What an optional rule passes over: the path is not there, or not for this user.
static bool is_absent(int error) {
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP;
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
    child->result->index = UINT32_MAX;
    const int ruleset = (int)must(child, syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0));
    if (child->program >= 0 && plan->settings.handled_files) {
        add_path_rule(child, ruleset, child->program, plan->settings.program_rights);
    }
    for (uint32_t i = 0; i < plan->settings.rule_count; i++) {
        child->result->index = i;
        const long beneath = syscall(SYS_openat, AT_FDCWD, plan->rules[i].path, O_PATH | O_CLOEXEC);
        if (beneath < 0 && !plan->rules[i].required && is_absent(errno)) continue;
        must(child, beneath);
        add_path_rule(child, ruleset, (int)beneath, plan->rules[i].rights);
        must(child, syscall(SYS_close, beneath));
    }
    for (uint32_t i = 0; i < plan->settings.port_count; i++) {
        child->result->index = plan->settings.rule_count + i;
        const struct landlock_port rule = {LANDLOCK_CONNECT_TCP, plan->ports[i]};
        must(child, syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_PORT_RULE, &rule, 0));
    }
    child->result->index = UINT32_MAX;
    must(child, syscall(SYS_landlock_restrict_self, ruleset, 0));
    must(child, syscall(SYS_close, ruleset));
}

static void enter_seccomp(struct child *child) {
    if (child->plan->settings.filter_length == 0) return;
    const struct sock_fprog program = {(unsigned short)child->plan->settings.filter_length, (struct sock_filter *)child->plan->filter};
    must(child, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

static void execute(struct child *child) {
    const struct postern_launch_plan *plan = child->plan;
    const uint64_t nothing = 0;
    must(child, syscall(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, NULL, KERNEL_SIGNAL_SET_BYTES));
    if (child->program < 0) must(child, syscall(SYS_execve, plan->path, plan->arguments, plan->environment));
    must(child, syscall(SYS_execveat, child->program, "", plan->arguments, plan->environment, AT_EMPTY_PATH));
}

static int run_child(void *argument) {
    static void (*const steps[])(struct child *) = {
        [POSTERN_STEP_SIGNALS] = reset_signals,
        [POSTERN_STEP_SESSION] = start_session,
        [POSTERN_STEP_DESCRIPTORS] = place_descriptors,
        [POSTERN_STEP_ROOT] = change_root,
        [POSTERN_STEP_LIMITS] = set_limits,
        [POSTERN_STEP_BOUNDING] = drop_bounding,
        [POSTERN_STEP_GROUPS] = change_groups,
        [POSTERN_STEP_UID] = change_identity,
        [POSTERN_STEP_CAPABILITIES] = empty_capabilities,
        [POSTERN_STEP_PARENT_DEATH] = bind_to_parent,
        [POSTERN_STEP_DIRECTORY] = change_directory,
        [POSTERN_STEP_NO_NEW_PRIVILEGES] = renounce_privileges,
        [POSTERN_STEP_LANDLOCK] = enter_landlock,
        [POSTERN_STEP_SECCOMP] = enter_seccomp,
        [POSTERN_STEP_EXEC] = execute,
    };
    struct child *child = argument;
    for (uint32_t step = POSTERN_STEP_SIGNALS; step <= POSTERN_STEP_EXEC; step++) {
        child->result->step = step;
        child->result->index = 0;
        steps[step](child);
    }
    fail(child, ENOEXEC);
}

int postern_launch(const struct postern_launch_plan *plan, struct postern_launch_result *result) {
    struct child child = {.plan = plan, .result = result, .parent = getpid()};
    *result = (struct postern_launch_result){.pid = -1, .pidfd = -1, .step = POSTERN_STEP_CLONE};
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, GUARD_BYTES, PROT_NONE) < 0) {
        result->error = errno;
        if (stack != MAP_FAILED) munmap(stack, STACK_BYTES);
        return -1;
    }
    const uint64_t all = ~0ULL;
    uint64_t before;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, KERNEL_SIGNAL_SET_BYTES);
    const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | (int)plan->settings.namespaces;
    int pidfd = -1;
    const pid_t pid = clone(run_child, stack + STACK_BYTES, flags, &child, &pidfd);
    if (pid < 0) result->error = errno;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, KERNEL_SIGNAL_SET_BYTES);
    munmap(stack, STACK_BYTES);
    if (result->error == 0) {
        result->pid = pid;
        result->pidfd = pidfd;
        return 0;
    }
    if (pid > 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
        close(pidfd);
    }
    return -1;
}

int postern_landlock_abi(void) {
    const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
    return version < 0 ? 0 : (int)version;
}

int postern_landlock_nothing(uint64_t handled_files, uint64_t handled_network, uint64_t scoped) {
    const struct landlock_ruleset handled = {handled_files, handled_network, scoped};
    const int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (ruleset < 0) return errno;
    const int error = syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? errno : 0;
    close(ruleset);
    return error;
}

int postern_seccomp(const void *filter, uint16_t length) {
    const struct sock_fprog program = {length, (struct sock_filter *)filter};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? errno : 0;
}

int postern_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct sets[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    return syscall(SYS_capset, &header, sets) < 0 ? errno : 0;
}

int postern_permitted(uint64_t *permitted) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    if (syscall(SYS_capget, &header, sets) < 0) return errno;
    *permitted = (uint64_t)sets[1].permitted << 32 | sets[0].permitted;
    return 0;
}
