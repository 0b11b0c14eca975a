import Linux
import Policy
import Sandbox

/// A command's private directory, which it finds in `TMPDIR`; it goes when the command's last process has gone.
///
/// Where commands have namespaces it is the same for all: in each command's own, something else is mounted there, and ends with it.
struct TemporaryDirectory {
    let path: String
    private let isMountedOver: Bool

    /// Below a directory that only root (or the normal user who runs the gateway) can write, so that no name in it is a trap.
    private static let base = "/var/lib/postern/tmp"

    /// - Parameter name: unique among the running commands of this machine.
    static func make(named name: String, for account: Account, asRoot: Bool) throws(Errno) -> TemporaryDirectory {
        guard asRoot else {
            let path = "/tmp/postern-\(name)"
            try makeDirectory(path, mode: 0o700)
            return TemporaryDirectory(path: path, isMountedOver: false)
        }
        if HostSupport.hasNamespaces {
            do throws(Errno) { try makeMissingDirectory(base, mode: 0o711) } catch .notFound { try makeBase() }
            return TemporaryDirectory(path: base, isMountedOver: true)
        }
        let path = "\(base)/\(name)"
        do throws(Errno) {
            try makeDirectory(path, mode: 0o700)
        } catch .notFound {
            try makeBase()
            try makeDirectory(path, mode: 0o700)
        }
        try openDirectory(path).changeOwner(uid: account.uid, gid: account.gid)
        return TemporaryDirectory(path: path, isMountedOver: false)
    }

    private static func makeBase() throws(Errno) {
        for directory in ["/var/lib/postern", base] { try makeMissingDirectory(directory, mode: 0o711) }
    }

    /// Removes it where nothing ran: it is empty.
    func discard() {
        if isMountedOver { return }
        do throws(Errno) { try removeDirectory(path) } catch {}
    }

    /// Removes it when it is empty, as it mostly is. What else is in it belongs to the user: a process with no more rights than that
    /// user removes it, following no link.
    ///
    /// - Returns: the process to wait for, or nil when it is done.
    func remove(for account: Account, asRoot: Bool) throws(Fault) -> ChildProcess? {
        if isMountedOver { return nil }
        do throws(Errno) {
            try removeDirectory(path)
            return nil
        } catch .notEmpty {
            return try empty(for: account, asRoot: asRoot)
        } catch .notFound {
            return nil
        } catch {
            throw Fault("directory \"\(path)\": \(error)")
        }
    }

    private func empty(for account: Account, asRoot: Bool) throws(Fault) -> ChildProcess {
        let program = try naming("remover") { () throws(ProgramError) in try ProgramFile("/bin/sh") }
        let null = try naming("/dev/null") { () throws(Errno) in try openFile("/dev/null", .readWrite) }
        // Directories that the command has shut are opened first. `rm` cannot remove the directory itself, which stands in one of root's;
        // its complaint about that goes nowhere.
        let script = #"/usr/bin/find "$0" -type d ! -perm -700 -exec /bin/chmod u+rwx {} ';'; exec /bin/rm -rf -- "$0""#
        var plan = ProcessPlan(
            program: program.program, arguments: ["sh", "-c", script, path], input: null, output: null, error: null)
        plan.directory = "/"
        if asRoot {
            plan.identity = ProcessPlan.Identity(uid: account.uid, gid: account.gid, groups: [])
            plan.emptiesBoundingSet = true
        }
        return try naming("remover") { () throws(LaunchError) in try launch(plan) }
    }
}
