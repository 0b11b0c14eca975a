import Files

/// A line of the scp protocol (there is no standard; OpenSSH's scp.c is what everybody follows).
enum SCPRecord: Equatable {
    /// `C0644 299 name`
    case file(mode: UInt32, size: UInt64, name: [UInt8])
    /// `D0755 0 name`
    case directory(mode: UInt32, name: [UInt8])
    /// `E`
    case endOfDirectory
    /// `T1183828267 0 1183828267 0`: modified, accessed, each with microseconds
    case times(FileTimes)
    /// `\x01` and `\x02` with a text: the peer has met an error, or ends.
    case error([UInt8], isFatal: Bool)

    /// The longest record: mode, a size of 19 digits and a name.
    static let longest = 1024

    /// - Parameter line: without the line feed.
    init(_ line: ArraySlice<UInt8>) throws(ServiceError) {
        switch line.first {
        case UInt8(ascii: "C"):
            let (mode, size, name) = try Self.fields(line.dropFirst())
            self = .file(mode: mode, size: size, name: name)
        case UInt8(ascii: "D"):
            let (mode, _, name) = try Self.fields(line.dropFirst())
            self = .directory(mode: mode, name: name)
        case UInt8(ascii: "E") where line.count == 1: self = .endOfDirectory
        case UInt8(ascii: "T"): self = .times(try Self.times(line.dropFirst()))
        case 1, 2: self = .error(Array(line.dropFirst()), isFatal: line.first == 2)
        default: throw ServiceError("\"\(VisibleName.text(line))\" is no record of scp")
        }
    }

    /// `0644 299 name`: four octal digits, a decimal number, and all that is left.
    private static func fields(_ bytes: ArraySlice<UInt8>) throws(ServiceError) -> (UInt32, UInt64, [UInt8]) {
        let parts = bytes.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, let mode = number(parts[0], radix: 8), let size = number(parts[1], radix: 10) else {
            throw ServiceError("\"\(VisibleName.text(bytes))\" has no mode, size and name")
        }
        let name = Array(parts[2])
        // CVE-2018-20685, CVE-2019-6111: a name that is no name in this directory is where scp was led astray.
        do throws(FileError) { _ = try RemotePath.root.appending(name) } catch { throw ServiceError(error.text) }
        return (UInt32(mode), size, name)
    }

    private static func times(_ bytes: ArraySlice<UInt8>) throws(ServiceError) -> FileTimes {
        let numbers = bytes.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map { number($0, radix: 10) }
        guard numbers.count == 4, let modified = numbers[0], let accessed = numbers[2], numbers[1] != nil, numbers[3] != nil else {
            throw ServiceError("\"\(VisibleName.text(bytes))\" are no times")
        }
        // What SFTP can say too, and every file system keeps: a later time becomes the last of these.
        return FileTimes(accessed: Int64(min(accessed, UInt64(UInt32.max))), modified: Int64(min(modified, UInt64(UInt32.max))))
    }

    /// Digits only, at most 19 of them; below 2⁶³.
    private static func number(_ digits: ArraySlice<UInt8>, radix: UInt64) -> UInt64? {
        guard 1...19 ~= digits.count else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit, UInt64(digit) - 48 < radix else { return nil }
            value = value * radix + UInt64(digit) - 48
        }
        return value <= UInt64(Int64.max) ? value : nil
    }
}
