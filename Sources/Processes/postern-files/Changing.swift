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
        try checkIsFree(path)
        let (parent, name) = try place(path)
        let one = Usage(files: 1)
        let quota = try taking().quota
        let make = { () throws(FileError) in try asking { () throws(Errno) in try parent.makeDirectory(name, mode: (mode ?? 0o755) & 0o755 | 0o700) } }
        if let quota {
            try quota.reserve(one)
            try quota.settle(one, replacing: { Usage() }, make)
        } else {
            try make()
        }
        if sent.count < Self.mostSent { sent.insert(path) }
    }

    mutating func removeDirectory(_ path: RemotePath) throws(FileError) {
        try require(.delete)
        let (parent, name) = try place(path)
        try checkIsShown(path)
        try counting(try taking().quota) { () throws(FileError) in
            try asking { () throws(Errno) in try parent.remove(name, isDirectory: true) }
            return Usage(files: 1)
        }
        sent.remove(path)
    }

    /// Does what takes something away, and counts it as taken away in the same step: another sender may count anew at any moment.
    private func counting(_ quota: Quota?, _ body: () throws(FileError) -> Usage) throws(FileError) {
        if let quota { try quota.removing(body) } else { _ = try body() }
    }

    mutating func remove(_ path: RemotePath) throws(FileError) {
        try require(.delete)
        let (parent, name) = try place(path)
        try counting(try taking().quota) { () throws(FileError) in
            let usage = Usage(of: try asking { () throws(Errno) in try parent.status(of: name) })
            try asking { () throws(Errno) in try parent.remove(name) }
            return usage
        }
        sent.remove(path)
    }

    mutating func rename(_ path: RemotePath, to other: RemotePath, replacing: Bool) throws(FileError) {
        try require(.rename)
        let status = try status(path)
        let (parent, name) = try place(path)
        let isDirectory = status.kind == .directory
        if isDirectory {
            // What is on its way in would be recorded under a name that it does not have.
            guard !uploads.keys.contains(where: { $0.isWithin(path.relative) }) else { throw FileError(.failure, "a file is being sent into it") }
            let directory = try open(path, .directory)
            let levels = RemotePath.depthLimit - other.components.count
            guard try asking({ () throws(Errno) in try !Self.isHigher(directory, than: levels) }) else {
                throw FileError(.failure, "what is in it would be too deep")
            }
        } else {
            try checkName(other)
        }
        try checkIsFree(other)
        let (newParent, newName) = try place(other)
        // Without the right to overwrite nothing is replaced, whatever the client asks for.
        let replaces = replacing && may(.overwrite)
        // A name that ends so is a directory's: what is a file by now is not moved as if it were none.
        let from = isDirectory ? name + [UInt8(ascii: "/")] : name
        try counting(try taking().quota) { () throws(FileError) in
            let replaced = replaces && path != other ? self.usage(of: newName, in: newParent) : Usage()
            try asking { () throws(Errno) in try parent.rename(from, to: newName, in: newParent, replacing: replaces) }
            return replaced
        }
        try asking { () throws(Errno) in try newParent.synchronize() }
        sent = Set(sent.map { $0.moved(from: path, to: other) })
    }

    /// What is there under a name; nothing where there is nothing.
    func usage(of name: [UInt8], in parent: Descriptor) -> Usage {
        do throws(Errno) { return Usage(of: try parent.status(of: name)) } catch { return Usage() }
    }

    /// Whether something is more than `levels` below a directory.
    private static func isHigher(_ directory: Descriptor, than levels: Int) throws(Errno) -> Bool {
        let reader = try DirectoryReader(directory)
        while let name = reader.next() {
            if DirectoryReader.isDots(name) { continue }
            if levels < 1 { return true }
            guard try directory.status(of: name).kind == .directory else { continue }
            if try isHigher(try directory.openBeneath(name, .directory), than: levels - 1) { return true }
        }
        return false
    }
}
