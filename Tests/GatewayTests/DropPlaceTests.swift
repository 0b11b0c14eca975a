import Foundation
import Linux
import Testing

@Suite("Drop accounts: what the place is like, and what happens to it meanwhile") struct DropPlaceTests {
    /// Starts a copy to `name` that has sent `sent` of `size` bytes, and waits until they are in the inbox.
    private func sending(_ account: DropAccount, _ name: String, size: Int, sent: Int, _ body: (RunningProgram, Descriptor) throws -> Void) throws {
        let (reading, writing) = try Descriptor.pipe()
        let client = try RunningProgram(account.gateway.sshCommand(["scp -t \(name)"]), input: .open(reading))
        try writing.writeAll(Array("C0644 \(size) a\n".utf8) + noise(sent))
        let files = { LiveProcess.descendants(of: account.gateway.process.pid).filter { $0.name == "postern-files" } }
        #expect(try becomesTrue(within: .seconds(10)) { files().contains { process in Self.uploadedBytes(process) >= sent } })
        try body(client, writing)
    }

    /// The largest file that has no name, of those that a process has open.
    private static func uploadedBytes(_ process: LiveProcess) -> Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd")) ?? []
        let sizes = names.compactMap { try? openFile("/proc/\(process.pid)/fd/\($0)", .pathOnly).status() }.filter { $0.kind == .file && $0.links == 0 }
        return sizes.map { Int($0.size) }.max() ?? 0
    }

    @Test func `postern-files killed in the middle of a file leaves nothing, and its space is free`() throws {
        try DropAccount.serving(#"quota = "4MiB", max_files = 1"#) { account throws in
            for _ in 0..<3 {
                try sending(account, "a", size: 3 << 20, sent: 2 << 20) { client, writing in
                    for process in LiveProcess.descendants(of: account.gateway.process.pid) where process.name == "postern-files" {
                        _ = try run(["/bin/kill", "-KILL", "\(process.pid)"])
                    }
                    let outcome = try client.wait(.seconds(20))
                    #expect(outcome.code != 0, "\(outcome)")
                    withExtendedLifetime(writing) {}
                }
                #expect(try account.gateway.record("finished")["signal"] == "KILL")
                #expect(try account.names == [])
            }
            // More than is left of the quota if anything of the others counted.
            #expect(try account.speak("scp -t .", Array("C0644 \(4 << 20) b\n".utf8) + noise(4 << 20) + [0]).code == 0)
            #expect(try account.names == ["b"])
            #expect(try becomesTrue(within: .seconds(10)) { try account.hidden == [] })
        }
    }

    @Test func `a copy by SFTP that is cut after any number of bytes leaves nothing, and its space is free`() throws {
        try DropAccount.serving(#"quota = "4MiB", max_files = 1"#) { account throws in
            let size = 2 << 20
            let path = try account.file("a", noise(size))
            let files = { LiveProcess.descendants(of: account.gateway.process.pid).filter { $0.name == "postern-files" } }
            for _ in 0..<20 {
                let cut = Int.random(in: 1..<size * 3 / 4)
                let remote = ["-F", "\(account.gateway.directory)/ssh_config", "-i", "\(account.gateway.directory)/alice", "-o", "User=\(account.gateway.user.name)"]
                // 2 MB a second, so that it can be cut before it ends.
                let client = try RunningProgram(["/usr/bin/scp", "-l", "16000"] + remote + [path, "gateway:a"])
                try #require(try becomesTrue(within: .seconds(20)) { files().contains { Self.uploadedBytes($0) >= cut } })
                for process in LiveProcess.descendants(of: client.pid) { _ = try? run(["/bin/kill", "-KILL", "\(process.pid)"]) }
                try client.kill()
                #expect(try account.names == [], "after \(cut) bytes")
                #expect(try becomesTrue(within: .seconds(10)) { files().isEmpty })
            }
            #expect(try becomesTrue(within: .seconds(10)) { try account.hidden == [] }, "\((try? account.hidden) ?? [])")
            #expect(try account.scp(path, "gateway:a").code == 0)
            #expect(try account.received("a").count == size)
        }
    }

    // CVE-2026-53783: rrsync looked at a path, and rsync opened it later, when a component had become a link.
    @Test func `a directory that becomes a link while files are sent leads nowhere`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let outside = "\(account.gateway.directory)/outside"
            try makeDirectory(outside, mode: 0o777)
            try makeDirectory(account.inbox, mode: 0o700)
            for name in ["d", "real"] { try makeDirectory("\(account.inbox)/\(name)", mode: 0o755) }
            let secret = "\(outside)/secret"
            try createFile(secret, Array("secret".utf8), mode: 0o666)
            if isRoot { _ = try run(["/bin/chown", "-R", account.gateway.user.name, account.inbox]) }
            let swapping = try startSwapping(in: account.inbox, with: outside)
            let path = try account.file("a", Array("mine".utf8))
            var batch = ""
            for number in 0..<300 { batch += "-put \(path) d/\(number)\n-get d/secret \(path).back\n-mkdir d/m\(number)\n-chmod 600 d/secret\n-rename d/secret d/gone\n-rm d/secret\n" }
            _ = try account.sftp(batch)
            for _ in 0..<5 { _ = try account.speak("scp -t d/s", Array("C0644 1 a\nx\0".utf8)) }
            try swapping.kill()
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["secret"])
            #expect(try openFile(secret).status().mode == 0o666 && readFile(secret, limit: 100) == Array("secret".utf8))
            #expect(!FileManager.default.fileExists(atPath: "\(path).back"))
        }
    }

    private static let hasSSHFS = isRoot && ["/usr/bin/sshfs", "/dev/fuse", "/usr/lib/openssh/sftp-server"].allSatisfy { FileManager.default.fileExists(atPath: $0) }

    /// Starts posternd in a mount namespace where `drop` is a file system that has no files without names.
    private static let onSSHFS = [
        "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c",
        """
        set -eu
        chown postern-test "$DIRECTORY/drop"
        printf '#!/bin/sh\\nexec /usr/lib/openssh/sftp-server\\n' >"$DIRECTORY/server"; chmod 755 "$DIRECTORY/server"
        cp -a "$DIRECTORY/drop" "$DIRECTORY/below"
        sshfs -f -o "allow_other,default_permissions,uid=$(id -u postern-test),gid=$(id -g postern-test),ssh_command=$DIRECTORY/server" \
          "host:$DIRECTORY/below" "$DIRECTORY/drop" >&2 & mount=$!
        until mountpoint -q "$DIRECTORY/drop"; do kill -0 $mount; sleep 0.05; done
        "$@" & gateway=$!
        trap 'kill $gateway' TERM
        status=0; wait $gateway || status=$?
        trap - TERM
        wait $gateway && status=0 || true
        umount -l "$DIRECTORY/drop"; kill $mount 2>/dev/null || true; wait $mount || true
        exit $status
        """, "sh",
    ]

    @Test(.enabled(if: hasSSHFS, "needs root, sshfs and /dev/fuse")) func `where files must have names they are hidden, and removed on any end`() throws {
        try DropAccount.serving(#"access = ["upload", "overwrite"], quota = "8MiB""#, launcher: Self.onSSHFS) { account throws in
            let below = "\(account.gateway.directory)/below/alice"
            func names(_ path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
            let bytes = try noise(300_000)
            let path = try account.file("a", bytes)
            for flags in [[], ["-O"]] {
                let name = "a\(flags.count)"
                #expect(try account.scp(flags + [path, "gateway:\(name)"]).code == 0)
                #expect(try readFile("\(below)/\(name)", limit: 1 << 20) == bytes)
            }
            #expect(try account.scp([path, "gateway:a0"]).code == 0)
            // Cut in the middle: it has a hidden name until then.
            let (reading, writing) = try Descriptor.pipe()
            let client = try RunningProgram(account.gateway.sshCommand(["scp -t b"]), input: .open(reading))
            try writing.writeAll(Array("C0644 \(2 << 20) b\n".utf8) + noise(1 << 20))
            let isHidden: (String) -> Bool = { $0 != "lock" && $0 != "usage" && !$0.hasPrefix("session.") }
            #expect(try becomesTrue(within: .seconds(10)) { try names("\(below)/.postern").contains(where: isHidden) })
            try client.kill()
            #expect(try becomesTrue(within: .seconds(10)) { try !names("\(below)/.postern").contains(where: isHidden) }, "\((try? names("\(below)/.postern")) ?? [])")
            #expect(try names(below) == [".postern", "a0", "a1"])
        }
    }

    @Test(.enabled(if: hasSSHFS, "needs root, sshfs and /dev/fuse")) func `sshfs mounts a drop account`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let gateway = account.gateway
            try makeDirectory("\(gateway.directory)/mount")
            let script = """
                set -eu
                cd "$0"
                sshfs -f -F "$0/ssh_config" -o "IdentityFile=$0/alice" "$1@gateway:/" mount & mount=$!
                until mountpoint -q mount; do kill -0 $mount; sleep 0.05; done
                head -c 3000000 /dev/urandom >local
                cp local mount/a; cmp local mount/a; mkdir mount/d; mv mount/a mount/d/b; ls mount mount/d; chmod 600 mount/d/b
                stat -c '%s %a' mount/d/b; cp mount/d/b back; cmp local back; rm mount/d/b; rmdir mount/d; df --output=fstype mount | tail -1
                ln -s x mount/link 2>/dev/null && echo linked; ls mount
                umount mount; wait $mount
                """
            let outcome = try run(["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, gateway.directory, gateway.user.name])
            #expect(outcome.code == 0 && outcome.output == "mount:\nd\n\nmount/d:\nb\n3000000 600\nfuse.sshfs\n", "\(outcome)")
        }
    }

    @Test(.enabled(if: isLong, "takes minutes; make test-long")) func `2 GiB, and 10,000 small files`() throws {
        try DropAccount.serving(#"access = ["upload", "download", "list", "make_directory"], quota = "3GiB""#) { account throws in
            let directory = account.gateway.directory
            let made = try run(["/bin/sh", "-c", "cd \"$0\" && head -c 2147483648 /dev/urandom >big && mkdir many && cd many && seq 10000 | split -l 1 -a 4 -d", directory])
            #expect(made.code == 0, "\(made)")
            for flags in [[], ["-O"]] {
                #expect(try account.scp(flags + ["\(directory)/big", "gateway:big\(flags.count)"], patience: .seconds(300)).code == (flags == [] ? 0 : 1))
            }
            #expect(try run(["/usr/bin/cmp", "\(directory)/big", "\(account.inbox)/big0"], patience: .seconds(120)).code == 0)
            #expect(try account.names == ["big0"])
            #expect(try account.scp(["-r", "\(directory)/many", "gateway:"], patience: .seconds(600)).code == 0)
            #expect(try run(["/usr/bin/diff", "-r", "\(directory)/many", "\(account.inbox)/many"]).code == 0)
            #expect(try account.scp(["-r", "gateway:many", "\(directory)/back"], patience: .seconds(600)).code == 0)
            #expect(try run(["/usr/bin/diff", "-r", "\(directory)/many", "\(directory)/back"]).code == 0)
            #expect(try becomesTrue(within: .seconds(10)) { try account.hidden == [] })
        }
    }
}
