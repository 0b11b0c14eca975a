import Foundation
import Policy
import Testing

@Suite("DESIGN §3.3: the client's command line") struct CommandLineTests {
    struct Refused: CustomTestStringConvertible, Sendable {
        var line: [UInt8]
        var offset: Int
        var reason: CommandLineError.Reason
        var testDescription: String { VisibleText.shortened(line) }

        init(_ line: String, _ offset: Int, _ reason: CommandLineError.Reason) { self.init(Array(line.utf8), offset, reason) }

        init(_ line: [UInt8], _ offset: Int, _ reason: CommandLineError.Reason) {
            (self.line, self.offset, self.reason) = (line, offset, reason)
        }
    }

    static let semicolon = CommandLineError.Reason.separator(UInt8(ascii: ";"))
    static let ampersand = CommandLineError.Reason.separator(UInt8(ascii: "&"))
    static let pipe = CommandLineError.Reason.separator(UInt8(ascii: "|"))
    static let opening = CommandLineError.Reason.separator(UInt8(ascii: "("))
    static let closing = CommandLineError.Reason.separator(UInt8(ascii: ")"))
    static let input = CommandLineError.Reason.redirection(UInt8(ascii: "<"))
    static let output = CommandLineError.Reason.redirection(UInt8(ascii: ">"))
    static let dollar = CommandLineError.Reason.substitution(UInt8(ascii: "$"))
    static let backquote = CommandLineError.Reason.substitution(UInt8(ascii: "`"))
    static let star = CommandLineError.Reason.pattern(UInt8(ascii: "*"))
    static let question = CommandLineError.Reason.pattern(UInt8(ascii: "?"))
    static let bracket = CommandLineError.Reason.pattern(UInt8(ascii: "["))
    static let single = CommandLineError.Reason.unclosedQuote(UInt8(ascii: "'"))
    static let double = CommandLineError.Reason.unclosedQuote(UInt8(ascii: "\""))

    static let refused: [Refused] = [
        // Another command.
        .init("release v1; rm -rf /", 10, semicolon), .init(";", 0, semicolon), .init("a;b", 1, semicolon),
        .init("release 'v1';rm", 12, semicolon), .init("a & b", 2, ampersand), .init("a&", 1, ampersand),
        .init("a && b", 2, ampersand), .init("a || b", 2, pipe), .init("a | sh", 2, pipe), .init("a |& b", 2, pipe),
        .init("(id)", 0, opening), .init("a (b)", 2, opening), .init("a)", 1, closing), .init("f() { :; }", 1, opening),
        .init("a ;; b", 2, semicolon), .init("é;", 2, semicolon), .init("a \"b\";", 5, semicolon), .init("a \\;;", 4, semicolon),
        // Redirection.
        .init("cat < /etc/shadow", 4, input), .init("a > b", 2, output), .init("a>b", 1, output), .init("a 2>&1", 3, output),
        .init("a <<EOF", 2, input), .init("a <(id)", 2, input), .init("a >| b", 2, output), .init("a <> b", 2, input),
        // Substitution, which double quotes do not stop.
        .init("echo $HOME", 5, dollar), .init("echo $(id)", 5, dollar), .init("echo ${x}", 5, dollar), .init("echo `id`", 5, backquote),
        .init("echo \"$HOME\"", 6, dollar), .init("echo \"`id`\"", 6, backquote), .init("echo a$", 6, dollar),
        .init("echo \"a$(id)b\"", 7, dollar), .init("echo '$x'$x", 9, dollar), .init("echo $'\\n'", 5, dollar),
        .init("echo \"\\\\$x\"", 8, dollar), .init("echo \\\\$x", 7, dollar), .init("echo $((1))", 5, dollar),
        .init("echo \"\\a`\"", 8, backquote), .init("$0", 0, dollar), .init("$", 0, dollar),
        // Names of files.
        .init("ls *", 3, star), .init("ls a*b", 4, star), .init("ls ?", 3, question), .init("ls a?", 4, question),
        .init("ls [ab]", 3, bracket), .init("ls a[0]", 4, bracket), .init("ls 'a'*", 6, star), .init("[ a ]", 0, bracket),
        .init("ls ~", 3, .tilde), .init("ls ~root/x", 3, .tilde), .init("~/bin/x", 0, .tilde),
        // Comments.
        .init("a # b", 2, .comment), .init("#", 0, .comment), .init("a\t#b", 2, .comment),
        // Variables.
        .init("LD_PRELOAD=/tmp/x release v1", 10, .assignment(name: "LD_PRELOAD")), .init("x=", 1, .assignment(name: "x")),
        .init("  A=1 b", 3, .assignment(name: "A")), .init("_='a b' c", 1, .assignment(name: "_")),
        .init("PATH=. A=1 b", 4, .assignment(name: "PATH")),
        // Quotes.
        .init("a 'b", 2, single), .init("a \"b", 2, double), .init("'", 0, single), .init("\"", 0, double),
        .init("a 'b\"", 2, single), .init("a \"b\\\"", 2, double), .init("a 'b\\'c'", 7, single), .init("it's", 2, single),
        .init("a \\", 2, .lastBackslash), .init("\\", 0, .lastBackslash), .init("a \"b\" \\", 6, .lastBackslash),
        // No text.
        .init("a\nb", 1, .newline), .init("a\n", 1, .newline), .init("a '\n'", 3, .newline), .init("a \\\nb", 3, .newline),
        .init("a\r", 1, .control(0x0d)), .init("a \u{1b}[31m", 2, .control(0x1b)), .init("a\u{7f}", 1, .control(0x7f)),
        .init("a '\u{08}'", 3, .control(0x08)), .init("a\u{0b}b", 1, .control(0x0b)), .init("a\0b", 1, .nul),
        .init("a '\0'", 3, .nul), .init([0x61, 0x20, 0xff], 2, .notUTF8), .init([0x61, 0xc3], 1, .notUTF8),
        .init([0xc0, 0xaf], 0, .notUTF8), .init([0x61, 0xed, 0xa0, 0x80], 1, .notUTF8),
        .init([0xf4, 0x90, 0x80, 0x80], 0, .notUTF8), .init([0xe0, 0x80, 0xaf], 0, .notUTF8), .init([0x80], 0, .notUTF8),
        // NUL and bad bytes are found before what a shell would do.
        .init("a; b\0", 4, .nul), .init([0x3b, 0xff], 1, .notUTF8), .init("a;\n", 2, .newline),
        // Nothing, and too much.
        .init("", 0, .empty), .init("  \t ", 0, .empty),
        .init(String(repeating: "x", count: 65537), 65536, .tooLong(limit: 65536)),
        .init(String(repeating: "x ", count: 256) + "x", 512, .tooManyWords(limit: 256)),
    ]

    @Test(arguments: refused) func `refuses what a shell would act upon, and says where`(_ refused: Refused) {
        #expect(throws: CommandLineError(refused.reason, at: refused.offset)) { try CommandLine.split(refused.line) }
    }

    static let split: [(String, [String])] = [
        ("release v1.2.3 --dry-run", ["release", "v1.2.3", "--dry-run"]), ("  a \t b  ", ["a", "b"]), ("''", [""]), ("a '' \"\"", ["a", "", ""]),
        ("'a b'c\"d e\"\\ f", ["a bcd e f"]), (#"a "b\"c\\d\$e\`f\g""#, ["a", #"b"c\d$e`f\g"#]), ("a \\;\\&\\|\\*\\~\\#\\'", ["a", ";&|*~#'"]),
        ("a 'x;y|z&$(`*?[~#<>'", ["a", "x;y|z&$(`*?[~#<>"]), ("a \"x;y|z&(*?[~#<>'\"", ["a", "x;y|z&(*?[~#<>'"]),
        ("a b~ b#c x=y ]{}!^%+,-.", ["a", "b~", "b#c", "x=y", "]{}!^%+,-."]), ("'x'=y", ["x=y"]), ("\\x=y", ["x=y"]), ("1x=y", ["1x=y"]),
        ("a-b=c", ["a-b=c"]), ("=a", ["=a"]), ("é ü'ß €'\\𝄞", ["é", "üß €𝄞"]), ("a'\t'b", ["a\tb"]), ("a\\\tb", ["a\tb"]),
        ("git-upload-pack 'team/app.git'", ["git-upload-pack", "team/app.git"]),
        ("git-receive-pack '/srv/git/it'\\''s.git'", ["git-receive-pack", "/srv/git/it's.git"]),
        ("git-upload-pack '~alice/a.git'", ["git-upload-pack", "~alice/a.git"]),
        ("git-upload-archive 'a.git'", ["git-upload-archive", "a.git"]),
        ("scp -t .", ["scp", "-t", "."]), ("scp -v -r -p -d -t -- '/srv/in box'", ["scp", "-v", "-r", "-p", "-d", "-t", "--", "/srv/in box"]),
        ("scp -f report.csv", ["scp", "-f", "report.csv"]),
        ("rsync --server -vlogDtpre.iLsfxCIvu . /srv/in/", ["rsync", "--server", "-vlogDtpre.iLsfxCIvu", ".", "/srv/in/"]),
        (
            "rsync --server --sender -logDtpre.iLsfxC --bwlimit=100 . my\\ file",
            ["rsync", "--server", "--sender", "-logDtpre.iLsfxC", "--bwlimit=100", ".", "my file"]
        ),
        ("/usr/lib/openssh/sftp-server -e", ["/usr/lib/openssh/sftp-server", "-e"]), ("internal-sftp", ["internal-sftp"]),
        ("borg serve --umask=077 --info", ["borg", "serve", "--umask=077", "--info"]),
    ]

    @Test(arguments: split) func `splits as a POSIX shell does`(line: String, words: [String]) throws {
        #expect(try CommandLine.split(bytes(line)).map(\.text) == words)
    }

    @Test func `a word knows where it stands, quotes included`() throws {
        let words = try CommandLine.split(bytes("a  'b c'\\ d é"))
        #expect(words.map(\.range) == [0..<1, 3..<11, 12..<14])
    }

    @Test func `takes the longest line and the most words`() throws {
        #expect(try CommandLine.split([UInt8](repeating: UInt8(ascii: "x"), count: 65536)).count == 1)
        #expect(try CommandLine.split(bytes(String(repeating: "x ", count: 256))).count == 256)
    }

    @Test func `quoting any words and splitting them gives them back`() throws {
        var random = FixedRandom(state: 1)
        for _ in 0..<3000 {
            let words = randomWords(&random)
            let line = words.map(CommandLine.quoted).joined(separator: " ")
            #expect(try CommandLine.split(bytes(line)).map { bytes($0.text) } == words.map(bytes), "\(line)")
        }
    }

    /// The shell is the reference: what we split is what `sh` makes of the same line.
    @Test func `a real shell makes the same words of the same line`() throws {
        var random = FixedRandom(state: 2)
        var lines = Self.split.map(\.0).filter { !$0.hasPrefix("]") }
        for _ in 0..<400 { lines.append(randomWords(&random).map { randomlyQuoted($0, &random) }.joined(separator: " \t")) }
        var script = ""
        var expected: [UInt8] = []
        for line in lines {
            let words = try CommandLine.split(bytes(line))
            script += "printf '%s\\0' " + line + "\nprintf '\\1'\n"
            for word in words { expected += bytes(word.text) + [0] }
            expected += [1]
        }
        #expect(try output(ofShell: script) == expected)
    }

    /// Lines of any characters, unquoted ones too: whichever is not refused means the same to `sh`, in a directory with files that a
    /// pattern would match, with variables and a home to be replaced.
    @Test func `a line that a real shell would make something else of is refused`() throws {
        var random = FixedRandom(state: 3)
        let alphabet = Array("aab bé'\"\\$`;&|<>()*?[]~#=!{}^%+-.,:_1\t")
        var script = "cd \"$0.d\" || exit; a=one ab=two b=three IFS=' \t'; PATH=/nonexistent\n"
        var expected: [UInt8] = []
        var counts = (taken: 0, refused: 0)
        for _ in 0..<20_000 {
            let line = String((0..<Int.random(in: 1...7, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] })
            do throws(CommandLineError) {
                let words = try CommandLine.split(bytes(line))
                script += "printf '%s\\0' " + line + "\nprintf '\\1'\n"
                for word in words { expected += bytes(word.text) + [0] }
                expected += [1]
                counts.taken += 1
            } catch {
                #expect((0...line.utf8.count).contains(error.offset))
                counts.refused += 1
            }
        }
        #expect(counts.taken > 1000 && counts.refused > 1000, "\(counts)")
        #expect(try output(ofShell: script) == expected)
    }

    private func output(ofShell script: String) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("postern-\(UUID().uuidString).sh")
        try Data(script.utf8).write(to: file)
        // What patterns would match.
        let directory = file.appendingPathExtension("d")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        for name in ["a", "b", "ab", "é", "a1", "-", "a=b"] { try Data().write(to: directory.appendingPathComponent(name)) }
        defer {
            try? FileManager.default.removeItem(at: file)
            try? FileManager.default.removeItem(at: directory)
        }
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [file.path]
        let pipe = Pipe()
        shell.standardOutput = pipe
        try shell.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        return Array(data)
    }

    private func randomWords(_ random: inout FixedRandom) -> [String] {
        let alphabet = Array("ab é€𝄞'\"\\$`;&|<>()*?[]~#=!{}^%+-.,:/_1\t")
        return (0..<Int.random(in: 1...6, using: &random)).map { _ in
            String((0..<Int.random(in: 0...8, using: &random)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] })
        }
    }

    /// Each character on its own with a backslash, or in quotes of either kind.
    private func randomlyQuoted(_ word: String, _ random: inout FixedRandom) -> String {
        let quoted = word.map { character -> String in
            switch Int.random(in: 0...2, using: &random) {
            case 0 where character != "'": "'\(character)'"
            case 1: "\"" + ("$`\"\\".contains(character) ? "\\" : "") + "\(character)\""
            default: "\\\(character)"
            }
        }
        return quoted.isEmpty ? "''" : quoted.joined()
    }

    static let described: [([UInt8], String)] = [
        (
            bytes("release v1; rm"),
            """
            ";" would start another command; one runs here, without a shell; quote it if you mean it
                release v1; rm
                          ^
            """
        ),
        (
            bytes("é\t世 a\u{301}\u{202e} $x"),
            """
            "$" would be replaced by a shell; none runs here; put it in single quotes if you mean it
                é\\t世 a\u{301}\\u{202e} $x
                                ^
            """
        ),
        (
            [0x61, 0x1b, 0xff, 0x62],
            """
            the line is not UTF-8
                a\\x1b\\xffb
                     ^~~~
            """
        ),
        (bytes(""), "there is no command in the line\n    \n    ^"),
        (
            bytes("a \\"),
            """
            there is nothing behind the last backslash
                a \\
                  ^
            """
        ),
        (
            bytes(String(repeating: "x", count: 300) + ";" + String(repeating: "y", count: 300)),
            """
            ";" would start another command; one runs here, without a shell; quote it if you mean it
                …\(String(repeating: "x", count: 49));\(String(repeating: "y", count: 50))…
                \(String(repeating: " ", count: 50))^
            """
        ),
    ]

    @Test(arguments: described) func `shows the line with a caret under the byte`(line: [UInt8], text: String) {
        let error = #expect(throws: CommandLineError.self) { try CommandLine.split(line) }
        #expect(error?.describe(line: line) == text)
    }
}
