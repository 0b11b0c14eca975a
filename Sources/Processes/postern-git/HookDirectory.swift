import Linux
import Policy

/// The hooks of one push: ours, and those of the policy behind it.
enum HookDirectory {
    /// What receive-pack runs (githooks(5)) besides `pre-receive` and `post-receive`, which are ours and call the policy's.
    private static let others = ["update", "post-update", "reference-transaction", "proc-receive"]

    /// Makes it in the command's private directory.
    static func make(_ task: GitTask) throws(GitFault) -> String {
        guard let private_ = Environment.value(of: "TMPDIR") else { throw GitFault("there is no TMPDIR") }
        let path = "\(private_)/hooks"
        try naming(path) { () throws(Errno) in
            try makeDirectory(path, mode: 0o700)
            for name in ["pre-receive", "post-receive"] { try makeLink("\(path)/\(name)", to: task.hook) }
            guard let directory = Environment.value(of: RefRule.hooksVariable) else { return }
            for name in others where isExecutable("\(directory)/\(name)") { try makeLink("\(path)/\(name)", to: "\(directory)/\(name)") }
        }
        return path
    }
}
