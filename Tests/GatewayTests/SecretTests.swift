import Foundation
import Linux
import Testing

@Suite("DESIGN §3.4: what anybody may read, a command may not") struct SecretTests {
    /// As the command's user, among the files that the gateway sees.
    private func outside(_ gateway: Gateway, _ path: String) throws -> Outcome {
        let namespace = ["/usr/bin/nsenter", "--target", "\(gateway.process.pid)", "--mount"]
        let user = ["/usr/bin/setpriv", "--reuid", "\(gateway.user.uid)", "--regid", "\(gateway.user.gid)", "--clear-groups"]
        return try run((isRoot ? namespace + user : []) + ["/bin/cat", path])
    }

    @Test func `secrets that file permissions would give away stay out of reach`() throws {
        var policy = TestPolicy()
        // What is mounted for the test is there for this gateway alone.
        if isRoot { policy.launcher = ["/usr/bin/unshare", "--mount"] }
        try Gateway.serving(policy) { gateway in
            // A process of the command's own user.
            let user = ["/usr/bin/setpriv", "--reuid", "\(gateway.user.uid)", "--regid", "\(gateway.user.gid)", "--clear-groups"]
            let neighbour = try RunningProgram((isRoot ? user : []) + ["/bin/sh", "-c", "echo up; exec sleep 1000"])
            #expect(try becomesTrue(within: .seconds(10)) { neighbour.outputSoFar == "up\n" })
            var paths = ["policy.toml", "policy.db", "host"].map { "\(gateway.directory)/\($0)" } + ["/proc/\(neighbour.pid)/environ", "/proc/\(neighbour.pid)/maps"]
            if isRoot {
                let script = """
                    cd \(gateway.directory) && mount -t tmpfs -o mode=0755 none /root && echo theirs > /root/file
                    for file in /etc/shadow /etc/gshadow \(gateway.directory)/policy.db; do
                        cp $file open && chmod 644 open && mv open open$(basename $file) && mount --bind open$(basename $file) $file || exit 1
                    done
                    """
                let mounted = try run(["/usr/bin/nsenter", "--target", "\(gateway.process.pid)", "--mount", "/bin/sh", "-c", script])
                #expect(mounted.code == 0, "\(mounted)")
                paths += ["/etc/shadow", "/etc/gshadow", "/root/file"]
                // The key is root's alone, here as there.
                paths.removeAll { $0.hasSuffix("/host") }
            }
            for path in paths {
                let (inside, outside) = (try gateway.script("cat \(path)"), try outside(gateway, path))
                #expect(inside.errors.contains("Permission denied") && inside.output.isEmpty && inside.code == 1, "\(path): \(inside)")
                #expect(outside.code == 0 && !outside.output.isEmpty, "\(path): \(outside)")
            }
            try neighbour.kill()
        }
    }

    @Test(.enabled(if: isRoot, "only root sees what the gateway has open")) func `descriptors that the gateway was given are not a command's`() throws {
        var policy = TestPolicy()
        policy.launcher = ["/bin/sh", "-c", #"exec 7</etc/shadow 8</dev/zero; exec "$@""#, "sh"]
        try Gateway.serving(policy) { gateway in
            #expect(try readLink("/proc/\(gateway.process.pid)/fd/7") == "/etc/shadow")
            let outcome = try gateway.script(#"for n in 3 4 5 6 7 8 9; do (eval ": <&$n") 2>/dev/null && echo $n; done; echo none"#)
            #expect(outcome.output == "none\n", "\(outcome)")
        }
    }
}
