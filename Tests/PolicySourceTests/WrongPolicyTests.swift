import Foundation
import PolicySource
import Testing

/// Each file in `Wrong` is a policy, perhaps more files after lines `--- PATH [OWNER]`, then `---` and exactly what is said.
@Suite("DESIGN §3: what is wrong is said, with its place") struct WrongPolicyTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Wrong")
    static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path()))?.filter { $0.hasSuffix(".txt") }.sorted() ?? []

    @Test(arguments: names) func `says exactly`(name: String) throws {
        let story = try Story(String(contentsOf: Self.folder.appending(path: name), encoding: .utf8))
        let loaded = LoadedPolicy.read(story.entry, World(files: story.files).surroundings)
        #expect(loaded.text == story.expected)
        #expect((loaded.policy == nil) == loaded.diagnostics.contains { $0.severity == .error })
    }

    @Test func `there are cases`() { #expect(Self.names.count >= 60) }
}

/// A test case as text.
struct Story {
    var files: [String: World.File] = [:]
    var expected = ""
    /// The policy: the file, or the directory `policy.d` if the story has one.
    var entry: String { files.keys.contains { $0.hasPrefix("policy.d/") } ? "policy.d" : "policy.toml" }

    init(_ text: String) {
        var path: String? = "policy.toml"
        var owner: UInt32 = 0
        var lines: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard path != nil, line == "---" || line.hasPrefix("--- ") else {
                lines.append(line)
                continue
            }
            if let path, !lines.isEmpty { files[path] = World.File(text: lines.map { $0 + "\n" }.joined(), owner: owner) }
            lines = []
            let words = line.split(separator: " ").dropFirst()
            path = words.first.map(String.init)
            owner = words.dropFirst().first.flatMap { UInt32($0) } ?? 0
        }
        expected = lines.joined(separator: "\n")
    }
}
