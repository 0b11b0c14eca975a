import Policy
import Testing

@Suite("rsync: the lines that its clients write, and no others") struct RsyncPolicyTests {
    static func command(_ access: [RsyncRules.Access], _ name: String = "files") -> Command {
        var command = Command(
            name: name, account: Sample.deploy, login: "deploy", usage: nil, run: [RunWord([.literal(RsyncRules.program)])], sandbox: 1, position: Sample.position)
        command.rsync = RsyncRules(root: "/srv/in/<key>", readingSandbox: 0)
        command.rsync?.access = access
        return command
    }

    private func verdict(_ line: String, _ access: [RsyncRules.Access]) -> Verdict {
        Decision.decide(.exec(bytes(line)), environment: [], in: Sample.session(), commands: [Self.command(access)])
    }

    private func argv(_ line: String, _ access: [RsyncRules.Access]) -> [String] {
        guard case .run(let launch) = verdict(line, access) else { return [] }
        return launch.argv
    }

    private static let whole: [RsyncRules.Access] = [.upload, .download, .overwrite, .delete]
    private static let upload = ["--munge-links", "--chmod=ug-s,o-w", "--fsync", "--filter=P .postern"]
    private static let download = ["--munge-links", "--filter=- .postern"]

    /// As rsync 2.6.9 to 3.5.0 write them.
    @Test(arguments: [
        ("rsync --server -vlogDtpre.iLsfxCIvu . dir/", ["-Dgloprtve.iLsfxCIvu"], ["dir/"]),
        ("rsync --server -logDtpr . .", ["-Dgloprt"], ["."]),
        ("rsync --server -logDtprze31.14iLsfxCIvu --delete-during --partial . /abs//dir", ["-Dgloprtze31.14iLsfxCIvu", "--delete-during"], ["abs/dir"]),
        ("rsync --server -nvvre.LsfxCIvu --timeout=30 -B700 --backup-dir old . a\\ b", ["-nrvve.LsfxCIvu", "--timeout=30", "-B700", "--backup-dir=old"], ["a b"]),
        ("rsync --server -re.iLsfxCIvu --partial-dir .part --log-format=%i . ./-x", ["-re.iLsfxCIvu", "--partial-dir=.part", "--log-format=%i"], ["./-x"]),
        ("rsync --server -re.iLsfxCIvu . '/'", ["-re.iLsfxCIvu"], ["."]),
        ("rsync --server -re.iLsfxCIvu . ''", ["-re.iLsfxCIvu"], ["."]),
    ])
    func `what is sent is written anew`(line: String, options: [String], paths: [String]) {
        let partial = line.contains("--partial ") ? ["--partial-dir=.rsync-partial"] : []
        #expect(argv(line, Self.whole) == ["/usr/bin/rsync", "--server"] + options + Self.upload + partial + ["."] + paths)
    }

    @Test(arguments: [
        ("rsync --server --sender -vlogDtpre.iLsfxCIvu . dir/ 'b c' d", ["-Dgloprtve.iLsfxCIvu"], ["dir/", "b c", "d"]),
        ("rsync --server --sender -Re.iLsfxCIvu . a/./b/c ./d", ["-Re.iLsfxCIvu"], ["a/./b/c", "d"]),
        ("rsync --server --sender -bAXte.iLsfxCIvu --backup-dir /my/own --inplace . a", ["-AXbte.iLsfxCIvu", "--inplace"], ["a"]),
        ("rsync --server --sender -rHe.iLsfxCIvu --list-only . a/./b/.", ["-Hre.iLsfxCIvu", "--list-only"], ["a/b/"]),
        ("rsync --server --sender -te.iLsfxCIvu --remove-source-files . a", ["-te.iLsfxCIvu", "--remove-source-files"], ["a"]),
        ("rsync --server --sender -te.iLsfxCIvu --skip-compress=gz/mp[34] --compress-choice=zstd . a", ["-te.iLsfxCIvu", "--skip-compress=gz/mp[34]", "--compress-choice=zstd"], ["a"]),
    ])
    func `what is fetched is written anew`(line: String, options: [String], paths: [String]) {
        let quoted = line.replacing("gz/mp[34]", with: "'gz/mp[34]'")
        #expect(argv(quoted, Self.whole) == ["/usr/bin/rsync", "--server", "--sender"] + options + Self.download + ["."] + paths)
    }

    /// Each letter and option alone, so that an allow-list that grows is seen.
    @Test func `of all letters these are taken`() {
        func taken(_ sender: String) -> String {
            String(decoding: (UInt8(ascii: "!")...UInt8(ascii: "~")).filter { letter in
                let word = "'-" + String(Unicode.Scalar(letter)) + "'"
                return letter != UInt8(ascii: "'") && !argv("rsync --server \(sender)\(word) . a", Self.whole).isEmpty
            }, as: UTF8.self)
        }
        #expect(taken("") == "CDEIJORSUWbcdglmnopqrtuvxz")
        #expect(taken("--sender ") == "ACDEHIJORSUWXbcdglmnopqrtuvxz")
    }

    @Test(arguments: [
        // What names a program, a file or a machine.
        "-e/bin/sh", "-vesh", "-e./sh", "-e31.14;id", "-e '.L sh'", "-ve", "--rsh=/bin/sh", "--rsync-path=/bin/sh", "--daemon", "--config=x", "--config x", "--dparam=x", "--log-file=x",
        "--log-file x", "--log-file-format=%f", "--password-file=x", "--early-input=x", "--write-batch=x", "--only-write-batch=X", "--read-batch=x", "--files-from=-", "--files-from x",
        "--files-from=:x", "--from0", "--exclude-from=x", "--include-from=x", "--filter=x", "--exclude=x", "-F", "-f x", "--sockopts=x", "--address=x", "--port=1", "--copy-as=root", "-M--super",
        "--remote-option=-K", "--iconv=utf8", "--confine-root=/", "--insecure-links",
        // What follows links, or makes what is no file.
        "-K", "-L", "-k", "-rlLt", "-Kr", "--keep-dirlinks", "--copy-links", "--copy-dirlinks", "--copy-unsafe-links", "--no-munge-links", "--munge-links", "--copy-devices", "--write-devices",
        "--devices", "--link-dest x", "--link-dest=../x", "--compare-dest x", "--copy-dest=x", "-y", "--fuzzy", "--temp-dir /tmp", "-T/tmp", "--temp-dir=x",
        // What keeps the arguments, owners or half files from the policy.
        "-s", "-slogDtpre.iLsfxCIvu", "--secluded-args", "--protect-args", "--append-verify", "--super", "--fake-super", "--chmod=u+s", "--chown=root", "--usermap=*:root",
        "--groupmap=x", "--acls", "--xattrs", "--open-noatime", "--debug=all", "--trust-sender", "--stop-at=x", "--help", "--version", "-V", "-h", "-i", "--", "-",
    ])
    func `an option that clients do not need is refused on both sides`(option: String) {
        for line in ["rsync --server \(option) . a", "rsync --server --sender \(option) . a", "rsync --server -re.iLsfxCIvu \(option) . a"] {
            guard case .refuse(let refusal) = verdict(line, Self.whole) else {
                Issue.record("\(line) is run")
                continue
            }
            #expect(["rsync", "syntax"].contains("\(refusal.reason)"), "\(line): \(refusal.reason)")
        }
    }

    @Test(arguments: [
        ("--server -Kr . a", #"rsync has no option "-K" here: links are not followed here"#),
        ("--server -slogDtpre.iLsfxCIvu", #"rsync has no option "-s" here: it hides the arguments from the policy; say --no-protect-args to rsync"#),
        ("--server --inplace . a", #"rsync has no option "--inplace" here: a file appears when it is whole, and is not changed in place"#),
        ("--server --log-file=/etc/x . a", #"rsync has no option "--log-file" here: no log is written here; the gateway has its own"#),
        ("--server -re/bin/sh . a", #"rsync has no option "-e" here: the program is the policy's to choose"#),
        ("--server --partial-dir ../x . a", #"rsync's option "--partial-dir" has no such value here"#), ("--server --partial-dir /x . a", #"rsync's option "--partial-dir" has no such value here"#),
        ("--server --backup-dir=a/../../x . a", #"rsync's option "--backup-dir" has no such value here"#), ("--server --backup-dir", #"rsync's option "--backup-dir" has no such value here"#),
        ("--server --suffix=/x . a", #"rsync's option "--suffix" has no such value here"#), ("--server --timeout=1s . a", #"rsync's option "--timeout" has no such value here"#),
        ("--server --delete=x . a", #"rsync's option "--delete" has no such value here"#), ("--server -B1;2 . a", nil), ("--server -Bx . a", #"rsync's option "-B" has no such value here"#),
        ("--server --log-format=%f . a", #"rsync's option "--log-format" has no such value here"#), ("--server -vvvvvvvvvv . a", #"rsync's option "-v" has no such value here"#),
        ("--server --sender --max-size=1 . a", #"rsync's option "--max-size" is not for this side of a copy"#), ("--server --list-only . a", #"rsync's option "--list-only" is not for this side of a copy"#),
        ("--server -Hr . a", #"rsync has no option "-H" here: hard links are not made here"#), ("--server -Ar . a", #"rsync has no option "-A" here: access lists and attributes are not kept here"#),
        ("--server --append --append . a", #"rsync has no option "--append" here: a file appears when it is whole, and is not changed in place"#),
        ("--server . ../x", #""../x" cannot be a path here: write it without ".." and ".postern""#), ("--server --sender . a/../../x", #""a/../../x" cannot be a path here: write it without ".." and ".postern""#),
        ("--server . .postern/x", #"".postern/x" cannot be a path here: write it without ".." and ".postern""#),
        ("--server . a b", "rsync sends to one path"), ("--server .", "rsync without a path"), ("--server . -x", #"rsync has no option "-x" here"#),
        ("--server . a --daemon", "rsync sends to one path"), ("--server --sender . a --daemon", #"rsync has no option "--daemon" here"#),
        ("--server a", "rsync is started by rsync clients only: copy files with rsync"), ("--sender --server . a", "rsync is started by rsync clients only: copy files with rsync"),
        ("a b", "rsync is started by rsync clients only: copy files with rsync"), ("--daemon", "rsync is started by rsync clients only: copy files with rsync"), ("--server . ~/x", nil), ("--server . *.csv", nil),
    ] as [(String, String?)])
    func `a refusal says why`(line: String, text: String?) {
        guard case .refuse(let refusal) = verdict("rsync \(line)", Self.whole) else {
            Issue.record("\(line) is run")
            return
        }
        #expect("\(refusal.reason)" == (text == nil ? "syntax" : "rsync"))
        if let text { #expect(refusal.headline == text) }
    }

    @Test(arguments: [
        ("--server . a", [.download], "you may not send files here"), ("--server --sender . a", [.upload, .overwrite, .delete], "you may not fetch files here"),
        ("--server --delete . a", [.upload, .overwrite], "you may not delete files here: leave out --delete"),
        ("--server --delete-excluded . a", [.upload], "you may not delete files here: leave out --delete-excluded"),
        ("--server --force . a", [.upload], "you may not delete files here: leave out --force"),
        ("--server --sender --remove-source-files . a", [.download], "you may not delete files here: leave out --remove-source-files"),
    ] as [(String, [RsyncRules.Access], String)])
    func `what the rules do not allow is refused`(line: String, access: [RsyncRules.Access], text: String) {
        guard case .refuse(let refusal) = verdict("rsync \(line)", access) else {
            Issue.record("\(line) is run")
            return
        }
        #expect(refusal.headline == text && "\(refusal.reason)" == "rsync")
    }

    @Test func `without overwrite what is there stays, and who only fetches cannot write`() throws {
        #expect(argv("rsync --server -r . a", [.upload]).contains("--ignore-existing"))
        #expect(!argv("rsync --server -r . a", [.upload, .overwrite]).contains("--ignore-existing"))
        for (line, sandbox) in [("--server . a", 1), ("--server --sender . a", 0), ("--server --sender --remove-source-files . a", 1)] {
            guard case .run(let launch) = verdict("rsync \(line)", Self.whole) else {
                Issue.record("\(line) is refused")
                continue
            }
            #expect(launch.command.sandbox == sandbox && launch.directory == "/srv/in/alice")
            #expect(launch.paths.map(\.directory) == ["/srv/in/alice"] && launch.paths.map(\.path) == ["a"])
            #expect(launch.environment.filter { $0.name == "HOME" }.map(\.value) == ["/nonexistent"])
        }
    }

    @Test func `the first command that allows it is run, and help names each`() throws {
        let commands = [Self.command([.download], "r"), Self.command([.upload, .delete], "w")]
        for (line, name) in [("rsync --server --sender . a", "r"), ("rsync --server --delete . a", "w")] {
            guard case .run(let launch) = Decision.decide(.exec(bytes(line)), environment: [], in: Sample.session(), commands: commands) else {
                Issue.record("\(line) is refused")
                continue
            }
            #expect(launch.command.name == name)
        }
        guard case .print(let text, 0) = Decision.decide(.shell, environment: [], in: Sample.session(), commands: commands) else {
            Issue.record("no help")
            return
        }
        #expect(text.contains("rsync  download") && text.contains("rsync  upload, delete"), "\(text)")
    }
}
