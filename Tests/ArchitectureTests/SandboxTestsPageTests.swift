import Foundation
import Testing

@Suite("docs/sandbox-tests.md") struct SandboxTestsPageTests {
    @Test func `names only tests that exist, and one for each line`() throws {
        let tests = try NamedTests("docs/sandbox-tests.md", in: SourceFile.all("Tests/SandboxTests", ".swift") + SourceFile.all("Tests/GatewayTests", ".swift"))
        var count = 0
        for line in tests.page.split(separator: "\n") where line.hasPrefix("| ") {
            let cells = line.split(separator: "|").dropFirst()
            guard let first = cells.first, first.contains("`") else {
                #expect(["refused inside", "test"].contains(cells.first.map { $0.trimmingCharacters(in: .whitespaces) }), "no test: \(line)")
                continue
            }
            count += tests.check(cells.joined(separator: "|"))
        }
        #expect(count > 90)
    }
}
