extension SourceFile {
    /// The lines of a file of keys, without the blanks around them; those that are empty or begin with `#` are none.
    var keyLines: [(line: ArraySlice<UInt8>, region: Region)] {
        var lines: [(ArraySlice<UInt8>, Region)] = []
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            let line = Self.trimmed(bytes[start..<end])
            if let first = line.first, first != UInt8(ascii: "#") { lines.append((line, Region(self, line.startIndex..<line.endIndex))) }
            start = end + 1
        }
        return lines
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
        var line = line.drop(while: isBlank)
        while let last = line.last, isBlank(last) { line = line.dropLast() }
        return line
    }
}
