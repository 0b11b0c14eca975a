internal import CLinux

extension Descriptor {
    /// Writes once from the front of `bytes`.
    ///
    /// - Returns: how many bytes were taken, nil when none can be now.
    public func write(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int? {
        // SAFETY: the pointer is used only inside the closure.
        return try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(Errno) in
            guard let base = buffer.baseAddress else { return 0 }
            // SAFETY: write(2) reads at most `buffer.count` bytes, and the slice has that many.
            return try unlessBlocking { unsafe CLinux.write(number, base, buffer.count) }
        }
    }
}
