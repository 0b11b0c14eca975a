import Foundation
import Linux
import Testing

/// One batch, and one program of raw packets, for both servers: OpenSSH's sftp-server runs in a sandbox as a subsystem of the same gateway.
@Suite("Drop accounts: as OpenSSH's sftp-server answers") struct DropComparisonTests {
    private static let program = "/usr/lib/openssh/sftp-server"
    private static let isThere = FileManager.default.isExecutableFile(atPath: program)

    private static func serving(_ body: (DropAccount, _ ours: String, _ theirs: String) throws -> Void) throws {
        let more = """
            [sandbox.sftp]
            base = "tool"
            write = ["$DIRECTORY/drop/alice"]
            [command.theirs]
            as = "$USER"
            login = "theirs"
            subsystem = "sftp"
            run = ["\(program)", "-d", "$DIRECTORY/drop/alice/theirs"]
            directory = "/"
            sandbox = "sftp"

            """
        try DropAccount.serving(DropAccount.everything, more: more, may: ["inbox", "theirs"]) { account in
            for name in ["", "/ours", "/theirs"] { try makeDirectory(account.inbox + name, mode: 0o700) }
            if isRoot { _ = try run(["/bin/chown", "-R", account.gateway.user.name, account.inbox]) }
            try body(account, "\(account.inbox)/ours", "\(account.inbox)/theirs")
        }
    }

    /// What OpenSSH's client prints for each of these, it prints for both.
    private static let batch = """
        put $L a
        put $L "b c"
        ls -ln
        ls -1
        -get missing $L.x
        -rm missing
        -rmdir missing
        -rename missing other
        mkdir d
        -mkdir d
        -rmdir a
        -rm d
        -cd a
        -put $L d/a/b
        put $L d/x
        ls -ln d
        -rmdir d
        chmod 640 a
        ls -ln a
        rename a e
        rename e "b c"
        ls -1
        -chmod 600 missing
        -ls missing
        rm d/x
        rmdir d
        rm "b c"
        ls -lan
        """

    @Test(.enabled(if: isThere, "there is no \(program)")) func `the same batch has the same lines, statuses and long names`() throws {
        try Self.serving { account, _, _ in
            let local = try account.file("local", noise(3000))
            let batch = Self.batch.replacing("$L", with: local)
            let user = account.gateway.user
            let name = user.name
            func lines(_ outcome: Outcome) -> [String] {
                (outcome.output + "--\n" + outcome.errors).split(whereSeparator: \.isNewline).map { line in
                    let line = String(line).replacing("\(account.inbox)/theirs", with: "/ours").replacing(/\d\d:\d\d/, with: "TIME")
                    // Ours has numbers where theirs looks up names.
                    return line.replacing("\(name) \(name)", with: "\(user.uid)").replacing(/(\d+) +\d+ +3000/) { "\($0.1) 3000" }.replacing(/\ +/, with: " ")
                }.filter { line in
                    // The size of a directory is the file system's, and the reasons of ours are more.
                    !line.hasPrefix("sftp>") && !line.hasPrefix("d") && !line.hasPrefix("postern: ")
                }
            }
            let ours = lines(try account.sftp("cd ours\n\(batch)"))
            let theirs = lines(try account.sftp("-cd .\n\(batch)", login: "theirs"))
            #expect(ours.count > 15)
            #expect(ours == theirs)
        }
    }

    /// Requests of SFTP in order, whose answers are compared by kind and status.
    private static let packets = """
        import struct, subprocess, sys
        base, owner, group = sys.argv[1:4]
        ssh = subprocess.Popen(sys.argv[4:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        number = 0
        def string(b):
            b = b if isinstance(b, bytes) else b.encode()
            return struct.pack('>I', len(b)) + b
        def word(b): return struct.unpack('>I', b[:4])[0]
        def send(kind, body): ssh.stdin.write(struct.pack('>IB', len(body) + 1, kind) + body); ssh.stdin.flush()
        def receive():
            length, kind = struct.unpack('>IB', ssh.stdout.read(5))
            return kind, ssh.stdout.read(length - 1)
        def entries(answer):
            # The long names, with numbers where one server has the names of users; of directories only the mode.
            shown, rest = [], answer[4:]
            for _ in range(word(answer)):
                pair = []
                for _ in range(2):
                    pair.append(rest[4:4 + word(rest)].decode()); rest = rest[4 + word(rest):]
                assert word(rest) == 15
                rest = rest[4 + 8 + 8 + 4 + 8:]
                fields = pair[1].split()
                if fields[2] == '$NAME': fields[2] = owner
                if fields[3] == '$NAME': fields[3] = group
                if pair[0] not in ('.', '..'): shown.append(' '.join(fields) if fields[0][0] == '-' else fields[0])
            return sorted(shown)
        def ask(name, kind, body):
            global number
            number += 1
            send(kind, struct.pack('>I', number) + body)
            kind, answer = receive()
            assert word(answer) == number
            answer = answer[4:]
            if kind == 101: print(name, 'status', word(answer))
            elif kind == 102: print(name, 'handle'); return answer[4:4 + word(answer)]
            elif kind == 103: print(name, 'data', word(answer))
            elif kind == 104: print(name, entries(answer) if name == 'readdir' else word(answer))
            elif kind == 105: print(name, 'attributes', '%x' % word(answer))
        none = struct.pack('>I', 0)
        def path(name): return string(base + name)
        READ, WRITE, CREATE, EXCLUSIVE = 1, 2, 8, 32
        def open_(name, flags): return ask('open %s %x' % (name, flags), 3, path(name) + struct.pack('>I', flags) + none)
        def read(name, h, offset, count): ask(name, 5, string(h) + struct.pack('>QI', offset, count))
        def write(name, h): ask(name, 6, string(h) + struct.pack('>Q', 0) + string('hello'))
        send(1, struct.pack('>I', 3)); print('version', word(receive()[1]))
        h = open_('/f', WRITE | CREATE)
        write('write', h); ask('fstat', 8, string(h)); ask('close', 4, string(h)); ask('close again', 4, string(h))
        open_('/f', WRITE | CREATE | EXCLUSIVE); open_('/none', READ); open_('/none', WRITE); open_('/none/x', WRITE | CREATE)
        h = open_('/f', READ)
        read('read', h, 0, 100); read('read at the end', h, 5, 100); read('read behind it', h, 500, 100); ask('close', 4, string(h))
        for name in ('/f', '/none', '/f/x', '/none/x'): ask('stat ' + name, 17, path(name)); ask('lstat ' + name, 7, path(name))
        for name in ('/d', '/d', '/none/d', '/f/d'): ask('mkdir ' + name, 14, path(name) + none)
        for name in ('/none', '/f'): ask('opendir ' + name, 11, path(name))
        h = ask('opendir', 11, path('/'))
        ask('readdir', 12, string(h)); ask('readdir again', 12, string(h)); read('read of a directory', h, 0, 1); ask('close', 4, string(h))
        ask('readdir closed', 12, string(h))
        for name in ('/d', '/none', '/f/x'): ask('remove ' + name, 13, path(name))
        for name in ('/f', '/none'): ask('rmdir ' + name, 15, path(name))
        ask('rename', 18, path('/f') + path('/d/g')); ask('rename none', 18, path('/f') + path('/h')); ask('rmdir full', 15, path('/d'))
        ask('rename onto', 18, path('/d/g') + path('/d')); ask('realpath', 16, path('/d/../x'))
        for name in ('/none', '/d/g'): ask('setstat ' + name, 9, path(name) + struct.pack('>II', 4, 0o600))
        ask('posix-rename', 200, string('posix-rename@openssh.com') + path('/d/g') + path('/f')); ask('posix-rename none', 200, string('posix-rename@openssh.com') + path('/d/g') + path('/f'))
        ask('unknown extension', 200, string('no@such')); ask('bad handle', 4, string('zz'))
        ask('remove', 13, path('/f')); ask('rmdir', 15, path('/d'))
        ssh.stdin.close(); print('end', ssh.wait())
        """

    @Test(.enabled(if: isThere, "there is no \(program)")) func `the same packets have answers of the same kind and status`() throws {
        try Self.serving { account, ours, theirs in
            func answers(_ login: String?, _ base: String) throws -> Outcome {
                let ssh = account.gateway.sshCommand(["sftp"], login: login, options: ["-s"])
                return try run(["/usr/bin/python3", "-c", Self.packets.replacing("$NAME", with: account.gateway.user.name), base, "\(account.gateway.user.uid)", "\(account.gateway.user.gid)"] + ssh, environment: ["HOME=/nonexistent"])
            }
            let (one, other) = (try answers(nil, "/ours"), try answers("theirs", theirs))
            #expect(one.output.contains("end 0") && other.output.contains("end 0"), "\(one) \(other)")
            let (lines, expected) = (one.output.split(separator: "\n"), other.output.split(separator: "\n"))
            #expect(lines.count == expected.count)
            for (line, wanted) in zip(lines, expected) { #expect(line.replacing(/\d\d:\d\d/, with: "TIME") == wanted.replacing(/\d\d:\d\d/, with: "TIME")) }
        }
    }
}
