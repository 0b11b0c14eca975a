internal import CLinux
public import Linux

/// Something that no sandbox allows, or not every one, tried so that nothing comes of it where it is allowed after all:
/// system calls get arguments that the kernel turns down, files are opened and closed.
public enum ForbiddenAct: Hashable, Sendable, CustomStringConvertible {
    case read(String)
    case write(String)
    /// By name, one of ``callNames``.
    case call(String)
    /// A socket of this domain and type (socket(2)).
    case socket(domain: Int32, type: Int32)
    /// A connection to this port of the machine itself.
    case connect(UInt16)
    /// Signal 0 to a process.
    case signal(Int32)

    public enum Outcome: Equatable, Sendable {
        /// Nothing stopped it.
        case worked
        /// The kernel looked at the arguments, and would have gone on with others.
        case reached(Errno)
        case refused(Errno)
        /// The process ended for it.
        case ended

        public var isRefused: Bool {
            switch self {
            case .refused, .ended: true
            case .worked, .reached: false
            }
        }
    }

    /// As the word that ``init(word:)`` reads.
    public var description: String {
        switch self {
        case .read(let path): "read \(path)"
        case .write(let path): "write \(path)"
        case .call(let name): "call \(name)"
        case .socket(let domain, let type): "socket \(domain) \(type)"
        case .connect(let port): "connect \(port)"
        case .signal(let pid): "signal \(pid)"
        }
    }

    public init?(word: String) {
        let parts = word.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        let numbers = parts[1].split(separator: " ").compactMap { Int32($0) }
        switch (parts[0], numbers.count) {
        case ("read", _): self = .read(parts[1])
        case ("write", _): self = .write(parts[1])
        case ("call", _) where Self.calls[parts[1]] != nil: self = .call(parts[1])
        case ("socket", 2): self = .socket(domain: numbers[0], type: numbers[1])
        case ("connect", 1): self = .connect(UInt16(clamping: numbers[0]))
        case ("signal", 1): self = .signal(numbers[0])
        default: return nil
        }
    }

    /// The calls that no sandbox allows.
    public static var callNames: [String] { calls.keys.sorted() }

    /// Tries it in this process.
    public func attempt() -> Outcome {
        do throws(Errno) {
            switch self {
            case .read(let path): _ = try openFile(path, Self.isDirectory(path) ? .directory : .nonBlocking)
            case .write(let path): _ = try openFile(path, .readWrite)
            case .call(let name): try Self.make(name)
            case .socket(let domain, let type):
                let number = CLinux.socket(domain, type, 0)
                guard number >= 0 else { throw Errno.last }
                _ = Descriptor(owning: number)
            case .connect(let port): _ = try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: port))
            case .signal(let pid): if kill(pid, 0) != 0 { throw Errno.last }
            }
            return .worked
        } catch {
            // A process that cannot be named is out of reach; a port without a listener is not.
            if case .signal = self, error == .noProcess { return .refused(error) }
            return [.notPermitted, .accessDenied, .notImplemented, .notTerminal].contains(error) ? .refused(error) : .reached(error)
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        do throws(Errno) { return try openFile(path, .pathOnly).status().kind == .directory } catch { return false }
    }

    private static func make(_ name: String) throws(Errno) {
        guard let call = calls[name] else { throw .notImplemented }
        let words = call.arguments + [0, 0, 0, 0]
        if postern_call(Int(call.number), words[0], words[1], words[2], words[3]) < 0 { throw Errno.last }
    }

    /// No arguments is four zeros; `nowhere` is a descriptor that is not open, or an address that is not there.
    private static let calls: [String: (number: Int32, arguments: [UInt])] = [
        "ptrace": (SYS_ptrace, [0x4206, nowhere]), "process_vm_readv": (SYS_process_vm_readv, [1]), "process_vm_writev": (SYS_process_vm_writev, [1]),
        "pidfd_getfd": (SYS_pidfd_getfd, [nowhere]), "kcmp": (SYS_kcmp, [1, 1, nowhere]), "perf_event_open": (SYS_perf_event_open, [nowhere]),
        "mount": (SYS_mount, [nowhere, nowhere, nowhere]), "umount2": (SYS_umount2, [nowhere, nowhere]), "pivot_root": (SYS_pivot_root, [nowhere, nowhere]),
        "open_tree": (SYS_open_tree, [nowhere, nowhere, nowhere]), "fsopen": (SYS_fsopen, [nowhere, nowhere]), "chroot": (SYS_chroot, [nowhere]),
        "unshare": (SYS_unshare, [1]), "setns": (SYS_setns, [nowhere]), "keyctl": (SYS_keyctl, [nowhere]), "add_key": (SYS_add_key, [nowhere]),
        "bpf": (SYS_bpf, [nowhere]), "userfaultfd": (SYS_userfaultfd, [nowhere]), "io_uring_setup": (SYS_io_uring_setup, [1, nowhere]),
        "kexec_load": (SYS_kexec_load, [0, 17, nowhere, nowhere]), "init_module": (SYS_init_module, [nowhere, 0, nowhere]),
        "finit_module": (SYS_finit_module, [nowhere, nowhere]), "delete_module": (SYS_delete_module, [nowhere]), "swapon": (SYS_swapon, [nowhere]),
        "reboot": (SYS_reboot, []), "open_by_handle_at": (SYS_open_by_handle_at, [nowhere, nowhere]), "acct": (SYS_acct, [nowhere]),
        "quotactl": (SYS_quotactl, [nowhere]), "sethostname": (SYS_sethostname, [nowhere, nowhere]), "settimeofday": (SYS_settimeofday, [nowhere]),
        "syslog": (SYS_syslog, [nowhere]), "setuid": (SYS_setuid, [nowhere]), "setgid": (SYS_setgid, [nowhere]), "setgroups": (SYS_setgroups, [nowhere]),
        "capset": (SYS_capset, [nowhere]), "personality": (SYS_personality, [0x0400_0000]), "fanotify_init": (SYS_fanotify_init, [nowhere]),
        "ioctl TIOCSTI": (SYS_ioctl, [0, 0x5412, nowhere]), "clone CLONE_NEWUSER": (SYS_clone, [0x1000_0000 | 0x1_0000]),
    ]
    private static let nowhere = UInt.max
}
