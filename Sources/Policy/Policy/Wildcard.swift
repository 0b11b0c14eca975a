/// Matches a list against a pattern whose `isStar` elements stand for any number of elements.
///
/// All ways are tried at once, so that the time is bounded by the product of both lengths.
struct Wildcard<Element> {
    let pattern: [Element]
    let isStar: (Element) -> Bool

    /// - Parameters:
    ///   - leastOfStar: how many elements a star stands for at least: 0 or 1.
    ///   - fits: whether an element of the pattern that is no star takes one of the list.
    func matches<Value>(_ values: [Value], leastOfStar: Int, _ fits: (Element, Value) -> Bool) -> Bool {
        var places = closure([0], leastOfStar)
        for value in values {
            var next: Set<Int> = []
            for place in places where place < pattern.count {
                if isStar(pattern[place]) {
                    next.formUnion([place, place + 1])
                } else if fits(pattern[place], value) {
                    next.insert(place + 1)
                }
            }
            places = closure(next, leastOfStar)
            if places.isEmpty { return false }
        }
        return places.contains(pattern.count)
    }

    /// With the places behind stars that stand for nothing.
    private func closure(_ places: Set<Int>, _ leastOfStar: Int) -> Set<Int> {
        guard leastOfStar == 0 else { return places }
        var all = places
        for place in places {
            var next = place
            while next < pattern.count, isStar(pattern[next]) {
                next += 1
                all.insert(next)
            }
        }
        return all
    }
}

/// Bytes in which `*` stands for any number of bytes.
struct ByteWildcard {
    private let wildcard: Wildcard<UInt8>

    init(_ pattern: String) {
        wildcard = Wildcard(pattern: Array(pattern.utf8)) { $0 == UInt8(ascii: "*") }
    }

    func matches(_ text: String) -> Bool {
        wildcard.matches(Array(text.utf8), leastOfStar: 0) { $0 == $1 }
    }
}
