import Foundation
import Testing

@Suite("Stories: what an administrator types and sees", .enabled(if: Programs.areBuilt, "\(Programs.whyNot)")) struct StoryTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Stories")
    static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)))?.filter { $0.hasSuffix(".txt") }.sorted() ?? []

    @Test(arguments: names) func `goes as told`(name: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        let story = Story(text.replacingOccurrences(of: "{user}", with: Programs.user))
        #expect(!story.steps.isEmpty)
        let workplace = try Workplace()
        for (path, content) in story.files { try workplace.write(content, to: path) }
        for step in story.steps {
            let answer = try Programs.run(step.line, in: workplace.url)
            #expect(
                step.fits(answer.output) && step.status == answer.status,
                "$ \(step.line)\n\(answer.output)[\(answer.status)]\ninstead of\n\(step.expected.joined(separator: "\n"))\n[\(step.status)]")
        }
    }

    @Test func `there are stories`() { #expect(!Self.names.isEmpty) }
}
