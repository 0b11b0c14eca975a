/// Bytes that wait to be written somewhere, in order.
struct ByteQueue {
    private var storage: [UInt8] = []
    private var start = 0

    var isEmpty: Bool { start == storage.count }
    var pending: ArraySlice<UInt8> { storage[start...] }

    mutating func append(_ bytes: ArraySlice<UInt8>) { storage.append(contentsOf: bytes) }

    /// Takes the first `count` bytes away.
    mutating func drop(_ count: Int) {
        start += count
        if start == storage.count {
            storage.removeAll(keepingCapacity: false)
            start = 0
        } else if start > storage.count / 2 {
            storage.removeFirst(start)
            start = 0
        }
    }

    /// Throws away what waits, and says how many bytes that were.
    mutating func discard() -> Int {
        defer { self = ByteQueue() }
        return storage.count - start
    }
}
