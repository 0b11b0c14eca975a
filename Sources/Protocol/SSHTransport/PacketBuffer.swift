/// Bytes between the wire and the packets: one array that is used again and again.
struct PacketBuffer: Sendable {
    /// What counts is `storage[start..<end]`; what follows is room.
    var storage: [UInt8] = []
    private(set) var start = 0
    private(set) var end = 0

    /// What an idle connection keeps, in bytes.
    private static let keptCapacity = 8 * 1024

    var pending: ArraySlice<UInt8> { storage[start..<end] }
    var count: Int { end - start }

    /// Takes the first `count` bytes away.
    mutating func drop(_ count: Int) {
        precondition(count <= self.count, "more dropped than there is")
        start += count
        guard start == end else { return }
        start = 0
        end = 0
    }

    /// Takes note that `count` bytes were written into the room.
    mutating func extend(by count: Int) {
        precondition(end + count <= storage.count, "more written than there was room")
        end += count
    }

    /// Makes room for `count` bytes: what was taken away is given up first, then the array grows.
    mutating func makeRoom(for count: Int) {
        guard storage.count - end < count else { return }
        if start > 0 {
            // By way of a copy of what is left: a slice of the array itself would make all of it be copied.
            storage.replaceSubrange(0..<end - start, with: Array(storage[start..<end]))
            end -= start
            start = 0
        }
        let missing = count - (storage.count - end)
        if missing > 0 { storage.append(contentsOf: repeatElement(0, count: missing)) }
    }

    /// Gives back an array that grew, when nothing is in it.
    mutating func trim() {
        if start == end, storage.count > Self.keptCapacity { storage = [] }
    }
}
