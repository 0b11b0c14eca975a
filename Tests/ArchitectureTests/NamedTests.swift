import Foundation
import Testing

/// A page of docs/ that names tests in backquotes.
struct NamedTests {
    let page: String
    private let sources: String

    init(_ path: String, in sources: [SourceFile]) throws {
        page = try String(contentsOf: SourceFile.package.appending(path: path), encoding: .utf8)
        self.sources = sources.map { $0.lines.joined(separator: "\n") }.joined(separator: "\n")
    }

    /// Expects a test of each name in a part of the page; returns how many there are.
    func check(_ part: some StringProtocol, where isTest: (Substring) -> Bool = { _ in true }) -> Int {
        let names = String(part).split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map(\.element).filter(isTest)
        for name in names { #expect(sources.contains("func `\(name)`"), "no test is called \"\(name)\"") }
        return names.count
    }
}
