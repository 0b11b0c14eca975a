public import Policy

/// The sandboxes that every policy can name (DESIGN §3.4).
///
/// Their `allowedCalls` are the whole list of groups: a sandbox built on one adds to it. Their filter is empty until compiled.
public enum PredefinedSandbox {
    public static let names = ["tool", "service"]

    public static func named(_ name: String) -> SandboxPlan? {
        switch name {
        case "tool": tool
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
        return plan
    }()

    /// The widest: what a service may do that has no privilege. It still has no call in ``SystemCalls/dangerous``.
    public static let service: SandboxPlan = {
        var plan = tool
        plan.name = "service"
        plan.network = .any
        plan.paths += resolver
        plan.allowedCalls += ["@ipc", "@aio", "@memlock", "@network-io", "@resources", "@pkey", "@sandbox"]
        plan.limits.processes = 512
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
    private static let settings = [
        "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/etc/localtime", "/etc/gitconfig",
    ].map { PathRule(path: $0, access: .read, isRequired: false) }
    private static let devices =
        ["/dev/null", "/dev/zero", "/dev/full"].map { PathRule(path: $0, access: .write, isRequired: false) }
        + ["/dev/random", "/dev/urandom"].map { PathRule(path: $0, access: .read, isRequired: false) }
}
