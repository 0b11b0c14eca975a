/// The numbers of SFTP version 3 (draft-ietf-secsh-filexfer-02 §3, §5, §6, §7).
enum PacketType {
    static let initialize: UInt8 = 1
    static let version: UInt8 = 2
    static let open: UInt8 = 3
    static let close: UInt8 = 4
    static let read: UInt8 = 5
    static let write: UInt8 = 6
    static let lstat: UInt8 = 7
    static let fstat: UInt8 = 8
    static let setstat: UInt8 = 9
    static let fsetstat: UInt8 = 10
    static let opendir: UInt8 = 11
    static let readdir: UInt8 = 12
    static let remove: UInt8 = 13
    static let mkdir: UInt8 = 14
    static let rmdir: UInt8 = 15
    static let realpath: UInt8 = 16
    static let stat: UInt8 = 17
    static let rename: UInt8 = 18
    static let readlink: UInt8 = 19
    static let symlink: UInt8 = 20
    static let status: UInt8 = 101
    static let handle: UInt8 = 102
    static let data: UInt8 = 103
    static let name: UInt8 = 104
    static let attributes: UInt8 = 105
    static let extended: UInt8 = 200
    static let extendedReply: UInt8 = 201
}

/// The codes of a status (§7).
enum StatusCode: UInt32 {
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
struct OpenBits: OptionSet {
    let rawValue: UInt32
    static let read = OpenBits(rawValue: 1)
    static let write = OpenBits(rawValue: 2)
    static let append = OpenBits(rawValue: 4)
    static let create = OpenBits(rawValue: 8)
    static let truncate = OpenBits(rawValue: 16)
    static let exclusive = OpenBits(rawValue: 32)
}
