import Linux

/// Reads lines of a file that may be very big, or still grow, in little memory.
struct LogReader {
    private var file: Descriptor
    /// Where it is followed; nil: a stream.
    private let path: String?
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    private var line: [UInt8] = []
    private var isTooLong = false

    /// More of one line is not kept: the longest records are those of the journal.
    static let longestLine = 2 << 20
    /// Between two looks at a file that is followed.
    private static let pause: Duration = .milliseconds(200)

    /// - Parameter path: `-` is standard input.
    init(_ path: String) throws(Failure) {
        self.path = path == "-" ? nil : path
        file = path == "-" ? .standardInput : try Self.open(path)
    }

    private static func open(_ path: String) throws(Failure) -> Descriptor {
        do throws(Errno) { return try openFile(path) } catch { throw Failure("\"\(path)\" cannot be read: \(error)") }
    }

    /// Calls `take` for each line to the end; then, if it follows, for those that come, also after the file was moved away.
    mutating func read(following: Bool, _ take: (LogLine) throws(Failure) -> Void) throws(Failure) {
        while true {
            try readToEnd(take)
            guard following, let path else { break }
            try follow(path, take)
        }
        // What a writer did not finish, or has not yet.
        if !line.isEmpty { try end(take) }
    }

    /// Waits for more, and changes over to the file that has the name now.
    private mutating func follow(_ path: String, _ take: (LogLine) throws(Failure) -> Void) throws(Failure) {
        let (isCut, next): (Bool, Descriptor?)
        do throws(Errno) {
            var nothing = PollSet()
            _ = try nothing.wait(timeout: Self.pause)
            (isCut, next) = (try file.status().size < file.offset(), try Self.successor(of: file, path))
            // Cut to nothing and written anew, as by copytruncate.
            if isCut { try file.rewind() }
        } catch {
            throw Failure("\"\(path)\" cannot be read: \(error)")
        }
        if isCut { line = [] }
        guard let next else { return }
        // Whoever had the old one open may have written a last record.
        try readToEnd(take)
        if !line.isEmpty { try end(take) }
        file = next
    }

    /// The file that has the name now; nil if it is the same, or there is none, as between two.
    private static func successor(of file: Descriptor, _ path: String) throws(Errno) -> Descriptor? {
        do throws(Errno) {
            let next = try openFile(path)
            let (old, new) = (try file.status(), try next.status())
            return (old.inode, old.device) == (new.inode, new.device) ? nil : next
        } catch .notFound {
            return nil
        }
    }

    private mutating func readToEnd(_ take: (LogLine) throws(Failure) -> Void) throws(Failure) {
        while true {
            let count: Int
            do throws(Errno) {
                count = try file.read(into: &buffer, buffer.indices) ?? 0
            } catch {
                throw Failure("the log cannot be read: \(error)")
            }
            if count == 0 { return }
            var rest = buffer[..<count]
            while let feed = rest.firstIndex(of: 0x0a) {
                add(rest[..<feed])
                rest = rest[(feed + 1)...]
                try end(take)
            }
            add(rest)
        }
    }

    private mutating func add(_ part: ArraySlice<UInt8>) {
        if line.count + part.count > Self.longestLine { isTooLong = true }
        line += part.prefix(max(0, Self.longestLine - line.count))
    }

    private mutating func end(_ take: (LogLine) throws(Failure) -> Void) throws(Failure) {
        let whole = isTooLong ? LogLine.broken(line) : LogLine(line)
        line.removeAll(keepingCapacity: line.count < 1 << 16)
        isTooLong = false
        try take(whole)
    }
}
