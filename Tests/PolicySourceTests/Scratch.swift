import Foundation
import PolicySource
import Testing
@Suite struct Scratch {
    @Test func scratch() throws {
        let folder = WrongPolicyTests.folder
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path()).filter({ $0.hasSuffix(".in") }) {
            let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            let story = Story(text + "---\n")
            let loaded = LoadedPolicy.read(story.entry, World(files: story.files).surroundings)
            let out = text + "---\n" + loaded.text
            try out.write(to: folder.appending(path: name.replacingOccurrences(of: ".in", with: ".txt")), atomically: true, encoding: .utf8)
        }
    }
}
