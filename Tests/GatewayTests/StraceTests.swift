import Linux
import Testing

@Suite("DESIGN: no shell ever parses a client's command line") struct StraceTests {
    /// As a normal user strace(1) cannot read the memory of processes that show it to nobody.
    @Test(.enabled(if: isRoot, "needs root")) func `a session executes our programs and the command, and nothing else`() throws {
        let commands = TestPolicy.command("greet", usage: "greet <name>", run: ["/bin/echo", "hello,", "<name>"])
        var policy = TestPolicy(keys: [.init(name: "alice", lines: "may = ['greet']")], commands: commands)
        policy.launcher = ["/usr/bin/strace", "-D", "-f", "-y", "-qq", "-e", "trace=execve,execveat", "-o", "$DIRECTORY/strace"]
        try Gateway.serving(policy) { gateway in
            for line in ["greet world", "greet world; id", "help", "sh -c id"] { _ = try gateway.ssh(line) }
            #expect(try gateway.ssh("greet there").output == "hello, there\n")
            let text = String(decoding: try readFile("\(gateway.directory)/strace", limit: 1 << 22), as: UTF8.self)
            let calls = text.split(separator: "\n").filter { $0.contains("exec") && !$0.contains("resumed") }
            // execve("PATH", …) and execveat(NUMBER<PATH>, "", …).
            let programs = Set(calls.compactMap { $0.firstMatch(of: /execve(?:at)?\((?:\d+<([^>]*)>|"([^"]*)")/).map { String($0.1 ?? $0.2 ?? "") } })
            let names = Set(programs.map { $0.split(separator: "/").last.map(String.init) ?? $0 })
            #expect(calls.count >= 10, "\(text)")
            #expect(names == ["posternd", "postern-frontend", "postern-init", "echo"], "\(text)")
        }
    }
}
