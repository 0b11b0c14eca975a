import Files
import Linux

/// An amount of bytes and files.
struct Usage: Equatable {
    var bytes: UInt64 = 0
    var files: UInt64 = 0

    static func + (left: Usage, right: Usage) -> Usage {
        Usage(bytes: left.bytes.addingSaturated(right.bytes), files: left.files.addingSaturated(right.files))
    }
    /// Nothing less than nothing.
    static func - (left: Usage, right: Usage) -> Usage {
        Usage(bytes: left.bytes - min(left.bytes, right.bytes), files: left.files - min(left.files, right.files))
    }

    /// As a file holds it: two numbers of 64 bits, little-endian.
    var encoded: [UInt8] {
        [bytes, files].flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) } }
    }

    /// Nothing, where the file does not hold two numbers.
    init(reading file: Descriptor) throws(Errno) {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard try file.read(at: 0, into: &bytes, bytes.indices) == 16 else { return }
        self.bytes = bytes[..<8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        files = bytes[8...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    init(bytes: UInt64 = 0, files: UInt64 = 0) {
        self.bytes = bytes
        self.files = files
    }

    /// A directory has no bytes of its own: how many it takes is the file system's affair.
    init(of status: FileStatus) { self.init(bytes: status.kind == .directory ? 0 : UInt64(clamping: status.size), files: 1) }

    /// Of all that is beneath a directory, but for what is hidden in the root. Directories count as files.
    init(beneath root: Descriptor) throws(Errno) { try self.init(beneath: root, depth: 0) }

    private init(beneath directory: Descriptor, depth: Int) throws(Errno) {
        let reader = try DirectoryReader(directory)
        while let name = reader.next() {
            if DirectoryReader.isDots(name) || depth == 0 && name == HiddenDirectory.name { continue }
            do throws(Errno) {
                let status = try directory.status(of: name)
                self = self + Usage(of: status)
                guard status.kind == .directory, depth < RemotePath.depthLimit else { continue }
                self = self + (try Usage(beneath: try directory.openBeneath(name, .directory), depth: depth + 1))
            } catch where error == .notFound || error == .accessDenied || error == .crossesMount {
                // Gone meanwhile, or not ours to look into.
            }
        }
    }
}

extension UInt64 {
    fileprivate func addingSaturated(_ other: UInt64) -> UInt64 {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? .max : sum
    }
}
