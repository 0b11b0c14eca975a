import Files
import Linux

/// What else a client may do to names.
extension Inbox {
    /// Times of what this connection has sent, and of everything for who may overwrite; modes likewise.
    mutating func change(_ path: RemotePath, _ change: AttributeChange) throws(FileError) {
        if let upload = uploads[path] { return try self.change(upload, change) }
        guard sent.contains(path) || may(.overwrite) else { throw FileError(.permissionDenied) }
        // A length and an owner are never changed in place.
        guard change.size == nil, !change.owner else { throw FileError(.permissionDenied) }
        let status = try status(path)
        guard status.kind == .file || status.kind == .directory else { throw FileError(.permissionDenied) }
        let file = try open(path, .nonBlocking)
        try asking { () throws(Errno) in
            if let mode = change.mode { try file.setMode(mode & 0o755 | (status.kind == .directory ? 0o700 : 0o600)) }
            if let times = change.times { try file.setTimes(accessed: times.accessed, modified: times.modified) }
        }
    }

    mutating func makeDirectory(_ path: RemotePath, mode: UInt32?) throws(FileError) {
        try require(.makeDirectory)
        guard !path.isWithin(HiddenDirectory.name) else { throw FileError(.permissionDenied, "the name is reserved") }
        let (parent, name) = try place(path)
        let one = Usage(files: 1)
        let quota = try taking().quota
        try quota?.reserve(one)
        do throws(FileError) {
            try asking { () throws(Errno) in try parent.makeDirectory(name, mode: (mode ?? 0o755) & 0o755 | 0o700) }
        } catch {
            quota?.release(one)
            throw error
        }
        try quota?.settle(one)
        if sent.count < Self.mostSent { sent.insert(path) }
    }

    mutating func removeDirectory(_ path: RemotePath) throws(FileError) {
        try require(.delete)
        let (parent, name) = try place(path)
        guard !path.isWithin(HiddenDirectory.name) else { throw FileError(.noSuchFile) }
        try asking { () throws(Errno) in try parent.remove(name, isDirectory: true) }
        sent.remove(path)
        try taking().quota?.remove(Usage(files: 1))
    }

    mutating func remove(_ path: RemotePath) throws(FileError) {
        try require(.delete)
        let (parent, name) = try place(path)
        let status = try status(path)
        try asking { () throws(Errno) in try parent.remove(name) }
        sent.remove(path)
        try taking().quota?.remove(Usage(bytes: UInt64(clamping: status.size), files: 1))
    }

    mutating func rename(_ path: RemotePath, to other: RemotePath, replacing: Bool) throws(FileError) {
        try require(.rename)
        let status = try status(path)
        let (parent, name) = try place(path)
        if status.kind != .directory { try checkName(other) }
        guard !other.isWithin(HiddenDirectory.name) else { throw FileError(.permissionDenied, "the name is reserved") }
        let (newParent, newName) = try place(other)
        // Without the right to overwrite nothing is replaced, whatever the client asks for.
        let replaces = replacing && may(.overwrite)
        var replaced = Usage()
        if replaces {
            do throws(FileError) { replaced = Usage(bytes: UInt64(clamping: try self.status(other).size), files: 1) } catch {}
        }
        try asking { () throws(Errno) in
            try parent.rename(name, to: newName, in: newParent, replacing: replaces)
            try newParent.synchronize()
        }
        if sent.remove(path) != nil { sent.insert(other) }
        if replaced != Usage(), path != other { try taking().quota?.remove(replaced) }
    }
}
