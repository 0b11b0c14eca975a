internal import CLinux
public import Linux

/// What the monitor denies itself (DESIGN §6), and no command may do either.
///
/// Its commands inherit the filter, and of several filters the strictest answer holds (seccomp(2)). A call that is handed to a tracer where
/// there is none fails with "not implemented", and that answer is less strict than a notification: a command's own filter goes on naming the
/// call to us. A tracer nobody can become, since ptrace(2) is among the calls.
public enum MonitorConfinement {
    /// Calls that reach into other processes, change the machine, or enter parts of the kernel that the monitor has no use for.
    ///
    /// Each is one that no sandbox allows, or this filter would take it from commands; a launch makes none of them.
    public static let deniedCalls: [FilterProgram.Call] = machineCalls + [
        .init("ptrace", SYS_ptrace), .init("process_vm_readv", SYS_process_vm_readv), .init("process_vm_writev", SYS_process_vm_writev),
        .init("process_madvise", SYS_process_madvise), .init("pidfd_getfd", SYS_pidfd_getfd), .init("kcmp", SYS_kcmp),
        .init("bpf", SYS_bpf), .init("perf_event_open", SYS_perf_event_open), .init("userfaultfd", SYS_userfaultfd),
        .init("io_uring_setup", SYS_io_uring_setup), .init("io_uring_enter", SYS_io_uring_enter), .init("io_uring_register", SYS_io_uring_register),
        .init("keyctl", SYS_keyctl), .init("add_key", SYS_add_key), .init("request_key", SYS_request_key),
        .init("kexec_load", SYS_kexec_load), .init("kexec_file_load", SYS_kexec_file_load),
        .init("init_module", SYS_init_module), .init("finit_module", SYS_finit_module), .init("delete_module", SYS_delete_module),
        .init("reboot", SYS_reboot), .init("swapon", SYS_swapon), .init("swapoff", SYS_swapoff), .init("acct", SYS_acct), .init("quotactl", SYS_quotactl),
        .init("settimeofday", SYS_settimeofday), .init("clock_settime", SYS_clock_settime), .init("adjtimex", SYS_adjtimex),
        .init("clock_adjtime", SYS_clock_adjtime), .init("sethostname", SYS_sethostname), .init("setdomainname", SYS_setdomainname),
        .init("open_by_handle_at", SYS_open_by_handle_at), .init("fanotify_init", SYS_fanotify_init), .init("syslog", SYS_syslog),
        .init("setns", SYS_setns), .init("pivot_root", SYS_pivot_root), .init("fsopen", SYS_fsopen), .init("fsmount", SYS_fsmount),
        .init("vhangup", SYS_vhangup),
    ]

    #if arch(x86_64)
        private static let machineCalls: [FilterProgram.Call] = [.init("iopl", SYS_iopl), .init("ioperm", SYS_ioperm), .init("modify_ldt", SYS_modify_ldt)]
    #else
        private static let machineCalls: [FilterProgram.Call] = []
    #endif

    /// Confines the calling process, which must have one thread, and all that it starts. There is no way back.
    public static func enter() throws(Errno) {
        // Else only root may; what it executes keeps what it has.
        if !holds(.system) { try setNoNewPrivileges() }
        try confine(by: FilterProgram(denying: deniedCalls).bytes)
    }
}
