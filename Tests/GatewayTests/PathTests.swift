import Foundation
import Testing

@Suite("DESIGN §3.2: path_in") struct PathTests {
    /// The sandbox reads more than the directory, so that it is not what refuses.
    private static let policy = TestPolicy(
        keys: [.init(name: "alice", lines: "may = ['show', 'wait']")],
        commands: command("show", more: "") + command("wait", more: "lock = 'path'\nlock_wait = '1m'")
            + "[sandbox.wide]\nbase = 'tool'\nread = ['$DIRECTORY']\nprocesses = 1000\n",
        prepare: { directory in
            let files = FileManager.default
            try files.createDirectory(atPath: "\(directory)/data/sub", withIntermediateDirectories: true)
            for name in ["data/a.txt", "data/sub/b.txt", "secret.txt"] { try name.write(toFile: "\(directory)/\(name)", atomically: false, encoding: .utf8) }
            let links = [
                "inside": "sub/b.txt", "back": "sub/../a.txt", "directory": "sub", "outside": "../secret.txt", "absolute": "\(directory)/data/a.txt", "root": "/",
                "parent": "..", "sub/up": "../../secret.txt", "sub/back": "../a.txt", "loop": "loop", "gone": "../gone", "within": "nothing",
                "chain": "outside", "magic": "/proc/self/root",
            ]
            for (name, target) in links { try files.createSymbolicLink(atPath: "\(directory)/data/\(name)", withDestinationPath: target) }
        })

    private static func command(_ name: String, more: String) -> String {
        TestPolicy.command(
            name, usage: "\(name) <file>...", run: ["/bin/cat", "<file>..."],
            lines: "args = { file = { path_in = '$DIRECTORY/data' } }\nsandbox = 'wide'\n\(more)")
    }

    /// What is asked for, and what comes.
    private static let accepted = [
        ("a.txt", "data/a.txt"), ("sub/b.txt", "data/sub/b.txt"), ("$DIRECTORY/data/a.txt", "data/a.txt"), ("inside", "data/sub/b.txt"), ("back", "data/a.txt"),
        ("directory/b.txt", "data/sub/b.txt"), ("sub/back", "data/a.txt"), ("a.txt sub/b.txt inside", "data/a.txtdata/sub/b.txtdata/sub/b.txt"),
    ]

    /// Links that lead out, and what is no path beneath the directory to begin with.
    private static let links = ["outside", "absolute", "root/etc/passwd", "parent/secret.txt", "sub/up", "loop", "gone", "chain", "magic/etc/passwd"]
    private static let words = [
        "../secret.txt", "sub/../a.txt", "..", ".", "./a.txt", "/etc/passwd", "$DIRECTORY/secret.txt", "$DIRECTORY/data", "$DIRECTORY/data/../secret.txt",
        "$DIRECTORY/database", "sub//b.txt", "sub/", "-n",
    ]

    @Test func `a symbolic link is followed as long as it stays in the directory`() throws {
        try Gateway.serving(Self.policy) { gateway in
            for (paths, output) in Self.accepted {
                let outcome = try gateway.ssh("show \(paths.replacing("$DIRECTORY", with: gateway.directory))")
                #expect(outcome.code == 0 && outcome.output == output, "\(paths): \(outcome)")
            }
            // The command itself finds what is not there, and what leads nowhere.
            for path in ["nothing", "within", "a.txt/b"] {
                let outcome = try gateway.ssh("show \(path)")
                #expect(outcome.code == 1 && outcome.errors.hasPrefix("/bin/cat: \(gateway.directory)/data/\(path): No"), "\(path): \(outcome)")
            }
        }
    }

    @Test func `one that leads out is refused with the caret under it, and so is every other way out`() throws {
        try Gateway.serving(Self.policy) { gateway in
            let directory = gateway.directory
            for path in Self.links {
                let outcome = try gateway.ssh("show a.txt \(path)")
                let lines = outcome.errors.split(separator: "\n").map(String.init)
                #expect(outcome.code == 126 && outcome.output.isEmpty, "\(path): \(outcome)")
                let said = [
                    "postern: <file> cannot be \"\(path)\": a symbolic link in it leads out of \(directory)/data", "    show a.txt \(path)",
                    "               ^" + String(repeating: "~", count: path.utf8.count - 1),
                ]
                #expect(Array(lines.prefix(3)) == said, "\(path): \(outcome)")
            }
            #expect(try gateway.records("failed").map { $0["step"] } == Self.links.map { _ in "leads-out" })
            for word in Self.words {
                let path = word.replacing("$DIRECTORY", with: directory)
                let outcome = try gateway.ssh("show \(path)")
                let lines = outcome.errors.split(separator: "\n").map(String.init)
                #expect(outcome.code == 126 && lines.first == "postern: <file> cannot be \"\(path)\"; it must be a path beneath \(directory)/data, without \"..\"", "\(outcome)")
                #expect(lines.count > 2 && lines[2] == "         ^" + String(repeating: "~", count: path.utf8.count - 1), "\(outcome)")
            }
            #expect(try gateway.records("decision").suffix(Self.words.count).allSatisfy { $0["reason"] == "wrong-argument" })
        }
    }

    @Test func `of a command that waited for its lock too`() throws {
        try Gateway.serving(Self.policy) { gateway in
            let pipe = "\(gateway.directory)/data/pipe"
            #expect(mkfifo(pipe, 0o644) == 0)
            // Nobody writes to the pipe until the second one waits.
            let first = try RunningProgram(gateway.sshCommand(["wait pipe"]))
            _ = try gateway.record("decision")
            let second = try RunningProgram(gateway.sshCommand(["wait outside"]))
            #expect(try becomesTrue(within: .seconds(20)) { second.errorsSoFar.contains("1 before you") })
            try "end".write(toFile: pipe, atomically: false, encoding: .utf8)
            let ended = try [first.wait(), second.wait()]
            #expect(ended.map(\.code) == [0, 126] && ended[0].output == "end", "\(ended)")
            #expect(ended[1].errors.contains("<file> cannot be \"outside\": a symbolic link in it leads out"), "\(ended[1])")
        }
    }
}
