import Foundation
import Testing

@Suite("The manual") struct ManualTests {
    static let names = ["postern.1", "postern.toml.5", "posternd.8"]
    static let mandoc = "/usr/bin/mandoc"
    static let hasMandoc = FileManager.default.isExecutableFile(atPath: mandoc)

    static func url(_ name: String) -> URL { Programs.package.appending(path: "docs/man/\(name)") }
    static func text(_ name: String) throws -> String { try String(contentsOf: url(name), encoding: .utf8) }

    @Test(.enabled(if: hasMandoc, "skipped: mandoc is not installed (make setup)"))
    func `is clean for mandoc`() throws {
        // It looks for the pages that these refer to where it runs.
        let folder = Programs.package.appending(path: "docs/man")
        let answer = try Programs.run("\(Self.mandoc) -T lint \(Self.names.joined(separator: " ")) 2>/dev/null", in: folder)
        // Which manuals of other programs this machine has says nothing about ours; ours refer to each other.
        let complaints = answer.output.split(separator: "\n").filter { !$0.contains("STYLE: referenced manual not found") }
        #expect(complaints.isEmpty, "\(complaints.joined(separator: "\n"))")
        for name in Self.names { #expect(!answer.output.contains("not found: Xr \(name.dropLast(2)) "), "\(answer.output)") }
    }

    @Test(.enabled(if: Programs.areBuilt, "\(Programs.whyNot)"), arguments: names)
    func `has policies that are sound`(name: String) throws {
        let policies = Self.displays(in: try Self.text(name)).filter { $0.hasPrefix("version = 1") }
        for policy in policies {
            let workplace = try Workplace()
            try workplace.write(policy, to: "policy.toml")
            let answer = try Programs.run("postern check --elsewhere policy.toml", in: workplace.url)
            #expect(answer.status == 0 && answer.output.hasPrefix("sound: "), "\(policy)\n\(answer.output)")
        }
        if name == "postern.toml.5" { #expect(policies.count >= 3) }
    }

    @Test(.enabled(if: Programs.areBuilt, "\(Programs.whyNot)"))
    func `has examples that postern understands`() throws {
        let tree = try CommandTree.ofPostern()
        let examples = Self.displays(in: try Self.text("postern.1")).flatMap { $0.split(separator: "\n") }.filter {
            $0.hasPrefix("$ postern ") || $0.hasPrefix("# postern ")
        }
        #expect(examples.count >= 8)
        for example in examples {
            let words = try Programs.run("printf '%s\\n' \(Self.untilPipe(example.dropFirst(10)))", in: Programs.package).output
            let fault = tree.fault(in: words.split(separator: "\n").map(String.init))
            #expect(fault == nil, "\(example): \(fault ?? "")")
        }
    }

    /// Those that a normal user types, from the first to the last in one directory, beside a policy and its version of yesterday.
    @Test(.enabled(if: Programs.areBuilt, "\(Programs.whyNot)"))
    func `has examples that run`() throws {
        let place = try Workplace()
        let answer = try Programs.run("postern init gate && cp gate/policy.toml . && mkdir -p old backup/.ssh && cp gate/policy.toml old", in: place.url)
        #expect(answer.status == 0, "\(answer.output)")
        try place.write(
            "restrict,command=\"/bin/true\" \(try String(contentsOf: place.url.appending(path: "gate/id_ed25519.pub"), encoding: .utf8))",
            to: "backup/.ssh/authorized_keys")
        _ = try Programs.run("rm -r gate", in: place.url)
        let examples = Self.displays(in: try Self.text("postern.1")).flatMap { $0.split(separator: "\n") }.filter { $0.hasPrefix("$ ") }
        #expect(examples.count >= 10)
        for example in examples {
            // The users that the page names are not on every machine, and the port may be taken.
            let line = example.dropFirst(2).replacingOccurrences(of: "~backup", with: "backup").replacingOccurrences(of: "--as backup", with: "--as $ME")
                .replacingOccurrences(of: "--login nobody", with: "--login $ME").replacingOccurrences(of: ":2222", with: ":0")
            let isServer = line.hasPrefix("postern serve ")
            let answer = try Programs.run((isServer ? "timeout -s INT 2 " : "") + line, in: place.url)
            let status: Int32 = isServer ? 124 : line.contains("; id") ? 1 : 0
            #expect(answer.status == status, "\(example)\n\(answer.output)[\(answer.status)]")
        }
    }

    @Test(.enabled(if: Programs.areBuilt, "\(Programs.whyNot)"))
    func `names every option of postern, and no other`() throws {
        let tree = try CommandTree.ofPostern()
        let page = try Self.text("postern.1")
        for (command, section) in Self.sections(of: page) where command != "help" {
            guard let known = tree.commands[command] else {
                Issue.record("postern has no subcommand \"\(command)\"")
                continue
            }
            #expect(Self.options(in: section) == known.flags.subtracting(CommandTree.common), "postern \(command)")
        }
        #expect(Set(Self.sections(of: page).map(\.name)) == Set(tree.commands.keys))
    }

    @Test(.enabled(if: Programs.areBuilt, "\(Programs.whyNot)"))
    func `names every option of posternd`() throws {
        let usage = try Programs.run("posternd --help", in: Programs.package).output
        let named = Self.options(in: try Self.text("posternd.8"))
        let known = Set(usage.matches(of: /--[a-z-]+/).map { String($0.output) }).union(["-q", "-v", "-l"])
        #expect(named == known.union(["--version", "--help", "-h"]))
    }

    /// The literal displays of a page, as they are shown.
    static func displays(in page: String) -> [String] {
        page.components(separatedBy: ".Bd -literal").dropFirst().compactMap { part in
            guard let start = part.firstIndex(of: "\n"), let end = part.range(of: "\n.Ed") else { return nil }
            return shown(String(part[part.index(after: start)..<end.lowerBound])) + "\n"
        }
    }

    private static func shown(_ text: String) -> String {
        text.replacingOccurrences(of: "\\(aq", with: "'").replacingOccurrences(of: "\\&", with: "")
            .replacingOccurrences(of: "\\e", with: "\\")
    }

    /// The subsections `postern NAME`.
    private static func sections(of page: String) -> [(name: String, text: String)] {
        page.components(separatedBy: "\n.Ss postern ").dropFirst().map { part in
            let text = part.components(separatedBy: "\n.Sh ")[0]
            return (String(text.prefix { $0 != "\n" }), text)
        }
    }

    /// The options that have an item of their own.
    private static func options(in text: String) -> Set<String> {
        var options: Set<String> = []
        for line in text.split(separator: "\n") where line.hasPrefix(".It Fl ") {
            var words = line.dropFirst(4).split(separator: " ").makeIterator()
            while let word = words.next() {
                if word == "Fl", let name = words.next() { options.insert("-" + name.filter { $0 != "," }) }
            }
        }
        return options
    }

    private static func untilPipe(_ line: Substring) -> Substring { line.prefix { !"|>".contains($0) } }
}
