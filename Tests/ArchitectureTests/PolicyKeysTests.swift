import Foundation
import Testing

@Suite("docs/policy-keys.md") struct PolicyKeysTests {
    /// A line of the table: what stands between backquotes in each cell.
    private static func rows() throws -> [[[String]]] {
        let page = try String(contentsOf: SourceFile.package.appending(path: "docs/policy-keys.md"), encoding: .utf8)
        return page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            line.split(separator: "|").map { cell in cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) } }
                .filter { !$0.isEmpty }
        }
    }

    @Test func `names only tests and wrong policies that exist`() throws {
        let sources = try SourceFile.all("Tests/GatewayTests", ".swift").map { $0.lines.joined(separator: "\n") }.joined(separator: "\n")
        let rows = try Self.rows()
        #expect(rows.count > 70)
        for row in rows {
            #expect(row.count == 3 && row[0].count == 1, "\(row)")
            guard row.count == 3, let key = row[0].first else { continue }
            for name in row[1] { #expect(sources.contains("func `\(name)`"), "no test is called \"\(name)\"") }
            let wrong = try row[2].map { try String(contentsOf: SourceFile.package.appending(path: "Tests/PolicySourceTests/Wrong/\($0).txt"), encoding: .utf8) }
            #expect(wrong.contains { $0.contains(key) && $0.contains("\n---\n") }, "no policy of \(row[2]) has \"\(key)\"")
        }
    }

    /// A reader names the key it takes in a call such as `reader.strings("may")`.
    @Test func `has every key that a policy's readers know`() throws {
        let keys = Set(try Self.rows().compactMap { $0.first?.first })
        var known = 0
        for file in try SourceFile.all("Sources/Policy/PolicySource", "Reader.swift", "PolicyTest.swift") {
            for line in file.lines {
                for match in line.matches(of: /(?:string|word|strings|stringOrStrings|bool|boolean|integer|bytes|duration|moment|addresses|choice|table)\("([a-z_]+)"/) {
                    known += 1
                    // Members of inline tables are with their tables.
                    let key = String(match.1)
                    #expect(keys.contains(key) || ["bytes", "time", "mode"].contains(key), "\(file): \"\(key)\"")
                }
            }
        }
        #expect(known > 60)
    }
}
