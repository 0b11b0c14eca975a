/// A pattern of file names: `*` stands for any bytes, `?` for one, everything else for itself.
public struct NamePattern: Equatable, Sendable {
    private let pattern: [UInt8]

    public init(_ pattern: some Sequence<UInt8>) { self.pattern = Array(pattern) }

    /// Whether all of `name` fits. It takes at most the product of both lengths.
    public func matches(_ name: [UInt8]) -> Bool {
        var (at, place) = (0, 0)
        // Where the last star stood, and up to where of the name it reaches.
        var star: (pattern: Int, name: Int)?
        while place < name.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                star = (at, place)
                at += 1
            } else if at < pattern.count, pattern[at] == UInt8(ascii: "?") || pattern[at] == name[place] {
                at += 1
                place += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                (at, place) = (last.pattern + 1, last.name + 1)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
