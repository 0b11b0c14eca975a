/// The grammar of Semantic Versioning 2.0.0 (semver.org).
enum SemanticVersion {
    static func isValid(_ text: [UInt8]) -> Bool {
        let build = text.split(separator: UInt8(ascii: "+"), maxSplits: 1, omittingEmptySubsequences: false)
        if build.count == 2, !identifiers(build[1]).allSatisfy(isIdentifier) { return false }
        let release = build[0].split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        if release.count == 2, !identifiers(release[1]).allSatisfy(isPrereleaseIdentifier) { return false }
        let core = identifiers(release[0])
        return core.count == 3 && core.allSatisfy(isNumber)
    }

    private static func identifiers(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    }

    private static func isNumber(_ text: ArraySlice<UInt8>) -> Bool {
        !text.isEmpty && text.allSatisfy(isDigit) && (text.count == 1 || text.first != UInt8(ascii: "0"))
    }

    private static func isIdentifier(_ text: ArraySlice<UInt8>) -> Bool {
        !text.isEmpty && text.allSatisfy { ($0 != UInt8(ascii: "_") && isNameByte($0)) || $0 == UInt8(ascii: "-") }
    }

    private static func isPrereleaseIdentifier(_ text: ArraySlice<UInt8>) -> Bool {
        text.allSatisfy(isDigit) ? isNumber(text) : isIdentifier(text)
    }
}

func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
}

/// The value of a hexadecimal digit of either case.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch Unicode.Scalar(byte) {
    case "0"..."9": byte - UInt8(ascii: "0")
    case "a"..."f": byte - UInt8(ascii: "a") + 10
    case "A"..."F": byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
