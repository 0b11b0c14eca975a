import Foundation
import Testing

@Suite("policies/: worked examples", .enabled(if: Programs.areBuilt, "\(Programs.whyNot)")) struct PoliciesTests {
    static let folder = Programs.package.appending(path: "policies")
    static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)))?.filter { $0.hasSuffix(".toml") }.sorted() ?? []

    @Test(arguments: names) func `is sound, without a warning, and tests what it allows and refuses`(name: String) throws {
        let answer = try Programs.run("postern check --elsewhere \(name)", in: Self.folder)
        #expect(answer.status == 0 && answer.output.hasPrefix("sound: ") && answer.output.hasSuffix(", 0 warnings\n"), "\(answer.output)")
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        #expect(text.contains(/expect +=\ "allow"/) && text.contains(/expect +=\ "refuse"/))
    }

    @Test(arguments: names) func `leaves no key and no command unused`(name: String) throws {
        let answer = try Programs.run("postern matrix --elsewhere \(name)", in: Self.folder)
        #expect(answer.status == 0 && !answer.output.contains(" no: "), "\(answer.output)")
    }

    @Test func `there are examples`() { #expect(Self.names.count >= 6) }
}
