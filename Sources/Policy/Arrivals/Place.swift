/// A connection's entry in the table of all: what a process that lets in the next must know of it.
public struct Place: Equatable, Sendable {
    public enum State: UInt8, Sendable {
        case free = 0
        case unauthenticated
        case authenticated
        /// As ``unauthenticated``; a listener has found it for a process that is about to own it.
        case offered

        /// Nobody has logged in on it yet.
        var isWaiting: Bool { self == .unauthenticated || self == .offered }
    }

    public var state: State
    /// Nil for one that no limit per source holds for.
    public var source: Source?
    /// When it was taken, in milliseconds of a clock that all processes share. With it an entry is told from the next one in the same place.
    public var taken: UInt64

    public init(state: State, source: Source?, taken: UInt64) {
        self.state = state
        self.source = source
        self.taken = taken
    }

    /// In bytes.
    public static let length = 32
    /// The entry of nobody.
    public static let free = Place(state: .free, source: nil, taken: 0)

    public var bytes: [UInt8] {
        [state.rawValue] + Source.bytes(of: source) + [UInt8](repeating: 0, count: 6) + Self.bytes(of: taken)
    }

    /// Reads one; what cannot be is a free one, since nobody wrote it.
    public init(bytes: ArraySlice<UInt8>) {
        precondition(bytes.count == Self.length, "no entry")
        let state = State(rawValue: bytes[bytes.startIndex]) ?? .free
        guard state != .free else {
            self = .free
            return
        }
        self.state = state
        source = Source(bytes: bytes.dropFirst().prefix(Source.length))
        taken = Self.number(bytes.suffix(8))
    }

    static func bytes(of number: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }

    static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
