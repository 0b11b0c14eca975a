import Policy

/// The bytes of one source, so that a fault can show the line it stands in.
///
/// A class, because every region of a policy refers to the one copy.
public final class SourceFile: Sendable {
    /// As it is shown to people.
    public let name: String
    let bytes: [UInt8]
    /// The offset at which each line begins; the first is 0.
    private let lineStarts: [Int]

    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
        var starts = [0]
        for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
        lineStarts = starts
    }

    /// The line, from 0, that holds the byte at `offset`.
    func line(holding offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }

    /// The line at `index`, from 0, without its end.
    func content(ofLine index: Int) -> ArraySlice<UInt8> {
        let start = lineStarts[index]
        let end = index + 1 < lineStarts.count ? lineStarts[index + 1] - 1 : bytes.count
        return bytes[start..<end].last == UInt8(ascii: "\r") ? bytes[start..<end].dropLast() : bytes[start..<end]
    }

    /// The offset of a line and column, both from 1; a column past the end of its line is its end.
    func offset(line: Int, column: Int) -> Int {
        let index = min(max(line, 1), lineStarts.count) - 1
        return min(lineStarts[index] + max(column, 1) - 1, content(ofLine: index).endIndex)
    }

    func column(of offset: Int) -> Int {
        offset - lineStarts[line(holding: offset)] + 1
    }
}

/// A stretch of a source file: what a fault points at.
struct Region: Sendable {
    var file: SourceFile
    var range: Range<Int>

    init(_ file: SourceFile, _ range: Range<Int>) {
        self.file = file
        self.range = range
    }

    var position: SourcePosition {
        SourcePosition(
            file: file.name, line: file.line(holding: range.lowerBound) + 1, column: file.column(of: range.lowerBound))
    }
}

/// A value together with where it was written.
struct Located<Value: Sendable>: Sendable {
    var value: Value
    var region: Region

    init(_ value: Value, _ region: Region) {
        self.value = value
        self.region = region
    }
}

extension Region {
    /// The place of some bytes of a string's value, or all of it where escapes make them hard to find.
    func part(of text: String, _ bytes: Range<Int>) -> Region {
        let written = file.bytes[range]
        guard written.count == text.utf8.count + 2, written.dropFirst().dropLast().elementsEqual(text.utf8) else { return self }
        let start = range.lowerBound + 1 + bytes.lowerBound
        return Region(file, start..<max(start + 1, range.lowerBound + 1 + bytes.upperBound))
    }
}
