import Testing

@Suite("docs/known-attacks.md") struct KnownAttacksTests {
    @Test func `names only tests that exist`() throws {
        let tests = try NamedTests("docs/known-attacks.md", in: SourceTests.tests)
        let cells = tests.page.split(separator: "\n").filter { $0.hasPrefix("|") }.compactMap { $0.split(separator: "|").last }
        #expect(cells.map { tests.check($0) }.reduce(0, +) > 20)
    }
}
