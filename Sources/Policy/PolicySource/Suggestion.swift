/// "did you mean": the known name that is nearest to a wrong one.
enum Suggestion {
    /// A hint that names the nearest of `known`, or nil if none is near.
    static func hint(for wrong: String, among known: some Sequence<String>) -> String? {
        nearest(to: wrong, among: known).map { "did you mean \"\($0)\"?" }
    }

    static func nearest(to wrong: String, among known: some Sequence<String>) -> String? {
        let limit = min(max(1, wrong.utf8.count / 3), wrong.utf8.count - 1)
        let close = known.sorted().map { (name: $0, distance: distance(wrong, $0)) }.filter { $0.distance <= limit }
        return close.min { $0.distance < $1.distance }?.name
    }

    /// How many bytes must be inserted, removed, replaced or swapped with their neighbour to make one of the other.
    static func distance(_ one: String, _ other: String) -> Int {
        let a = Array(one.utf8.prefix(longest))
        let b = Array(other.utf8.prefix(longest))
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var least = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, beforeLast[j - 1] + 1) }
                row.append(least)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }

    /// Names are at most 64 bytes; longer words are compared by their beginning.
    private static let longest = 64
}
