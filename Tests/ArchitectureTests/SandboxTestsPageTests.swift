import Foundation
import Testing

@Suite("docs/sandbox-tests.md") struct SandboxTestsPageTests {
    @Test func `names only tests that exist, and one for each line`() throws {
        let page = try String(contentsOf: SourceFile.package.appending(path: "docs/sandbox-tests.md"), encoding: .utf8)
        let sources = try (SourceFile.all("Tests/SandboxTests", ".swift") + SourceFile.all("Tests/GatewayTests", ".swift"))
            .map { $0.lines.joined(separator: "\n") }.joined(separator: "\n")
        var count = 0
        for line in page.split(separator: "\n") where line.hasPrefix("| ") {
            let cells = line.split(separator: "|").dropFirst()
            guard let first = cells.first, first.contains("`") else {
                #expect(["refused inside", "test"].contains(cells.first.map { $0.trimmingCharacters(in: .whitespaces) }), "no test: \(line)")
                continue
            }
            for (index, name) in cells.joined(separator: "|").split(separator: "`", omittingEmptySubsequences: false).enumerated() where index % 2 == 1 {
                count += 1
                #expect(sources.contains("func `\(name)`"), "no test is called \"\(name)\"")
            }
        }
        #expect(count > 90)
    }
}
