public import Policy

/// The sandboxes that every policy can name (DESIGN §3.4).
///
/// Their `allowedCalls` are the whole list of groups: a sandbox built on one adds to it. Their filter is empty until compiled.
public enum PredefinedSandbox {
    public static let names = ["tool", "git-read", "git-write", "drop", "service"]

    public static func named(_ name: String) -> SandboxPlan? {
        switch name {
        case "tool": tool
        case "git-read": gitRead
        case "git-write": gitWrite
        case "drop": drop
        case "service": service
        default: nil
        }
    }

    /// Programs that read, compute and write to their output: no network, nothing written.
    public static let tool: SandboxPlan = {
        var plan = SandboxPlan(name: "tool")
        plan.paths = programs + settings + devices
        plan.allowedCalls = [
            "@default", "@basic-io", "@file-system", "@io-event", "@process", "@signal", "@sync", "@timer", "@memory", "@transfer",
            "@inspect", "@pipe", "@stream",
        ]
        // The kernel counts all of its user's, in other connections too.
        plan.limits.processes = 512
        // It writes in its private directory only.
        plan.limits.fileSize = 1 << 30
        return plan
    }()

    /// What serves fetches: git and its own programs, and the shell that runs them. The repositories are the policy's to name.
    public static let gitRead: SandboxPlan = {
        var plan = tool
        plan.name = "git-read"
        let git = ["git", "git-upload-pack", "git-upload-archive", "sh"].map { "/usr/bin/\($0)" }
        plan.paths = settings + devices + libraries + git.map { PathRule(path: $0, access: .execute, isRequired: false) }
        plan.limits.memory = 2 << 30
        plan.limits.openFiles = 1024
        return plan
    }()

    /// What takes pushes: hooks are scripts that call what they like of the system's programs.
    public static let gitWrite: SandboxPlan = {
        var plan = gitRead
        plan.name = "git-write"
        plan.paths += programs
        plan.limits.fileSize = nil
        return plan
    }()

    /// One program that stores files: it starts no other, and signals none.
    public static let drop: SandboxPlan = {
        var plan = tool
        plan.name = "drop"
        plan.paths = settings + devices + libraries
        plan.allowedCalls.removeAll { $0 == "@process" }
        plan.allowedCalls += ["prctl", "getrusage", "times", "tgkill"]
        plan.limits.fileSize = nil
        plan.limits.memory = 256 << 20
        plan.limits.openFiles = 64
        return plan
    }()

    /// The widest: what a service may do that has no privilege. It still has no call in ``SystemCalls/dangerous``.
    public static let service: SandboxPlan = {
        var plan = tool
        plan.name = "service"
        plan.network = .any
        plan.paths += resolver
        plan.allowedCalls += ["@ipc", "@aio", "@memlock", "@network-io", "@resources", "@pkey", "@sandbox"]
        plan.limits.fileSize = nil
        plan.limits.memory = 4 << 30
        plan.limits.openFiles = 4096
        return plan
    }()

    /// What looking up names and speaking TLS reads: for a sandbox whose network is `tcp` with dns, or `any`.
    public static let resolver = [
        "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/ssl",
        "/etc/ca-certificates",
    ].map { PathRule(path: $0, access: .read, isRequired: false) }

    private static let programs = ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32"].map {
        PathRule(path: $0, access: .execute, isRequired: false)
    }
    /// Loader and libraries, which dynamically linked programs need.
    private static let libraries = ["/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/share"].map {
        PathRule(path: $0, access: $0 == "/usr/share" ? .read : .execute, isRequired: false)
    }
    private static let settings = [
        "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/etc/localtime", "/etc/gitconfig",
    ].map { PathRule(path: $0, access: .read, isRequired: false) }
    private static let devices =
        ["/dev/null", "/dev/zero", "/dev/full"].map { PathRule(path: $0, access: .write, isRequired: false) }
        + ["/dev/random", "/dev/urandom"].map { PathRule(path: $0, access: .read, isRequired: false) }
}
