import Policy
import Testing

@Suite("DESIGN §3.2: what stands for something in a drop account's rules") struct DropRulesTests {
    static let words = [
        ("<path>", "/a b"), ("--file=<path>", "--file=/a b"), ("<path><path>", "/a b/a b"), ("é<path>ü", "é/a bü"), ("<<path>>", "</a b>"),
        ("<pat", "<pat"), ("", ""), ("<PATH>", "<PATH>"),
    ]

    @Test(arguments: words) func `a file's path takes its place, wherever that is`(word: String, expected: String) {
        #expect(DropRules.Hook(words: [word], sandbox: 0).argv(path: "/a b") == [expected])
    }

    @Test func `what is filled in is not looked at again`() {
        #expect(DropRules.Hook(words: ["<path>!"], sandbox: 0).argv(path: "x<path>") == ["x<path>!"])
        #expect(DropRules(root: "/srv/<key>/<key>").root(for: "alice") == "/srv/alice/alice")
    }
}
