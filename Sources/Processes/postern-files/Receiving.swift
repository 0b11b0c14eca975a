import Files
import Linux

/// Uploads: a file appears under its name only when it is whole and on disk (DESIGN §4.2).
extension Inbox {
    mutating func openUpload(_ path: RemotePath, _ options: UploadOptions, mode: UInt32?) throws(FileError) -> UploadFile {
        try require(.upload)
        let (parent, name) = try place(path)
        try checkName(path)
        let isThere = try exists(name, in: parent)
        if isThere {
            guard may(.overwrite), !options.contains(.exclusive) else { throw FileError(.exists, "the name is taken") }
            // What is there is replaced whole: it cannot be added to.
            guard !options.contains(.append) else { throw FileError(.unsupported, "a file cannot be continued") }
        } else if !options.contains(.create) {
            throw FileError(.noSuchFile)
        }
        let storage = try taking()
        let reserved = Usage(files: 1)
        try storage.quota?.reserve(reserved)
        do throws(FileError) {
            let (file, hiddenName) = try Self.openNew(in: storage.hidden)
            let upload = UploadFile(
                path, file, in: parent, hiddenName: hiddenName, mustBeWhole: isThere && !options.contains(.truncate),
                mode: Self.mode(mode ?? 0o644), reserved: reserved)
            uploads[path] = upload
            return upload
        } catch {
            storage.quota?.release(reserved)
            throw error
        }
    }

    private func exists(_ name: [UInt8], in parent: Descriptor) throws(FileError) -> Bool {
        do throws(Errno) {
            _ = try parent.status(of: name)
            return true
        } catch .notFound {
            return false
        } catch {
            throw FileError(error)
        }
    }

    /// A file without a name; where the file system has none, with a hidden one.
    private static func openNew(in hidden: HiddenDirectory) throws(FileError) -> (Descriptor, [UInt8]?) {
        do throws(Errno) {
            return (try hidden.directory.openUnnamed(mode: 0o600), nil)
        } catch where error == .notSupported || error == .isDirectory || error == .invalidArgument || error == .notFound {
            let name = hidden.freshName()
            let file = try asking { () throws(Errno) in
                try hidden.directory.openBeneath(name, [.readWrite, .create, .exclusive], mode: 0o600)
            }
            return (file, name)
        } catch {
            throw FileError(error)
        }
    }

    /// Its owner can always read and write it, the group and others never write it, and it never runs as somebody else.
    private static func mode(_ wanted: UInt32) -> UInt32 { wanted & 0o755 | 0o600 }

    func attributes(of upload: UploadFile) throws(FileError) -> FileAttributes {
        var attributes = FileAttributes(try asking { () throws(Errno) in try upload.file.status() })
        attributes.mode = upload.mode
        return attributes
    }

    mutating func write(_ upload: UploadFile, at offset: UInt64, _ bytes: ArraySlice<UInt8>) throws(FileError) {
        let (end, isOver) = offset.addingReportingOverflow(UInt64(bytes.count))
        guard !isOver else { throw FileError(.failure, "the file is too large") }
        try upload.step { () throws(FileError) in
            try makeRoom(for: upload, upTo: end)
            try upload.write(bytes, at: offset)
        }
    }

    private mutating func makeRoom(for upload: UploadFile, upTo end: UInt64) throws(FileError) {
        if let limit = settings.maxFile, end > limit { throw FileError(.failure, "a file may have at most \(limit) bytes") }
        guard end > upload.reserved.bytes, let quota = try taking().quota else { return }
        let more = Usage(bytes: end - upload.reserved.bytes)
        try quota.reserve(more)
        upload.reserved = upload.reserved + more
    }

    mutating func change(_ upload: UploadFile, _ change: AttributeChange) throws(FileError) {
        if change.owner { throw FileError(.permissionDenied) }
        if let size = change.size {
            try upload.step { () throws(FileError) in
                try makeRoom(for: upload, upTo: size)
                try upload.setLength(size)
            }
        }
        if let mode = change.mode { upload.mode = Self.mode(mode) }
        if let times = change.times { upload.times = times }
    }

    func synchronize(_ upload: UploadFile) throws(FileError) { try upload.step { () throws(FileError) in try asking(upload.synchronize) } }

    func prepare(_ upload: UploadFile) { upload.prepare() }

    /// Neither seen nor open any more.
    private mutating func forget(_ upload: UploadFile) {
        if uploads[upload.path] === upload { uploads[upload.path] = nil }
    }

    mutating func discard(_ upload: UploadFile) {
        forget(upload)
        if let hidden = storage?.hidden { removeHidden(upload, hidden) }
        storage?.quota?.release(upload.reserved)
        upload.reserved = Usage()
    }

    private func removeHidden(_ upload: UploadFile, _ hidden: HiddenDirectory) {
        for name in [upload.hiddenName, upload.checked?.name].compactMap(\.self) { hidden.removeUpload(name) }
        upload.hiddenName = nil
        upload.checked = nil
    }

    // MARK: - The end

    mutating func publish(_ upload: UploadFile) throws(FileError) {
        do throws(FileError) {
            if let fault = upload.fault { throw FileError(fault.kind) }
            guard upload.isWhole else { throw FileError(.unsupported, "a file cannot be continued") }
            try asking(upload.synchronize)
            let sha256 = try upload.sha256()
            if settings.isVerified { try verify(upload) }
            try appear(upload)
            forget(upload)
            if sent.count < Self.mostSent { sent.insert(upload.path) }
            try reporter.received(upload.path, size: upload.size, sha256: sha256)
        } catch {
            discard(upload)
            throw error
        }
    }

    /// Has the file looked at under its own name, in a hidden directory of its own.
    private mutating func verify(_ upload: UploadFile) throws(FileError) {
        let hidden = try taking().hidden
        let name = hidden.freshName()
        try asking { () throws(Errno) in
            try hidden.directory.makeDirectory(name, mode: 0o700)
            let directory = try hidden.directory.openBeneath(name, .directory)
            upload.checked = (directory, name)
            if let own = upload.hiddenName {
                try hidden.directory.link(own, to: upload.path.name, in: directory)
            } else {
                try upload.file.link(to: upload.path.name, in: directory)
            }
        }
        try reporter.check(HiddenDirectory.name + [UInt8(ascii: "/")] + name + [UInt8(ascii: "/")] + upload.path.name)
    }

    private mutating func appear(_ upload: UploadFile) throws(FileError) {
        let storage = try taking()
        if let quota = storage.quota {
            let exact = Usage(bytes: upload.size, files: 1)
            if upload.reserved.bytes > exact.bytes { quota.release(Usage(bytes: upload.reserved.bytes - exact.bytes)) }
            upload.reserved = Usage()
            let replaced = { may(.overwrite) ? usage(of: upload.path.name, in: upload.parent) : Usage() }
            try quota.settle(exact, replacing: replaced) { () throws(FileError) in try name(upload, storage.hidden) }
        } else {
            try name(upload, storage.hidden)
        }
        try asking { () throws(Errno) in try upload.parent.synchronize() }
        removeHidden(upload, storage.hidden)
    }

    /// Gives a file the name under which it is seen.
    private func name(_ upload: UploadFile, _ hidden: HiddenDirectory) throws(FileError) {
        try asking { () throws(Errno) in
            switch (upload.checked?.directory, upload.hiddenName) {
            case (let directory?, _): try Self.move(upload.path.name, in: directory, to: upload, replacing: may(.overwrite))
            case (nil, let name?): try Self.move(name, in: hidden.directory, to: upload, replacing: may(.overwrite))
            case (nil, nil): try link(upload, hidden)
            }
        }
    }

    /// Gives a file without a name its own.
    private func link(_ upload: UploadFile, _ hidden: HiddenDirectory) throws(Errno) {
        do throws(Errno) {
            try upload.file.link(to: upload.path.name, in: upload.parent)
        } catch where error == .exists && may(.overwrite) {
            // A rename replaces what is there in one step, and so needs a hidden name.
            let name = hidden.freshName()
            try upload.file.link(to: name, in: hidden.directory)
            upload.hiddenName = name
            try Self.move(name, in: hidden.directory, to: upload, replacing: true)
        }
    }

    private static func move(_ name: [UInt8], in directory: Descriptor, to upload: UploadFile, replacing: Bool) throws(Errno) {
        if replacing {
            try directory.rename(name, to: upload.path.name, in: upload.parent, replacing: true)
        } else {
            try directory.link(name, to: upload.path.name, in: upload.parent)
        }
    }
}
