import Foundation
import Linux
import Testing

@Suite("The library as another package sees it") struct PackageTests {
    private static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A package with a version of this one as its dependency, and `text` as its program.
    private static func makePackage(_ place: Workplace, _ text: String) throws -> String {
        let source = place.path("postern")
        let copying = """
            set -e
            mkdir -p \(source) && cp -r \(package.path(percentEncoded: false))/{Package.swift,Sources,Tests} \(source)/ && cd \(source)
            git init -q . && git add -A && git -c user.name=test -c user.email=test@example.org commit -q -m all && git tag 1.2.3
            """
        let copied = try run(["/bin/bash", "-c", copying])
        guard copied.code == 0 else { throw Trouble("\(copied)") }
        let dependent = place.path("dependent")
        try makeDirectory(dependent, mode: 0o755)
        try makeDirectory(dependent + "/Sources", mode: 0o755)
        try place.write(
            "dependent/Package.swift",
            """
            // swift-tools-version: 6.2
            import PackageDescription
            let package = Package(name: "dependent", dependencies: [.package(url: "file://\(source)", from: "1.2.0")], targets: [
                .executableTarget(name: "dependent", dependencies: [.product(name: "SSHClient", package: "postern"), .product(name: "SSHServer", package: "postern")], path: "Sources"),
            ])
            """)
        try place.write("dependent/Sources/main.swift", text)
        return dependent
    }

    private static func build(_ directory: String, _ more: [String] = []) throws -> Outcome {
        try runAsHere(["swift", "build", "--package-path", directory] + more)
    }

    /// Where swift is, `PATH` says.
    private static func runAsHere(_ words: [String]) throws -> Outcome {
        let inherited = ["PATH", "HOME"].map { "\($0)=\(ProcessInfo.processInfo.environment[$0] ?? "/")" }
        return try run(["/usr/bin/env"] + inherited + words, patience: .seconds(900))
    }

    @Test(.enabled(if: isLong, "documents everything: POSTERN_LONG=1")) func `docc finds nothing wrong with the documentation`() async throws {
        try await onThread {
            let outcome = try Self.runAsHere([Self.package.appending(path: "scripts/docs").path(percentEncoded: false)])
            if outcome.code == 77 { return print("skipped: \(outcome.errors)") }
            #expect(outcome.code == 0, "\(outcome)")
        }
    }

    @Test(.enabled(if: isLong, "builds everything once more: POSTERN_LONG=1")) func `depends on it by version, builds and runs; what must not compile does not`() async throws {
        let place = try Workplace()
        let text = """
            import SSHClient
            import SSHServer

            let (host, alice) = (SSHPrivateKey.generate(), SSHPrivateKey.generate())
            let server = try await SSHServer.listen(
                port: 0, hostKey: host, authentication: Authentication(key: { $0.key == alice.publicKey ? .granted : .refused })
            ) { connection in
                for try await session in connection.sessions { try await session.run { _, output, _ in try await output.write("hello\\n"); return 0 } }
            }
            let client = try await SSHClient.connect(
                to: "127.0.0.1", port: server.port, as: "alice", with: .key(alice), trusting: .key(host.publicKey))
            print(try await client.run("anything").outputText, terminator: "")
            server.close()

            """
        try await onThread {
            let directory = try Self.makePackage(place, text)
            let built = try Self.build(directory)
            #expect(built.code == 0, "\(built)")
            #expect(try run(["\(directory)/.build/debug/dependent"]).output == "hello\n")
            // A channel before authentication; a proven key that nobody proved; what is inside.
            for (line, reason) in [
                ("func f(_ login: SSHLogin) async throws { _ = try await login.run(\"x\") }", "has no member 'run'"),
                ("func f(_ key: ProbedKey) -> ProvenKey { ProvenKey(key) }", "is inaccessible"),
                ("func f(_ process: SSHProcess) { _ = process.port }", "is inaccessible"),
            ] {
                try Data((text + line + "\n").utf8).write(to: URL(filePath: "\(directory)/Sources/main.swift"))
                let refused = try Self.build(directory)
                #expect(refused.code != 0 && (refused.output + refused.errors).contains(reason), "\(line): \(refused)")
            }
        }
    }
}
