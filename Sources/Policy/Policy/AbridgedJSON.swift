extension JSONText {
    /// This value, or what of its beginning takes at most `limit` bytes when written.
    ///
    /// Texts are cut and arrays end early; objects are left whole, as their shape is ours.
    public func abridged(to limit: Int) -> JSONText {
        switch self {
        case .string(let text):
            .string(String(text.unicodeScalars.prefix(limit).beginning { JSONText.string(String($0)).isWithin(limit) }))
        case .bytes(let bytes):
            .bytes(Array(bytes.prefix(limit).beginning { JSONText.bytes(Array($0)).isWithin(limit) }))
        case .array(let values): .array(Self.beginning(of: values, limit))
        case .null, .bool, .integer, .object: self
        }
    }

    private func isWithin(_ limit: Int) -> Bool { description.utf8.count <= limit }

    private static func beginning(of values: [JSONText], _ limit: Int) -> [JSONText] {
        var room = limit - 2
        var kept: [JSONText] = []
        for value in values {
            let part = value.abridged(to: room)
            guard part.isWithin(room) else { return kept }
            kept.append(part)
            guard part == value else { return kept }
            room -= part.description.utf8.count + 1
        }
        return kept
    }
}

extension Collection {
    /// The longest of a few beginnings that is short enough: each is an eighth shorter than the last.
    fileprivate func beginning(_ isShortEnough: (SubSequence) -> Bool) -> SubSequence {
        var kept = self[...]
        while !kept.isEmpty, !isShortEnough(kept) { kept = kept.prefix(kept.count - Swift.max(1, kept.count / 8)) }
        return kept
    }
}
