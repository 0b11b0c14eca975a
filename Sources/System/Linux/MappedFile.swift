internal import CLinux

/// A file's content as memory, read from disk where it is looked at. The file must not be shortened meanwhile.
@safe public final class MappedFile: @unchecked Sendable {
    // Never written to, so that all threads may read it.
    private let base: UnsafeRawPointer
    /// In bytes.
    public let count: Int

    /// Maps a regular file whole.
    ///
    /// - Throws: ``Errno/invalidArgument`` when it is empty, ``Errno/fileTooLarge`` when it has more than `limit` bytes.
    public init(_ file: Descriptor, limit: Int = 1 << 36) throws(Errno) {
        let size = try file.status().size
        guard size <= limit else { throw .fileTooLarge }
        count = Int(size)
        // SAFETY: a new mapping, undone only by deinit.
        let mapped = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, file.number, 0)
        guard let mapped = unsafe mapped, unsafe mapped != UnsafeMutableRawPointer(bitPattern: -1) else { throw Errno.last }
        unsafe base = UnsafeRawPointer(mapped)
    }

    deinit {
        // SAFETY: mapped by the initializer with this length.
        _ = unsafe munmap(UnsafeMutableRawPointer(mutating: base), count)
    }

    public subscript(_ position: Int) -> UInt8 {
        precondition(0..<count ~= position, "position outside the file")
        // SAFETY: inside the mapping.
        return unsafe base.load(fromByteOffset: position, as: UInt8.self)
    }

    /// A copy of a range, which must lie inside the file.
    public func bytes(in range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the file")
        // SAFETY: inside the mapping.
        return unsafe [UInt8](UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }
}
