import Policy

/// What two versions of a policy differ in for certificates of any authority, or of one.
enum CertificateVariations {
    /// Key ids that are the name of a listed key, and what is revoked that neither policy names.
    static func between(_ old: Policy, _ new: Policy) -> [Variation] {
        keyIDs(old, new) + digests(old, new)
    }

    /// A certificate must not bear the name of a listed key: with the key that goes, such a certificate counts.
    private static func keyIDs(_ old: Policy, _ new: Policy) -> [Variation] {
        guard !old.authorities.isEmpty, !new.authorities.isEmpty else { return [] }
        let (before, after) = (Set(old.keys.map(\.name)), Set(new.keys.map(\.name)))
        return before.subtracting(after).sorted().map { Variation(what: "key id", shift: .wider, new: $0) }
            + after.subtracting(before).sorted().map { Variation(what: "key id", shift: .narrower, old: $0) }
    }

    /// Keys and key ids by what stands for them, which tells nobody which they are.
    private static func digests(_ old: Policy, _ new: Policy) -> [Variation] {
        guard old.revoked.digests != new.revoked.digests else { return [] }
        let named = Set((old.keys + new.keys).map(\.fingerprint) + (old.authorities + new.authorities).map(\.fingerprint))
        let (before, after) = (Set(old.revoked.digests).subtracting(named), Set(new.revoked.digests).subtracting(named))
        var found: [Variation] = []
        let come = after.subtracting(before).count
        if come > 0 { found.append(Variation(what: "revoked", shift: old.authorities.isEmpty ? .none : .narrower, new: count(come))) }
        let gone = before.subtracting(after).count
        if gone > 0 { found.append(Variation(what: "revoked", shift: new.authorities.isEmpty ? .none : .wider, old: count(gone))) }
        return found
    }

    private static func count(_ number: Int) -> String { number == 1 ? "1 other key or key id" : "\(number) other keys or key ids" }

    /// Serials of one authority's certificates.
    static func serials(_ old: Policy, _ new: Policy, of authority: [UInt8]) -> [Variation] {
        let (before, after) = (old.revokedSerials(of: authority), new.revokedSerials(of: authority))
        var found: [Variation] = []
        let come = SerialRanges.of(after, without: before)
        if !come.isEmpty { found.append(Variation(what: "revoked serials", shift: .narrower, new: SerialRanges.text(come))) }
        let gone = SerialRanges.of(before, without: after)
        if !gone.isEmpty { found.append(Variation(what: "revoked serials", shift: .wider, old: SerialRanges.text(gone))) }
        return found
    }
}

extension Policy {
    /// In order and without overlap.
    fileprivate func revokedSerials(of authority: [UInt8]) -> [ClosedRange<UInt64>] {
        revoked.serials.filter { authorities[$0.authority].fingerprint == authority }.map(\.range)
    }
}

/// Lists of ranges in order and without overlap.
enum SerialRanges {
    /// What is in `ranges` and not in `others`.
    static func of(_ ranges: [ClosedRange<UInt64>], without others: [ClosedRange<UInt64>]) -> [ClosedRange<UInt64>] {
        var left: [ClosedRange<UInt64>] = []
        var others = others[...]
        for range in ranges {
            var start = range.lowerBound
            var isOver = false
            others = others.drop { $0.upperBound < start }
            for other in others {
                if other.lowerBound > range.upperBound { break }
                if other.lowerBound > start { left.append(start...other.lowerBound - 1) }
                if other.upperBound >= range.upperBound {
                    isOver = true
                    break
                }
                start = max(start, other.upperBound + 1)
            }
            if !isOver { left.append(start...range.upperBound) }
        }
        return left
    }

    /// The first few, and how many more there are.
    static func text(_ ranges: [ClosedRange<UInt64>]) -> String {
        let most = 5
        let texts = ranges.prefix(most).map { $0.lowerBound == $0.upperBound ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
        return texts.joined(separator: ", ") + (ranges.count > most ? " and \(ranges.count - most) more" : "")
    }
}
