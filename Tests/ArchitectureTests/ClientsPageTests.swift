import Foundation
import Testing

@Suite("docs/clients.md") struct ClientsPageTests {
    @Test func `names only tests that exist`() throws {
        let page = try String(contentsOf: SourceFile.package.appending(path: "docs/clients.md"), encoding: .utf8)
        let sources = try SourceFile.all("Tests/GatewayTests", ".swift").map { $0.lines.joined(separator: "\n") }.joined(separator: "\n")
        var count = 0
        for (index, name) in page.split(separator: "`", omittingEmptySubsequences: false).enumerated() where index % 2 == 1 && name.contains(" ") && !name.hasPrefix("make ") {
            count += 1
            #expect(sources.contains("func `\(name)`"), "no test is called \"\(name)\"")
        }
        #expect(count > 15)
    }
}
