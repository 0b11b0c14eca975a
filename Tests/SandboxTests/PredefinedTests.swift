import Linux
import Policy
import Sandbox
import SandboxCompiler
import Testing

/// Real programs live in the sandboxes that are made for them.
@Suite("DESIGN §3.4: predefined sandboxes", .enabled(if: LandlockSupport.running.abi > 0, "needs Landlock")) struct PredefinedTests {
    /// A directory that the command's user may write to, in `body`.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = "/tmp/postern-predefined-\(processID)-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory(directory, mode: 0o755)
        if isRoot { try openDirectory(directory).changeOwner(uid: 65534, gid: 65534) }
        defer { removeTree(directory) }
        try body(directory)
    }

    private func sandbox(_ name: String, write: [String] = [], read: [String] = [], execute: [String] = []) throws -> SandboxPlan {
        var plan = try #require(PredefinedSandbox.named(name))
        plan.paths += write.map { PathRule(path: $0, access: .write, isRequired: true) } + read.map { PathRule(path: $0, access: .read, isRequired: true) }
            + execute.map { PathRule(path: $0, access: .execute, isRequired: true) }
        return plan
    }

    private func sh(_ script: String, in plan: SandboxPlan) throws -> Outcome { try run(["/bin/sh", "-c", script], in: plan) }

    private static let git = "GIT_CONFIG_NOSYSTEM=1 git -c safe.directory=* -c user.name=n -c user.email=e -c init.defaultBranch=main"

    /// What the machine's own settings refer to is not the sandbox's matter.
    private static func ownSettings(_ plan: inout ProcessPlan) { plan.environment.append(Array("GIT_CONFIG_NOSYSTEM=1".utf8)) }

    /// A repository with a commit, made by the user that the sandboxes have.
    private func makeRepository(_ directory: String) throws {
        var plan = PredefinedSandbox.service
        plan.paths.append(PathRule(path: directory, access: .write, isRequired: true))
        let made = try sh("cd \(directory) && export HOME=\(directory) && \(Self.git) init -q work && cd work && echo one > file && \(Self.git) add file && \(Self.git) commit -qm one && \(Self.git) clone -q --bare . ../bare.git", in: plan)
        try #require(made.succeeded, "\(made)")
    }

    @Test func `git upload-pack serves in git-read, and writes nothing`() throws {
        try withDirectory { directory in
            try makeRepository(directory)
            let plan = try sandbox("git-read", read: [directory])
            let served = try run(["/usr/bin/git", "-c", "safe.directory=*", "upload-pack", "--stateless-rpc", "--advertise-refs", "\(directory)/bare.git"], in: plan, Self.ownSettings)
            #expect(served.succeeded && served.output.contains("refs/heads/main"), "\(served)")
            let clone = try run(["/usr/bin/git", "-c", "safe.directory=*", "-C", "\(directory)/bare.git", "pack-objects", "--all", "--stdout"], in: plan, Self.ownSettings)
            #expect(clone.succeeded && clone.output.hasPrefix("PACK"), "\(clone.errors)")
            #expect(try sh("echo x > \(directory)/bare.git/x", in: plan).errors.contains("ermission denied"))
            // No other program than git's own and the shell's.
            #expect(try sh("/usr/bin/id", in: plan).status == .exited(126))
            #expect(try sh("/usr/bin/id", in: PredefinedSandbox.tool).succeeded)
        }
    }

    @Test func `git receive-pack takes a push in git-write, with its hooks`() throws {
        try withDirectory { directory in
            try makeRepository(directory)
            let hook = "\(directory)/bare.git/hooks/pre-receive"
            try createFile(hook, Array("#!/bin/sh\nwhile read old new ref; do echo \"$ref\" | tee -a \(directory)/seen | sed 's/^/hook: /' >&2; done\n".utf8), mode: 0o755)
            let plan = try sandbox("git-write", write: [directory], execute: ["\(directory)/bare.git/hooks"])
            let push = try sh("cd \(directory)/work && export HOME=\(directory) && echo two > file && \(Self.git) commit -qam two && \(Self.git) push -q ../bare.git HEAD:refs/heads/main && \(Self.git) -C ../bare.git log --format=%s", in: plan)
            #expect(push.succeeded && push.output == "two\none\n", "\(push)")
            #expect(push.errors.contains("hook: refs/heads/main"), "\(push)")
        }
    }

    @Test func `one program stores files in drop, and starts no other`() throws {
        try withDirectory { directory in
            let plan = try sandbox("drop", write: [directory])
            #expect(try run(["/bin/dd", "if=/dev/zero", "of=\(directory)/file", "bs=64k", "count=4"], in: plan).succeeded)
            #expect(try run(["/bin/mkdir", "\(directory)/sub"], in: plan).succeeded)
            let stored = try run(["/bin/ls", "-l", directory], in: plan)
            #expect(stored.output.contains("file") && stored.output.contains("sub"), "\(stored)")
            let forked = try run(["/bin/sh", "-c", "(echo in a child); echo after"], in: plan)
            #expect(!forked.output.contains("in a child"), "\(forked)")
            #expect(try run(["/bin/cat", "/etc/hostname"], in: plan).errors.contains("ermission denied"))
        }
    }

    static let programs: [(String, String)] = [
        ("tar", "mkdir in out && echo x > in/a && ln -s a in/l && tar cf - in | tar xpf - -C out && cmp in/a out/in/a && test -L out/in/l"),
        ("a script with pipes", "printf 'b\\na\\nb\\n' | sort | uniq -c | awk '{ s += $1 } END { print s }' | grep -qx 3"),
        ("python3", "python3 -c 'import json, os, subprocess, sqlite3, tempfile; d = sqlite3.connect(\"db\"); d.execute(\"create table t (x)\"); d.commit(); print(subprocess.check_output([\"true\"]))'"),
        ("rsync", "command -v rsync >/dev/null || exit 0; mkdir a b && echo x > a/f && echo 'shift; exec \"$@\"' > remote && rsync -a -e \"sh $PWD/remote\" a/ host:$PWD/b/ && cmp a/f b/f"),
    ]

    @Test(arguments: programs) func `real programs live in tool where it writes`(name: String, script: String) throws {
        try withDirectory { directory in
            let outcome = try sh("cd \(directory) && export HOME=$PWD && \(script)", in: try sandbox("tool", write: [directory]))
            #expect(outcome.succeeded, "\(name): \(outcome)")
        }
    }

    @Test(arguments: PredefinedSandbox.names) func `a static program runs in each`(name: String) throws {
        // ldconfig(8) is linked statically, since it repairs what others need.
        let outcome = try run(["/usr/sbin/ldconfig", "--version"], in: try sandbox(name))
        #expect(outcome.succeeded, "\(outcome)")
    }
}
