import Foundation
import Linux
import Testing

@Suite("DESIGN §3.2: ssh git@host names the repositories that a key reaches") struct GitListTests {
    /// What is listed behind the help, as lines.
    private func listed(_ outcome: Outcome) -> [String] {
        let lines = outcome.output.split(separator: "\n").map(String.init)
        guard let head = lines.firstIndex(of: "your repositories:") else { return ["no list: \(outcome)"] }
        return lines[(head + 1)...].map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private static func both() -> TestPolicy {
        var policy = GitSite.policy()
        policy.keys[0].lines = #"may = ["git-write", "git-read"]"#
        return policy
    }

    @Test func `with what may be done, and no other`() throws {
        try Gateway.serving(Self.both()) { gateway in
            let site = GitSite(gateway: gateway)
            for name in ["team/app", "team/deep/er/lib", "open/site", "open/a/b", "secret/plan", "top"] { try site.make(name) }
            #expect(listed(try gateway.ssh()) == ["R    open/site", "R W  team/app", "R W  team/deep/er/lib"])
            #expect(listed(try gateway.ssh("help")) == listed(try gateway.ssh()))
            #expect(listed(try gateway.ssh(key: "bob")) == ["R    open/site", "R    team/app", "R    team/deep/er/lib"])
            let json = try gateway.ssh("help", "--json", key: "bob")
            let object = try JSONSerialization.jsonObject(with: Data(json.outputBytes)) as? [String: Any]
            let repositories = object?["repositories"] as? [[String: String]]
            #expect(repositories == ["open/site", "team/app", "team/deep/er/lib"].map { ["name": $0, "access": "read"] }, "\(json)")
            #expect(object?["all_repositories"] as? Bool == true)
        }
    }

    @Test func `and nothing else that is there`() throws {
        try Gateway.serving(Self.both()) { gateway in
            let site = GitSite(gateway: gateway)
            for name in ["team/app", "secret/plan"] { try site.make(name) }
            let outside = "\(gateway.directory)/outside.git"
            try FileManager.default.copyItem(atPath: "\(site.root)/team/app.git", toPath: outside)
            let team = "\(site.root)/team"
            for (name, target) in [("out.git", outside), ("loop", "."), ("again.git", "app.git"), ("up", "../..")] { try makeLink("\(team)/\(name)", to: target) }
            try "x".write(toFile: "\(team)/file.git", atomically: false, encoding: .utf8)
            _ = try run(["/usr/bin/mkfifo", "\(team)/fifo.git"])
            for directory in ["empty.git", "none", "-dash.git", ".hidden.git", "ti~lde.git", "new\nline.git", "bell\u{7}.git"] {
                try FileManager.default.createDirectory(atPath: "\(team)/\(directory)/objects", withIntermediateDirectories: true)
                try FileManager.default.createDirectory(atPath: "\(team)/\(directory)/refs", withIntermediateDirectories: true)
                if directory != "empty.git" { try "ref: refs/heads/main\n".write(toFile: "\(team)/\(directory)/HEAD", atomically: false, encoding: .utf8) }
            }
            try FileManager.default.createDirectory(atPath: "\(team)/shut", withIntermediateDirectories: true, attributes: [.posixPermissions: 0])
            // `none` is a repository without `.git`, and reached by that name.
            #expect(listed(try gateway.ssh()) == ["R W  team/again", "R W  team/app", "R W  team/none"])
        }
    }

    @Test func `a thousand of them, and that there are more`() throws {
        try Gateway.serving(Self.both()) { gateway in
            let script = "cd \"$0\" && for n in $(seq 1100); do mkdir -p team/r$n.git/objects team/r$n.git/refs; echo x >team/r$n.git/HEAD; done"
            let made = try run(["/bin/sh", "-c", script, "\(gateway.directory)/git"])
            #expect(made.code == 0, "\(made)")
            let lines = listed(try gateway.ssh())
            #expect(lines.count == 1001 && lines.last == "and maybe more")
        }
    }

    @Test func `none yet, or none that can be looked up`() throws {
        try Gateway.serving(Self.both()) { gateway in
            #expect(listed(try gateway.ssh()) == ["none yet"])
            try FileManager.default.removeItem(atPath: "\(gateway.directory)/git")
            let outcome = try gateway.ssh()
            #expect(listed(outcome) == ["they could not be looked up"] && outcome.code == 0)
        }
    }

    @Test func `a root that cannot be looked through in time holds nobody up`() throws {
        try Gateway.serving(Self.both()) { gateway in
            let script = "cd \"$0\" && for a in $(seq 60); do mkdir -p team/$a/$(seq -s \" team/$a/\" 1000); done"
            let made = try run(["/bin/sh", "-c", script, "\(gateway.directory)/git"])
            #expect(made.code == 0, "\(made)")
            let outcome = try gateway.ssh()
            #expect(listed(outcome) == ["they could not be looked up"] && outcome.duration < .seconds(15), "\(outcome.duration)")
        }
    }
}
