/// The values of TOML 1.0.0 that stand without quotes or brackets: booleans, numbers, dates and times.
enum TOMLBareValue {
    /// Whether the bytes have the shape of one; whether a day or hour exists is not looked at.
    static func isSound(_ token: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: token, as: UTF8.self)
        return ["true", "false"].contains(text) || isNumber(token) || isMoment(token)
    }

    private static func isNumber(_ token: ArraySlice<UInt8>) -> Bool {
        var rest = token
        let isSigned = rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-")
        if isSigned { rest = rest.dropFirst() }
        if rest.elementsEqual("inf".utf8) || rest.elementsEqual("nan".utf8) { return true }
        if !isSigned, rest.first == UInt8(ascii: "0"), rest.count > 2, let digits = digits(ofBase: rest[rest.startIndex + 1]) {
            return isGrouped(rest.dropFirst(2), digits)
        }
        return isDecimal(rest)
    }

    private static func digits(ofBase letter: UInt8) -> String? {
        switch letter {
        case UInt8(ascii: "x"): "0123456789abcdefABCDEF"
        case UInt8(ascii: "o"): "01234567"
        case UInt8(ascii: "b"): "01"
        default: nil
        }
    }

    /// An integer or float without its sign.
    private static func isDecimal(_ text: ArraySlice<UInt8>) -> Bool {
        let exponent = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 | 0x20 == UInt8(ascii: "e") }
        let parts = exponent[0].split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        let hasLeadingZero = parts[0].count > 1 && parts[0].first == UInt8(ascii: "0")
        guard !hasLeadingZero, parts.allSatisfy({ isGrouped($0, "0123456789") }) else { return false }
        guard exponent.count == 2 else { return true }
        let isSigned = exponent[1].first == UInt8(ascii: "+") || exponent[1].first == UInt8(ascii: "-")
        return isGrouped(isSigned ? exponent[1].dropFirst() : exponent[1], "0123456789")
    }

    /// Digits, with single `_` between them.
    private static func isGrouped(_ text: ArraySlice<UInt8>, _ digits: String) -> Bool {
        text.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false).allSatisfy { group in
            !group.isEmpty && group.allSatisfy(digits.utf8.contains)
        }
    }

    private static func isMoment(_ token: ArraySlice<UInt8>) -> Bool {
        guard matches(token.prefix(10), "0000-00-00") else { return isTime(token, mayHaveOffset: false) }
        let rest = token.dropFirst(10)
        guard let separator = rest.first else { return true }
        return [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(separator)
            && isTime(rest.dropFirst(), mayHaveOffset: true)
    }

    private static func isTime(_ text: ArraySlice<UInt8>, mayHaveOffset: Bool) -> Bool {
        guard matches(text.prefix(8), "00:00:00") else { return false }
        var rest = text.dropFirst(8)
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix { isDigit($0) }
            guard !fraction.isEmpty else { return false }
            rest = rest[fraction.endIndex...]
        }
        guard let sign = rest.first else { return true }
        if !mayHaveOffset { return false }
        if sign | 0x20 == UInt8(ascii: "z") { return rest.count == 1 }
        return (sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-")) && matches(rest.dropFirst(), "00:00")
    }

    /// Whether the bytes are those of `shape`, in which 0 stands for any digit.
    private static func matches(_ bytes: ArraySlice<UInt8>, _ shape: String) -> Bool {
        bytes.count == shape.utf8.count && zip(bytes, shape.utf8).allSatisfy { $1 == UInt8(ascii: "0") ? isDigit($0) : $0 == $1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
