import Files
import Linux

extension FileError {
    /// What a failed system call means to a client; OpenSSH's sftp-server sorts them so.
    init(_ errno: Errno) {
        switch errno {
        case .notFound, .notDirectory, .tooManyLinks: self.init(.noSuchFile)
        case .accessDenied, .notPermitted: self.init(.permissionDenied)
        case .crossesMount: self.init(.permissionDenied, "it is on another file system")
        case .exists: self.init(.exists, "the name is taken")
        case .tooLongName, .invalidArgument: self.init(.badMessage)
        default: self.init(.failure, errno.description)
        }
    }
}

/// Makes the error of a system call one that the client may see.
@discardableResult
func asking<Value>(_ body: () throws(Errno) -> Value) throws(FileError) -> Value {
    do throws(Errno) { return try body() } catch { throw FileError(error) }
}
