import Foundation
import Testing

@Suite("ARCHITECTURE.md: the arrows") struct ArrowTests {
    @Test func `are those of Package.swift`() throws {
        let (drawn, built) = (try drawn(), try built())
        for target in Set(drawn.keys).union(built.keys).sorted() {
            #expect(drawn[target] == built[target], "\(target): ARCHITECTURE.md, then Package.swift")
        }
        #expect(!drawn.isEmpty)
    }

    /// The fenced block `arrows`: a line for each target, `name -> dependency dependency`.
    private func drawn() throws -> [String: Set<String>] {
        let text = try String(contentsOf: SourceFile.package.appending(path: "ARCHITECTURE.md"), encoding: .utf8)
        let block = try #require(text.firstMatch(of: /```arrows\n((?:.|\n)*?)```/)?.1, "there is no block ```arrows")
        var arrows: [String: Set<String>] = [:]
        for line in block.split(separator: "\n") {
            let parts = line.components(separatedBy: "->").map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count == 2, arrows[parts[0]] == nil else {
                Issue.record("\"\(line)\" is no \"name -> dependencies\", or there twice")
                continue
            }
            arrows[parts[0]] = Set(parts[1].split(separator: " ").map(String.init))
        }
        return arrows
    }

    private struct Manifest: Decodable {
        struct Target: Decodable {
            let name: String
            let type: String
            let dependencies: [[String: [JSONIgnored]]]
        }
        let targets: [Target]
    }

    /// A name, or whatever else stands beside it.
    private struct JSONIgnored: Decodable {
        let text: String?
        init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
    }

    /// As SwiftPM sees it, from a copy: the package's own build directory is locked by who runs the tests.
    private func built() throws -> [String: Set<String>] {
        let copy = FileManager.default.temporaryDirectory.appending(path: "postern-manifest-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: copy) }
        try FileManager.default.copyItem(at: SourceFile.package.appending(path: "Package.swift"), to: copy.appending(path: "Package.swift"))
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["swift", "package", "--package-path", copy.path(percentEncoded: false), "dump-package"]
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let json = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "swift package dump-package failed")
        let targets = try JSONDecoder().decode(Manifest.self, from: json).targets.filter { $0.type != "test" }
        let arrows = targets.map { target in (target.name, Set(target.dependencies.flatMap(\.values).compactMap { $0.first?.text })) }
        return Dictionary(uniqueKeysWithValues: arrows)
    }

    @Test func `Protocol and Policy never meet, and the monitor reads no packet`() throws {
        let arrows = try drawn()
        let protocols = Set(try folders("Sources/Protocol"))
        let policies = Set(try folders("Sources/Policy"))
        for name in protocols { #expect(reachable(from: name, arrows).isDisjoint(with: policies), "\(name)") }
        for name in policies { #expect(reachable(from: name, arrows).isDisjoint(with: protocols), "\(name)") }
        #expect(arrows["posternd"]?.isDisjoint(with: ["SSHTransport", "SSHCiphers", "SSH", "PolicySource"]) == true)
        #expect(arrows["postern-frontend"]?.isDisjoint(with: policies) == true)
        let library = Set(try folders("Sources/Library"))
        for name in ["posternd", "postern-frontend", "postern-files", "postern-git", "postern-git-hook", "postern-probe"] {
            #expect(reachable(from: name, arrows).isDisjoint(with: library.union(["NIOCore", "NIOPosix"])), "\(name) links nothing of the library")
        }
        let system = Set(try folders("Sources/System")).subtracting(["Sodium", "Gcrypt"])
        for name in protocols { #expect(arrows[name]?.isDisjoint(with: system) == true, "\(name) reaches System through Sodium and Gcrypt only") }
    }

    private func folders(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: SourceFile.package.appending(path: path).path(percentEncoded: false))
    }

    private func reachable(from name: String, _ arrows: [String: Set<String>]) -> Set<String> {
        var found: Set<String> = []
        var next = [name]
        while let one = next.popLast() { for other in arrows[one] ?? [] where found.insert(other).inserted { next.append(other) } }
        return found
    }
}

@Suite("STYLE: the sources") struct SourceTests {
    static let swift = (try? SourceFile.all("Sources", ".swift")) ?? []
    static let tests = (try? SourceFile.all("Tests", ".swift")) ?? []
    static let c = (try? SourceFile.all("Sources", ".c", ".h")) ?? []

    @Test func `are there`() {
        #expect(Self.swift.count > 100)
        #expect(!Self.c.isEmpty)
    }

    @Test func `no file has more than 500 lines`() {
        for file in Self.swift + Self.tests + Self.c { #expect(file.lines.count <= 501, "\(file)") }
    }

    @Test func `no function has more than 70 lines`() {
        for function in (Self.swift + Self.c).flatMap(\.functions) { #expect(function.lineCount <= 70, "\(function.place)") }
    }

    @Test func `unsafe code stands in the folder System only`() {
        let words = ["unsafe*", "Unsafe*", "withUnsafe*", "OpaquePointer", "Unmanaged"]
        for file in Self.swift where !file.path.hasPrefix("Sources/System/") { #expect(file.places(of: words).isEmpty) }
    }

    /// A comment covers the expressions that follow it without a gap of more than a few lines.
    @Test func `each unsafe expression has its SAFETY comment above it`() {
        for file in Self.swift where file.path.hasPrefix("Sources/System/") {
            var covered = -1000
            for (index, line) in file.lines.enumerated() {
                if line.contains("// SAFETY:") { covered = index }
                guard file.code[index].hasWord("unsafe") else { continue }
                #expect(index - covered <= 8, "\(file):\(index + 1)")
                covered = max(covered, index - 4)
            }
        }
    }

    @Test func `nothing is forced, given up or left for later`() {
        for file in Self.swift {
            #expect(file.places(of: ["try!", "as!", "fatalError"]).isEmpty)
            let notes = file.lines.indices.filter { index in ["TODO", "FIXME", "XXX"].contains { file.lines[index].hasWord($0) } }
            #expect(notes.isEmpty, "\(file)")
        }
    }

    @Test func `Foundation is for postern and PolicySource`() {
        let allowed = ["Sources/Policy/PolicySource/", "Sources/Processes/postern/"]
        for file in Self.swift where !allowed.contains(where: file.path.hasPrefix) { #expect(file.places(of: ["import Foundation"]).isEmpty) }
    }

    @Test func `the C library is for the folder System`() {
        for file in Self.swift where !file.path.hasPrefix("Sources/System/") {
            #expect(file.places(of: ["Glibc", "Musl", "CLinux", "CSodium", "CGcrypt", "CSeccomp"].map { "import \($0)" }).isEmpty)
        }
    }

    @Test func `C is in CLinux and process 1, but for the headers of the libraries`() {
        let places = ["Sources/System/CLinux/", "Sources/Processes/postern-init/main.c"]
        for file in Self.c where !places.contains(where: file.path.hasPrefix) {
            #expect(file.path.hasSuffix("/shim.h") && file.lines.count < 10, "\(file)")
        }
        for (place, most) in zip(places, [500, 100]) {
            let lines = Self.c.filter { $0.path.hasPrefix(place) && $0.path.hasSuffix(".c") }.map(\.lines.count).reduce(0, +)
            #expect(lines > 0 && lines <= most, "\(place)")
        }
    }

    @Test func `no build leaves the sandbox out, but what scripts/bench compares with`() throws {
        #expect(Self.swift.filter { file in file.lines.contains { $0.contains("POSTERN_BARE") } }.map(\.path) == ["Sources/System/Sandbox/Confining.swift"])
        for path in ["Makefile", "Package.swift", "scripts/test", "scripts/setup", "scripts/run-demo"] {
            let text = try String(contentsOf: SourceFile.package.appending(path: path), encoding: .utf8)
            #expect(!text.contains("POSTERN_BARE") && !text.contains("build/bare"), "\(path)")
        }
    }

    @Test func `only the library can have passwords tried`() {
        let places = Self.swift.flatMap { $0.places(of: ["Passwords"]) }
        let users = places.filter { !$0.hasPrefix("Sources/Protocol/SSHUserAuth/UserAuthServer.swift:") }
        #expect(users.count == 1 && users[0].hasPrefix("Sources/Library/SSHServer/"), "\(users)")
    }

    @Test func `what the library shows says what it is, and all of it`() {
        for file in Self.swift where file.path.hasPrefix("Sources/Library/") {
            for (index, line) in file.code.enumerated() {
                let words = line.split(separator: " ")
                guard words.first == "public", words.dropFirst().first != "import", words.dropFirst().first != "typealias" else { continue }
                #expect(isDocumented(file, index), "\(file):\(index + 1)")
            }
            let cases = file.lines.indices.filter { file.code[$0].drop { $0 == " " }.hasPrefix("case ") && file.code[$0].hasPrefix("    case ") }
            guard file.path.hasPrefix("Sources/Library/SSHBase/") else { continue }
            for index in cases where !file.code[index].contains(":") { #expect(isDocumented(file, index), "\(file):\(index + 1)") }
        }
    }

    @Test func `what Protocol and Policy declare for all says what it is`() {
        for file in Self.swift where file.path.hasPrefix("Sources/Protocol/") || file.path.hasPrefix("Sources/Policy/") {
            for (index, line) in file.code.enumerated() where line.hasPrefix("public ") && !line.hasPrefix("public import ") {
                #expect(isDocumented(file, index), "\(file):\(index + 1)")
            }
        }
    }

    /// Attributes may stand between the comment and the declaration.
    private func isDocumented(_ file: SourceFile, _ index: Int) -> Bool {
        var above = index - 1
        func text(_ line: Int) -> Substring { file.lines[line].drop { $0 == " " } }
        while above >= 0, text(above).hasPrefix("@") { above -= 1 }
        return above >= 0 && text(above).hasPrefix("///")
    }
}
