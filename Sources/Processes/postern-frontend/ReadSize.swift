/// How much to read at once: it doubles while reads fill it, so that memory is touched only where much comes.
struct ReadSize {
    private static let least = 4096

    private(set) var bytes = least
    private let most: Int

    init(most: Int) { self.most = most }

    mutating func adapt(to count: Int) {
        if count >= bytes { bytes = min(bytes * 2, most) }
    }

    mutating func reset() { bytes = Self.least }
}
