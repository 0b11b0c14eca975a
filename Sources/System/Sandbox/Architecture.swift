/// A processor's system calls: seccomp programs are made for one of them, and kill the calls of all others.
public enum Architecture: UInt32, CaseIterable, Sendable {
    // The kernel's numbers, which libseccomp uses too (linux/audit.h).
    case x86_64 = 0xc000_003e
    case aarch64 = 0xc000_00b7

    #if arch(x86_64)
        public static let running = Architecture.x86_64
    #elseif arch(arm64)
        public static let running = Architecture.aarch64
    #endif
}
