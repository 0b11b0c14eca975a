// Process 1 of a command's pid namespace (CLinux/Launch.c starts it, then the command, as its second): it hands on signals, reaps, and says
// how the command ended. With it all others in the namespace end. It has no libc and a few pages of memory, since each command has one:
// nothing of the monitor's is in it. Descriptor 0 is the way to the monitor. All signals are blocked.
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { MONITOR = 0, COMMAND = 2, SIGNAL_SET_BYTES = 8 };

static long call(long number, long a, long b, long c, long d) {
#if defined(__x86_64__)
    long result;
    register long fourth __asm__("r10") = d;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth) : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long result __asm__("x0") = a, second __asm__("x1") = b, third __asm__("x2") = c, fourth __asm__("x3") = d;
    register long which __asm__("x8") = number;
    __asm__ volatile("svc 0" : "+r"(result) : "r"(second), "r"(third), "r"(fourth), "r"(which) : "memory");
    return result;
#else
#error "postern-init knows no system calls of this architecture"
#endif
}

static _Noreturn void end(int status) {
    for (;;) call(SYS_exit_group, status, 0, 0, 0);
}

static void must(long result) {
    if (result < 0) end(125);
}

/// Tells the monitor; where it has gone, everything ends.
static void tell(const void *bytes, long count) { must(call(SYS_write, MONITOR, (long)bytes, count, 0)); }

static void reap(void) {
    int status;
    for (long ended; (ended = call(SYS_wait4, -1, (long)&status, WNOHANG, 0)) > 0;) {
        if (ended != COMMAND) continue;
        tell(&status, sizeof status);
        end(0);
    }
}

static _Noreturn void serve(void) {
    // CAP_KILL alone: the command has another user.
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct capabilities[2] = {{.effective = 1 << CAP_KILL, .permitted = 1 << CAP_KILL}};
    must(call(SYS_capset, (long)&header, (long)capabilities, 0, 0));
    must(call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0));
    // After the capabilities: whoever gains some loses this signal.
    must(call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0));
    tell("S", 1);
    const unsigned long all = ~0UL;
    for (;;) {
        const long signal = call(SYS_rt_sigtimedwait, (long)&all, 0, 0, SIGNAL_SET_BYTES);
        if (signal > 0 && signal != SIGCHLD) call(SYS_kill, -COMMAND, signal, 0, 0);
        reap();
    }
}

#if defined(__x86_64__)
__attribute__((force_align_arg_pointer))
#endif
_Noreturn void _start(void);
void _start(void) { serve(); }

// The driver that links knows Swift programs only, and adds an object of which no code runs here: what that object wants.
void swift_addNewDSOImage(void);
void swift_addNewDSOImage(void) {}
void _swift_backtrace_isThunkFunction(void);
void _swift_backtrace_isThunkFunction(void) {}
