import Foundation
import Testing

/// Rows of SEED-ROWS.md that are about programs which an administrator runs; those about servers are in GatewayTests.
@Suite("Seed rows T28 to T37", .enabled(if: Programs.areBuilt, "\(Programs.whyNot)")) struct SeedRowTests {
    private let place: Workplace

    init() throws { place = try Workplace() }

    private func run(_ line: String) throws -> Programs.Answer { try Programs.run(line, in: place.url) }

    @Test func `T28: postern says wrong usage too`() throws {
        for line in ["postern nonsense", "postern keygen", "postern check --nonsense", "postern import"] {
            let answer = try run(line)
            #expect(answer.status == 64 && answer.output.contains("Usage: postern"), "\(line): \(answer)")
        }
    }

    @Test func `T29: keygen and init make keys and overwrite none`() throws {
        #expect(try run("postern keygen host").status == 0)
        let before = try run("cat host host.pub").output
        let again = try run("postern keygen host")
        #expect(again.status == 1 && again.output.hasPrefix(#"postern: "host" is there already"#), "\(again)")
        #expect(try run("postern init gate --as $ME").status == 0)
        let second = try run("cat gate/* >old; postern init gate --as $ME; status=$?; cat gate/* | cmp - old && exit $status")
        #expect(second.status == 1, "\(second)")
        #expect(try run("cat host host.pub").output == before)
        // For ExecStartPre, as with makekey -q: made once, and that it is there is no failure.
        let once = "test -e host2 || postern keygen host2 >/dev/null"
        #expect(try run("\(once) && \(once) && test -s host2").output.isEmpty)
    }

    @Test func `T30: keygen --print shows public key and fingerprint, of each file`() throws {
        let fingerprint = try run("postern keygen -C robot one").output
        _ = try run("postern keygen two")
        let answer = try run("postern keygen --print one two.pub")
        let lines = answer.output.split(separator: "\n").map(String.init)
        #expect(answer.status == 0 && lines.count == 4, "\(answer)")
        #expect(lines.first?.hasPrefix("ssh-ed25519 AAAA") == true && lines.first?.hasSuffix(" robot") == true, "\(answer)")
        #expect(lines.count == 4 && lines[1] + "\n" == fingerprint, "\(answer)")
        #expect(try run("postern keygen --print one none").status == 1)
    }

    @Test func `T31: import --tinyssh reads TinySSH's key directory`() throws {
        let makekey = ["/usr/sbin/tinysshd-makekey", "/usr/bin/tinysshd-makekey"].first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let makekey else { return print("skipped: tinysshd is not installed (make setup)") }
        let answer = try run("\(makekey) -q keys && postern import --tinyssh keys -o host && postern keygen --print host | head -1 | cut -d' ' -f2 | base64 -d | tail -c 32 | cmp - keys/ed25519.pk")
        #expect(answer.status == 0, "\(answer)")
    }

    @Test func `T32: no option serves without authentication`() throws {
        for option in ["--no-auth", "--anonymous", "-e", "-n"] {
            let answer = try run("posternd \(option) /bin/true </dev/null")
            #expect(answer.status == 100 && answer.output.contains("usage: posternd"), "\(answer)")
        }
        let help = try run("posternd --help").output
        #expect(!help.contains("auth"))
    }

    @Test func `T36: the units are installed, and take what systemd gives`() throws {
        let files = ["postern.socket", "postern@.service", "postern.service", "sysusers.conf", "tmpfiles.conf"]
        for file in files { #expect(FileManager.default.fileExists(atPath: Programs.package.appending(path: "deploy/\(file)").path(percentEncoded: false))) }
        let unit = try String(contentsOf: Programs.package.appending(path: "deploy/postern@.service"), encoding: .utf8)
        for line in ["StandardInput=socket", "EnvironmentFile=-/etc/default/postern", "SuccessExitStatus=111", "ConditionPathExists=!/etc/postern/disabled"] {
            #expect(unit.contains("\(line)\n"), "\(line)")
        }
    }

    @Test func `T37: the client configuration locks the algorithms down, and ssh understands it`() throws {
        let answer = try run("ssh -G -F '\(Programs.package.path(percentEncoded: false))/deploy/ssh_config' gate")
        #expect(answer.status == 0, "\(answer)")
        for line in ["ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com", "kexalgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256", "stricthostkeychecking true", "forwardagent no"] {
            #expect(answer.output.contains("\n\(line)\n"), "\(line)")
        }
    }
}
