internal import CLinux

/// Why a system call failed.
public struct Errno: Error, Hashable, Sendable, CustomStringConvertible {
    /// The value of errno(3).
    public let number: Int32

    public init(_ number: Int32) { self.number = number }

    /// What the last call of this thread left behind.
    public static var last: Errno { Errno(postern_errno()) }

    /// In words, as "no such file or directory".
    public var description: String {
        // SAFETY: strerrordesc_np(3) returns nil or a constant string that ends with a NUL.
        guard let text = unsafe strerrordesc_np(number) else { return "error \(number)" }
        // SAFETY: as above.
        let words = unsafe String(cString: text)
        return words.prefix(1).lowercased() + words.dropFirst()
    }

    public static let notPermitted = Errno(EPERM)
    public static let notFound = Errno(ENOENT)
    public static let noProcess = Errno(ESRCH)
    public static let interrupted = Errno(EINTR)
    public static let badDescriptor = Errno(EBADF)
    public static let noChild = Errno(ECHILD)
    public static let wouldBlock = Errno(EAGAIN)
    public static let outOfMemory = Errno(ENOMEM)
    public static let accessDenied = Errno(EACCES)
    public static let exists = Errno(EEXIST)
    public static let notDirectory = Errno(ENOTDIR)
    public static let isDirectory = Errno(EISDIR)
    public static let invalidArgument = Errno(EINVAL)
    public static let tooManyOpenFiles = Errno(EMFILE)
    public static let tooManyOpenFilesInSystem = Errno(ENFILE)
    public static let fileTooLarge = Errno(EFBIG)
    public static let noSpace = Errno(ENOSPC)
    public static let brokenPipe = Errno(EPIPE)
    public static let tooManyLinks = Errno(ELOOP)
    public static let notImplemented = Errno(ENOSYS)
    public static let connectionAborted = Errno(ECONNABORTED)
    public static let connectionReset = Errno(ECONNRESET)
    public static let connectionRefused = Errno(ECONNREFUSED)
    public static let notConnected = Errno(ENOTCONN)
    public static let addressInUse = Errno(EADDRINUSE)
    public static let addressNotAvailable = Errno(EADDRNOTAVAIL)
    public static let notTerminal = Errno(ENOTTY)
    public static let badExecutable = Errno(ENOEXEC)
}

/// Makes a call again while a signal interrupts it, and turns its -1 into an error.
@discardableResult
func checked<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let error = Errno.last
        if error != .interrupted { throw error }
    }
}

/// As ``checked(_:)``, with nil where the call would have to wait.
func unlessBlocking<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result? {
    do {
        return try checked(call)
    } catch .wouldBlock {
        return nil
    }
}
