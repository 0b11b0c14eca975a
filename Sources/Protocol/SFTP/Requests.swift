import Files
import SSHWire

/// What each packet asks for (draft-ietf-secsh-filexfer-02 §6).
extension SFTPServer {
    mutating func answer(_ request: inout Request) throws(RequestError) {
        switch request.type {
        case PacketType.open: try open(&request)
        case PacketType.close: try close(&request)
        case PacketType.read: try read(&request)
        case PacketType.write: try write(&request)
        case PacketType.stat, PacketType.lstat: try stat(&request)
        case PacketType.fstat: try fstat(&request)
        case PacketType.setstat: try setstat(&request)
        case PacketType.fsetstat: try fsetstat(&request)
        case PacketType.opendir: try opendir(&request)
        case PacketType.readdir: try readdir(&request)
        case PacketType.remove: try change(&request, { (files, path) throws(FileError) in try files.remove(path) })
        case PacketType.mkdir: try mkdir(&request)
        case PacketType.rmdir: try change(&request, { (files, path) throws(FileError) in try files.removeDirectory(path) })
        case PacketType.realpath: try realpath(&request)
        case PacketType.rename: try rename(&request, replacing: false)
        case PacketType.extended: try extended(&request)
        default: send(.unsupported, for: request.id)
        }
    }

    // MARK: - Open files

    private mutating func open(_ request: inout Request) throws(RequestError) {
        let path = try request.path()
        let bits = OpenBits(rawValue: try request.wire { (reader) throws(WireError) in try reader.uint32() })
        let change = try request.wire { (reader) throws(WireError) in try AttributeChange(reading: &reader) }
        try request.finish()
        try checkRoom()
        guard bits.contains(.write) else {
            guard bits.contains(.read) else { throw .file(FileError(.badMessage)) }
            let download = try mending(path) { (files) throws(FileError) in try files.openDownload(path) }
            return send(handle: handles.add(.download(download)), for: request.id)
        }
        var options: UploadOptions = []
        if bits.contains(.create) { options.insert(.create) }
        if bits.contains(.truncate) { options.insert(.truncate) }
        if bits.contains(.exclusive) { options.insert(.exclusive) }
        if bits.contains(.append) { options.insert(.append) }
        let upload = try mending(path) { (files) throws(FileError) in try files.openUpload(path, options, mode: change.mode) }
        send(handle: handles.add(.upload(upload, path)), for: request.id)
    }

    private mutating func close(_ request: inout Request) throws(RequestError) {
        let handle = handles.remove(try handleBytes(&request))
        try request.finish()
        changed = nil
        switch handle {
        case .upload(let upload, let path): try mending(path) { (files) throws(FileError) in try files.publish(upload) }
        case .download, .listing: break
        case nil: throw .file(FileError(.noSuchFile))
        }
        send(.ok, for: request.id)
    }

    private mutating func read(_ request: inout Request) throws(RequestError) {
        let handle = handles[try handleBytes(&request)]
        let offset = try request.wire { (reader) throws(WireError) in try reader.uint64() }
        let length = try request.wire { (reader) throws(WireError) in try reader.uint32() }
        try request.finish()
        guard case .download(let download) = handle else { throw .file(FileError(.failure)) }
        // The head is filled in when the length is known: the data is read to where it is sent from.
        let start = output.count
        output += [UInt8](repeating: 0, count: 13)
        do throws(FileError) {
            try files.read(download, at: offset, count: min(Int(length), Extension.mostData), into: &output)
        } catch {
            output.removeSubrange(start...)
            throw .file(error)
        }
        let count = output.count - start - 13
        guard count > 0 else {
            output.removeSubrange(start...)
            return send(.endOfFile, for: request.id)
        }
        var head = WireWriter()
        head.uint32(UInt32(count + 9))
        head.byte(PacketType.data)
        head.uint32(request.id)
        head.uint32(UInt32(count))
        output.replaceSubrange(start..<start + 13, with: head.bytes)
    }

    private mutating func write(_ request: inout Request) throws(RequestError) {
        let handle = handles[try handleBytes(&request)]
        let offset = try request.wire { (reader) throws(WireError) in try reader.uint64() }
        let data = try request.wire { (reader) throws(WireError) in try reader.stringRange(limit: ServiceLimit.packet) }
        try request.finish()
        guard case .upload(let upload, let path) = handle else { throw .file(FileError(.failure)) }
        let bytes = request.bytes
        try mending(path) { (files) throws(FileError) in try files.write(upload, at: offset, bytes[data]) }
        changed = upload
        send(.ok, for: request.id)
    }

    private mutating func fstat(_ request: inout Request) throws(RequestError) {
        let handle = handles[try handleBytes(&request)]
        try request.finish()
        let attributes: FileAttributes
        do throws(FileError) {
            switch handle {
            case .download(let download): attributes = try files.attributes(of: download)
            case .upload(let upload, _): attributes = try files.attributes(of: upload)
            case .listing, nil: throw FileError(.failure)
            }
        } catch { throw .file(error) }
        send(attributes, for: request.id)
    }

    private mutating func fsetstat(_ request: inout Request) throws(RequestError) {
        let handle = handles[try handleBytes(&request)]
        let change = try request.wire { (reader) throws(WireError) in try AttributeChange(reading: &reader) }
        try request.finish()
        guard case .upload(let upload, let path) = handle else { throw .file(FileError(.permissionDenied)) }
        try mending(path) { (files) throws(FileError) in try files.change(upload, change) }
        changed = upload
        send(.ok, for: request.id)
    }

    // MARK: - Names

    private mutating func stat(_ request: inout Request) throws(RequestError) {
        let path = try request.path()
        try request.finish()
        let attributes: FileAttributes
        do throws(FileError) { attributes = try files.attributes(of: path) } catch { throw .file(error) }
        send(attributes, for: request.id)
    }

    private mutating func setstat(_ request: inout Request) throws(RequestError) {
        let path = try request.path()
        let change = try request.wire { (reader) throws(WireError) in try AttributeChange(reading: &reader) }
        try request.finish()
        try mending(path) { (files) throws(FileError) in try files.change(path, change) }
        send(.ok, for: request.id)
    }

    private mutating func opendir(_ request: inout Request) throws(RequestError) {
        let path = try request.path()
        try request.finish()
        try checkRoom()
        let listing = try mending(path) { (files) throws(FileError) in try files.openListing(path) }
        send(handle: handles.add(.listing(listing)), for: request.id)
    }

    private mutating func readdir(_ request: inout Request) throws(RequestError) {
        let handle = handles[try handleBytes(&request)]
        try request.finish()
        guard case .listing(let listing) = handle else { throw .file(FileError(.failure)) }
        let entries: [DirectoryEntry]
        do throws(FileError) { entries = try files.entries(of: listing, limit: Extension.mostNames) } catch { throw .file(error) }
        if entries.isEmpty { send(.endOfFile, for: request.id) } else { send(entries, for: request.id) }
    }

    private mutating func mkdir(_ request: inout Request) throws(RequestError) {
        let path = try request.path()
        let change = try request.wire { (reader) throws(WireError) in try AttributeChange(reading: &reader) }
        try request.finish()
        try mending(path) { (files) throws(FileError) in try files.makeDirectory(path, mode: change.mode) }
        send(.ok, for: request.id)
    }

    private mutating func realpath(_ request: inout Request) throws(RequestError) {
        let path = try request.path()
        try request.finish()
        send(path: path.bytes, for: request.id)
    }

    mutating func rename(_ request: inout Request, replacing: Bool) throws(RequestError) {
        let path = try request.path()
        let other = try request.path()
        try request.finish()
        try mending(other) { (files) throws(FileError) in try files.rename(path, to: other, replacing: replacing) }
        send(.ok, for: request.id)
    }

    private mutating func change(_ request: inout Request, _ body: (inout Files, RemotePath) throws(FileError) -> Void) throws(RequestError) {
        let path = try request.path()
        try request.finish()
        try mending(path) { (files) throws(FileError) in try body(&files, path) }
        send(.ok, for: request.id)
    }

    // MARK: - Steps

    func handleBytes(_ request: inout Request) throws(RequestError) -> ArraySlice<UInt8> {
        let range = try request.wire { (reader) throws(WireError) in try reader.stringRange(limit: ServiceLimit.packet) }
        return request.bytes[range]
    }

    private func checkRoom() throws(RequestError) {
        if handles.isFull { throw .file(FileError(.failure, "too many files are open")) }
    }

    /// Notes why something was refused, for the client's standard error.
    @discardableResult
    mutating func mending<Value>(_ path: RemotePath, _ body: (inout Files) throws(FileError) -> Value) throws(RequestError) -> Value {
        do throws(FileError) {
            return try body(&files)
        } catch {
            note(error, path)
            throw .file(error)
        }
    }
}
