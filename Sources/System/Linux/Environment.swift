internal import CLinux

/// The environment this process was started with. Not to be used by several threads while one changes it.
public enum Environment {
    /// The value of a variable, nil when it is not set.
    public static func value(of name: String) -> String? {
        // SAFETY: getenv(3) returns nil or a string that ends with a NUL and is copied here.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// All of it, as `NAME=value`, in the order it was given.
    public static var entries: [String] {
        var found: [String] = []
        // SAFETY: environ(7) is a table of strings that ends with nil.
        guard var next = unsafe postern_environment() else { return [] }
        while let entry = unsafe next.pointee {
            unsafe found.append(String(cString: entry))
            unsafe next += 1
        }
        return found
    }

    public static func remove(_ name: String) {
        // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
        _ = unsafe unsetenv(name)
    }
}

/// Takes the sockets that a service manager passes (sd_listen_fds(3)): none when they are meant for another process.
public func takeListenDescriptors() throws(Errno) -> [Descriptor] {
    defer { for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { Environment.remove(name) } }
    guard Environment.value(of: "LISTEN_PID") == String(processID) else { return [] }
    guard let text = Environment.value(of: "LISTEN_FDS") else { return [] }
    guard let count = Int32(text), 0...maxListenDescriptors ~= count else { throw .invalidArgument }
    var taken: [Descriptor] = []
    for number in 3..<3 + count {
        guard postern_fcntl(number, F_GETFD, 0) >= 0 else { throw .badDescriptor }
        let descriptor = Descriptor(owning: number)
        try descriptor.setCloseOnExec()
        taken.append(descriptor)
    }
    return taken
}

/// More sockets than this nobody configures.
private let maxListenDescriptors: Int32 = 64
