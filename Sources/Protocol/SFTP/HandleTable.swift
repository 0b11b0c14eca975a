import Files

/// What a client has open. A number is given out once.
struct HandleTable<System: FileSystem> {
    enum Handle {
        case download(System.Download)
        case upload(System.Upload, RemotePath)
        case listing(System.Listing)
    }

    /// Each may hold a descriptor.
    static var limit: Int { 100 }

    private var handles: [UInt32: Handle] = [:]
    private var next: UInt32 = 0

    var all: [Handle] { Array(handles.values) }
    var isFull: Bool { handles.count >= Self.limit }

    mutating func add(_ handle: Handle) -> UInt32 {
        precondition(!isFull, "more handles than there may be")
        defer { next += 1 }
        handles[next] = handle
        return next
    }

    subscript(bytes: ArraySlice<UInt8>) -> Handle? { Self.number(bytes).flatMap { handles[$0] } }

    mutating func remove(_ bytes: ArraySlice<UInt8>) -> Handle? { Self.number(bytes).flatMap { handles.removeValue(forKey: $0) } }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        bytes.count == 4 ? bytes.reduce(0) { $0 << 8 | UInt32($1) } : nil
    }
}
