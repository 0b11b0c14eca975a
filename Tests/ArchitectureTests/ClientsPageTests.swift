import Testing

@Suite("docs/clients.md") struct ClientsPageTests {
    @Test func `names only tests that exist`() throws {
        let tests = try NamedTests("docs/clients.md", in: SourceFile.all("Tests/GatewayTests", ".swift"))
        #expect(tests.check(tests.page) { $0.contains(" ") && !$0.hasPrefix("make ") } > 15)
    }
}
