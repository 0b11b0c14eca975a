internal import CLinux
public import Linux

/// What `postern-frontend` locks itself into before it reads the peer's first byte (DESIGN §6).
public enum FrontendConfinement {
    /// Every system call it can make from then on; any other ends it with SIGSYS.
    ///
    /// No new descriptor but those received from the monitor, no signal, no process, no executable memory.
    ///
    /// There is no second filter for the time after authentication. Of these calls one has no use then: setsockopt(2), by which
    /// acknowledgements are hurried before (``Descriptor/setQuickAck()``), and which can set nothing but options of TCP. To stack a filter that
    /// lacks it, this one would have to allow seccomp(2): whoever is not authenticated would get the kernel's compiler of filters in exchange.
    public static let allowedCalls: [FilterProgram.Call] = [
        // Bytes: the peer, the pipes of commands, the monitor.
        .init("ppoll", SYS_ppoll),
        .init("read", SYS_read),
        .init("write", SYS_write),
        .init("recvmsg", SYS_recvmsg),
        .init("sendmsg", SYS_sendmsg),
        .init("setsockopt", SYS_setsockopt, [.equals(argument: 1, UInt32(IPPROTO_TCP))]),
        .init("shutdown", SYS_shutdown),
        .init("close", SYS_close),
        // Time and randomness.
        .init("clock_gettime", SYS_clock_gettime),
        .init("getrandom", SYS_getrandom),
        // Memory.
        .init("brk", SYS_brk),
        .init("mmap", SYS_mmap, [.without(argument: 2, bits: UInt32(PROT_EXEC))]),
        .init("mprotect", SYS_mprotect, [.without(argument: 2, bits: UInt32(PROT_EXEC))]),
        .init("munmap", SYS_munmap),
        .init("mremap", SYS_mremap),
        .init("madvise", SYS_madvise),
        .init("futex", SYS_futex),
        // The end.
        .init("rt_sigreturn", SYS_rt_sigreturn),
        .init("exit_group", SYS_exit_group),
    ]

    public static let filter = FilterProgram(allowing: allowedCalls).bytes

    /// Confines the calling process, which must have one thread. There is no way back.
    ///
    /// Before it: open, map and initialise all that needs more; set received descriptors non-blocking on the monitor's side.
    public static func enter() throws(Errno) {
        try setNoNewPrivileges()
        try denyAllFiles()
        try confine(by: filter)
    }

    /// Where the kernel has no Landlock, the filter alone keeps files away: nothing in it opens one.
    private static func denyAllFiles() throws(Errno) {
        let support = LandlockSupport.running
        guard support.abi > 0 else { return }
        let handled = [support.fileRights.rawValue, support.networkRights, support.scopes.rawValue]
        // SAFETY: the call reads three words, as many as the array holds.
        let ruleset = unsafe handled.withUnsafeBytes { postern_call(Int(SYS_landlock_create_ruleset), UInt(bitPattern: $0.baseAddress), UInt($0.count), 0, 0) }
        guard ruleset >= 0 else { throw Errno.last }
        let rules = Descriptor(owning: Int32(ruleset))
        guard postern_call(Int(SYS_landlock_restrict_self), UInt(rules.number), 0, 0, 0) == 0 else { throw Errno.last }
    }
}

/// Puts the calling thread and all that it starts under a finished seccomp program; no_new_privs must be set.
public func confine(by filter: [UInt8]) throws(Errno) {
    precondition(filter.count % 8 == 0 && filter.count / 8 <= Int(UInt16.max), "a filter is at most 65535 records of 8 bytes")
    // SAFETY: the call reads as many records as the array holds.
    let result = unsafe filter.withUnsafeBytes { records in
        let program = [UInt(records.count / 8), UInt(bitPattern: records.baseAddress)]
        return unsafe program.withUnsafeBytes { postern_call(Int(SYS_seccomp), 1, 0, UInt(bitPattern: $0.baseAddress), 0) }
    }
    if result != 0 { throw Errno.last }
}
