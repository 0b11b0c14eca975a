import Foundation
import Testing

@Suite("docs/known-attacks.md") struct KnownAttacksTests {
    @Test func `names only tests that exist`() throws {
        let page = try String(contentsOf: SourceFile.package.appending(path: "docs/known-attacks.md"), encoding: .utf8)
        let sources = SourceTests.tests.map { $0.lines.joined(separator: "\n") }.joined(separator: "\n")
        var count = 0
        for line in page.split(separator: "\n") where line.hasPrefix("|") {
            guard let last = line.split(separator: "|").last else { continue }
            for (index, name) in last.split(separator: "`", omittingEmptySubsequences: false).enumerated() where index % 2 == 1 {
                count += 1
                #expect(sources.contains("func `\(name)`"), "no test is called \"\(name)\"")
            }
        }
        #expect(count > 20)
    }
}
