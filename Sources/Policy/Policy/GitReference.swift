/// The rules of git-check-ref-format(1), with names of one level allowed.
enum GitReference {
    static func isValid(_ name: [UInt8]) -> Bool {
        guard !name.isEmpty, !name.elementsEqual("@".utf8), name.last != UInt8(ascii: ".") else { return false }
        guard !name.contains(where: { $0 <= 0x20 || $0 == 0x7f || #"~^:?*[\"#.utf8.contains($0) }) else { return false }
        for (first, second) in zip(name, name.dropFirst()) {
            if first == UInt8(ascii: "."), second == UInt8(ascii: ".") { return false }
            if first == UInt8(ascii: "@"), second == UInt8(ascii: "{") { return false }
        }
        return name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && $0.first != UInt8(ascii: ".") && !$0.suffix(5).elementsEqual(".lock".utf8)
        }
    }
}
