/// One line of what a hook reads: githooks(5), pre-receive.
struct RefUpdate {
    let old: String
    let new: String
    let ref: String

    /// Some ten thousand updates; a push of more is refused.
    static let longestInput = 4 << 20

    /// Nil for what git never writes.
    static func all(in bytes: [UInt8]) -> [RefUpdate]? {
        var updates: [RefUpdate] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2).map { String(decoding: $0, as: UTF8.self) }
            guard words.count == 3, words.prefix(2).allSatisfy(isObject) else { return nil }
            updates.append(RefUpdate(old: words[0], new: words[1], ref: words[2]))
        }
        return updates
    }

    /// An object's name by SHA-1 or SHA-256.
    private static func isObject(_ text: String) -> Bool {
        (text.utf8.count == 40 || text.utf8.count == 64) && text.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    }

    var isCreation: Bool { Self.isNothing(old) }
    var isDeletion: Bool { Self.isNothing(new) }

    private static func isNothing(_ object: String) -> Bool { object.utf8.allSatisfy { $0 == UInt8(ascii: "0") } }
}
