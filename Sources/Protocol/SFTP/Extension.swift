import Files
import SSHWire

/// What is served beyond version 3 (OpenSSH PROTOCOL §4; draft-ietf-secsh-filexfer-extensions-00 for home-directory).
enum Extension: String {
    case posixRename = "posix-rename@openssh.com"
    case statvfs = "statvfs@openssh.com"
    case fstatvfs = "fstatvfs@openssh.com"
    case fsync = "fsync@openssh.com"
    case limits = "limits@openssh.com"
    case expandPath = "expand-path@openssh.com"
    case homeDirectory = "home-directory"

    static let offered: [(Extension, version: String)] = [
        (.posixRename, "1"), (.statvfs, "2"), (.fstatvfs, "2"), (.fsync, "1"), (.limits, "1"), (.expandPath, "1"), (.homeDirectory, "1"),
    ]
    /// Bytes of data that are read or written at once; OpenSSH keeps as much for the head.
    static let mostData = ServiceLimit.packet - 1024
    /// Names in one answer, which stays below the limit of a packet.
    static let mostNames = 100
}

extension SFTPServer {
    mutating func extended(_ request: inout Request) throws(RequestError) {
        let name = try request.wire { (reader) throws(WireError) in try reader.string(limit: ServiceLimit.packet) }
        switch Extension(rawValue: String(decoding: name, as: UTF8.self)) {
        case .posixRename: try rename(&request, replacing: true)
        case .fsync: try fsync(&request)
        case .limits: try limits(&request)
        case .statvfs:
            _ = try request.path()
            try space(&request)
        case .fstatvfs:
            _ = try handleBytes(&request)
            try space(&request)
        case .expandPath: try expandPath(&request)
        case .homeDirectory:
            _ = try request.path()
            try request.finish()
            send(path: RemotePath.root.bytes, for: request.id)
        case nil: send(.unsupported, for: request.id)
        }
    }

    private mutating func fsync(_ request: inout Request) throws(RequestError) {
        let handle = handles[try handleBytes(&request)]
        try request.finish()
        guard case .upload(let upload, let path) = handle else { throw .file(FileError(.failure)) }
        try mending(path) { (files) throws(FileError) in try files.synchronize(upload) }
        send(.ok, for: request.id)
    }

    private mutating func limits(_ request: inout Request) throws(RequestError) {
        try request.finish()
        var writer = WireWriter()
        writer.byte(PacketType.extendedReply)
        writer.uint32(request.id)
        for limit in [ServiceLimit.packet, Extension.mostData, Extension.mostData, HandleTable<Files>.limit] { writer.uint64(UInt64(limit)) }
        send(writer)
    }

    /// struct statvfs: its sizes are in blocks of 4 KiB.
    private mutating func space(_ request: inout Request) throws(RequestError) {
        try request.finish()
        let space: FileSpace
        do throws(FileError) { space = try files.space() } catch { throw .file(error) }
        let block: UInt64 = 4096
        var writer = WireWriter()
        writer.byte(PacketType.extendedReply)
        writer.uint32(request.id)
        // f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, f_files, f_ffree, f_favail, f_fsid, f_flag (ST_NOSUID), f_namemax
        let numbers = [
            block, block, space.total / block, space.free / block, space.free / block, space.totalFiles, space.freeFiles, space.freeFiles,
            0, 2, UInt64(RemotePath.nameLimit),
        ]
        for number in numbers { writer.uint64(number) }
        send(writer)
    }

    /// `~` is the root, and so is a path that begins with it; other users have none here.
    private mutating func expandPath(_ request: inout Request) throws(RequestError) {
        let bytes = try request.wire { (reader) throws(WireError) in try reader.string(limit: ServiceLimit.packet) }
        try request.finish()
        do throws(FileError) {
            send(path: try RemotePath(expanding: bytes).bytes, for: request.id)
        } catch { throw .file(error) }
    }
}
