import Files
import Policy

enum LineFuzz {
    static func run(_ bytes: [UInt8]) {
        do throws(CommandLineError) {
            let words = try CommandLine.split(bytes).map(\.text)
            let again = try CommandLine.split(Array(words.map(CommandLine.quoted).joined(separator: " ").utf8)).map(\.text)
            precondition(again == words, "words that were quoted are the same words")
        } catch {}
        if DropCommandLine.isMeant(by: bytes) { do throws(DropCommandLine.Fault) { _ = try DropCommandLine(parsing: bytes) } catch {} }
        let text = String(decoding: bytes, as: UTF8.self)
        if let name = RepositoryName(text) { precondition(RepositoryPattern("**")?.matches(name) == true, "a name that ** does not match") }
        _ = IPAddress(text)
        do throws(AddressPatternError) { _ = try AddressPattern(parsing: text) } catch {}
        do throws(FileError) {
            let path = try RemotePath(bytes)
            precondition(!path.components.contains { $0.elementsEqual("..".utf8) || $0.contains(0) || $0.isEmpty }, "a path that leads elsewhere")
        } catch {}
    }
}
