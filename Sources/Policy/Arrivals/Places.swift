/// The table of all connections, as it stands in the file: it is looked through for every one that comes.
public struct Places: Equatable, Sendable {
    public private(set) var bytes: [UInt8]

    /// Reads a table; bytes that make no whole entry are left out.
    public init(bytes: [UInt8]) { self.bytes = bytes.count % Place.length == 0 ? bytes : Array(bytes.dropLast(bytes.count % Place.length)) }

    public init(count: Int) { bytes = [UInt8](repeating: 0, count: count * Place.length) }

    public var indices: Range<Int> { 0..<bytes.count / Place.length }

    public subscript(_ index: Int) -> Place {
        get { Place(bytes: bytes[index * Place.length..<(index + 1) * Place.length]) }
        set { bytes.replaceSubrange(index * Place.length..<(index + 1) * Place.length, with: newValue.bytes) }
    }

    func state(at index: Int) -> Place.State { Place.State(rawValue: bytes[index * Place.length]) ?? .free }

    func taken(at index: Int) -> UInt64 { Place.number(bytes[(index + 1) * Place.length - 8..<(index + 1) * Place.length]) }

    /// - Parameter source: as ``Source/bytes(of:)`` has it.
    func isFrom(_ source: [UInt8], at index: Int) -> Bool {
        let start = index * Place.length + 1
        return source.indices.allSatisfy { bytes[start + $0] == source[$0] }
    }

    /// Those whose end would make room for a connection that was turned away: the ones to make sure of.
    public func standing(against refusal: Door.Refusal, from source: Source?) -> [Int] {
        let key = Source.bytes(of: source)
        return indices.filter { index in
            switch refusal.reason {
            case .penalty: false
            case .perSource: state(at: index).isWaiting && isFrom(key, at: index)
            case .unauthenticated: state(at: index).isWaiting
            case .connections: state(at: index) != .free
            }
        }
    }
}
