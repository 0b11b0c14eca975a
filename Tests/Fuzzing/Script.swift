/// An input read as steps: a byte that says what to do, two that say how many bytes go with it, and those bytes.
struct Script: Sequence, IteratorProtocol {
    struct Step {
        var kind: UInt8
        var bytes: [UInt8]
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Sequence<UInt8>) { rest = Array(bytes)[...] }

    /// The next byte; 0 at the end.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func next() -> Step? {
        guard !rest.isEmpty else { return nil }
        let kind = byte()
        let count = Int(byte()) << 8 | Int(byte())
        let bytes = Array(rest.prefix(count))
        rest = rest.dropFirst(bytes.count)
        return Step(kind: kind, bytes: bytes)
    }
}
