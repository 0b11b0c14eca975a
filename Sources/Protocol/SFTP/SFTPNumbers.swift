/// The numbers of SFTP version 3 (draft-ietf-secsh-filexfer-02 §3, §5, §6, §7).
package enum PacketType {
    package static let initialize: UInt8 = 1
    package static let version: UInt8 = 2
    package static let open: UInt8 = 3
    package static let close: UInt8 = 4
    package static let read: UInt8 = 5
    package static let write: UInt8 = 6
    package static let lstat: UInt8 = 7
    package static let fstat: UInt8 = 8
    package static let setstat: UInt8 = 9
    package static let fsetstat: UInt8 = 10
    package static let opendir: UInt8 = 11
    package static let readdir: UInt8 = 12
    package static let remove: UInt8 = 13
    package static let mkdir: UInt8 = 14
    package static let rmdir: UInt8 = 15
    package static let realpath: UInt8 = 16
    package static let stat: UInt8 = 17
    package static let rename: UInt8 = 18
    package static let readlink: UInt8 = 19
    package static let symlink: UInt8 = 20
    package static let status: UInt8 = 101
    package static let handle: UInt8 = 102
    package static let data: UInt8 = 103
    package static let name: UInt8 = 104
    package static let attributes: UInt8 = 105
    package static let extended: UInt8 = 200
    package static let extendedReply: UInt8 = 201
}

/// The codes of a status (§7).
package enum StatusCode: UInt32 {
    case ok = 0
    case endOfFile, noSuchFile, permissionDenied, failure, badMessage, noConnection, connectionLost, unsupported

    /// What OpenSSH's sftp-server says with each.
    var text: String {
        switch self {
        case .ok: "Success"
        case .endOfFile: "End of file"
        case .noSuchFile: "No such file"
        case .permissionDenied: "Permission denied"
        case .failure: "Failure"
        case .badMessage: "Bad message"
        case .noConnection: "No connection"
        case .connectionLost: "Connection lost"
        case .unsupported: "Operation unsupported"
        }
    }
}

/// How a file is opened (§6.3).
package struct OpenBits: OptionSet {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let read = OpenBits(rawValue: 1)
    package static let write = OpenBits(rawValue: 2)
    package static let append = OpenBits(rawValue: 4)
    package static let create = OpenBits(rawValue: 8)
    package static let truncate = OpenBits(rawValue: 16)
    package static let exclusive = OpenBits(rawValue: 32)
}
