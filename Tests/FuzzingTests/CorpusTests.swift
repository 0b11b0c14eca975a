import Foundation
import Fuzzing
import Testing

/// A file for each target, a line of base64 for each input: what reached the most code, and what was once found (`make fuzz`).
@Suite("Fuzzing: what was found stays mended") struct CorpusTests {
    @Test(arguments: FuzzTarget.allCases) func `every input of the corpus returns`(target: FuzzTarget) throws {
        let file = try #require(Bundle.module.url(forResource: target.rawValue, withExtension: "txt", subdirectory: "Corpus"))
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count >= 10)
        for line in lines { target.run([UInt8](try #require(Data(base64Encoded: String(line))))) }
    }
}
