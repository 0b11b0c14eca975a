public import Files
import SSHWire

/// The server of SFTP version 3 (draft-ietf-secsh-filexfer-02), with the extensions of OpenSSH's PROTOCOL §4 that have a meaning here.
///
/// Links are neither made nor read. Packets are answered in the order they come.
public struct SFTPServer<Files: FileSystem>: FileService {
    var files: Files
    /// Seconds since 1970, for listings.
    private let now: Int64
    public internal(set) var output: [UInt8] = []
    private var notes: [String] = []
    private var hasBegun = false
    var handles = HandleTable<Files>()
    /// What was written to, or changed, since there was time for more.
    var changed: Files.Upload?

    /// - Parameter now: seconds since 1970.
    public init(files: Files, now: Int64) {
        self.files = files
        self.now = now
    }

    public var status: UInt32? { nil }
    public mutating func didSendOutput() { output.removeAll(keepingCapacity: true) }
    public mutating func advance() {}

    /// A client closes a file when it has the answer to its last WRITE: that way and back is time for the disk.
    public var canWorkAhead: Bool { changed != nil }

    public mutating func workAhead() {
        guard let upload = changed else { return }
        changed = nil
        files.prepare(upload)
    }

    public mutating func takeNotes() -> [String] {
        guard !notes.isEmpty else { return [] }
        defer { notes = [] }
        return notes
    }

    public mutating func end() -> UInt32 {
        for case .upload(let upload, _) in handles.all { files.discard(upload) }
        handles = HandleTable()
        return 0
    }

    public mutating func receive(_ bytes: [UInt8], _ range: Range<Int>) throws(ServiceError) -> Int {
        var position = range.lowerBound
        while output.count < ServiceLimit.output, range.upperBound - position >= 4 {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard 5...ServiceLimit.packet ~= length else { throw ServiceError("a packet of \(length) bytes") }
            let body = position + 4..<position + 4 + length
            guard body.upperBound <= range.upperBound else { break }
            do throws(WireError) {
                try handle(bytes, body)
            } catch {
                throw ServiceError("a malformed packet of type \(bytes[body.lowerBound]): \(error)")
            }
            position = body.upperBound
        }
        return position - range.lowerBound
    }

    private mutating func handle(_ bytes: [UInt8], _ body: Range<Int>) throws(WireError) {
        var reader = WireReader(bytes, in: body)
        let type = try reader.byte()
        if type == PacketType.initialize {
            // What a client of a later version can more is nothing to us; its extensions are passed over.
            guard !hasBegun, try reader.uint32() >= 3 else { throw .badValue("version") }
            hasBegun = true
            return sendVersion()
        }
        guard hasBegun else { throw .unknownMessage(type) }
        let id = try reader.uint32()
        var request = Request(type: type, id: id, bytes: bytes, reader: reader)
        do throws(RequestError) {
            try answer(&request)
        } catch {
            switch error {
            case .file(let error): send(error, for: id)
            case .wire(let error): throw error
            }
        }
    }

    // MARK: - Answers

    private mutating func sendVersion() {
        var writer = WireWriter()
        writer.byte(PacketType.version)
        writer.uint32(3)
        for (name, version) in Extension.offered {
            writer.text(name.rawValue)
            writer.text(version)
        }
        send(writer)
    }

    mutating func send(_ writer: WireWriter) {
        var head = WireWriter()
        head.uint32(UInt32(writer.bytes.count))
        output += head.bytes
        output += writer.bytes
    }

    mutating func send(_ code: StatusCode, for id: UInt32, _ text: String? = nil) {
        var writer = WireWriter()
        writer.byte(PacketType.status)
        writer.uint32(id)
        writer.uint32(code.rawValue)
        writer.text(text ?? code.text)
        writer.text("")
        send(writer)
    }

    mutating func send(_ error: FileError, for id: UInt32) {
        let code = StatusCode(error.kind)
        send(code, for: id, error.reason.isEmpty ? nil : "\(code.text): \(error.reason)")
    }

    mutating func send(_ attributes: FileAttributes, for id: UInt32) {
        var writer = WireWriter()
        writer.byte(PacketType.attributes)
        writer.uint32(id)
        attributes.write(to: &writer)
        send(writer)
    }

    mutating func send(handle number: UInt32, for id: UInt32) {
        var writer = WireWriter()
        writer.byte(PacketType.handle)
        writer.uint32(id)
        writer.uint32(4)
        writer.uint32(number)
        send(writer)
    }

    /// One name without attributes, as REALPATH is answered.
    mutating func send(path: [UInt8], for id: UInt32) {
        var writer = WireWriter()
        writer.byte(PacketType.name)
        writer.uint32(id)
        writer.uint32(1)
        writer.string(path)
        writer.string(path)
        writer.uint32(0)
        send(writer)
    }

    mutating func send(_ entries: [DirectoryEntry], for id: UInt32) {
        var writer = WireWriter()
        writer.byte(PacketType.name)
        writer.uint32(id)
        writer.uint32(UInt32(entries.count))
        for entry in entries {
            writer.string(entry.name)
            writer.string(LongName.of(entry, now: now))
            entry.attributes.write(to: &writer)
        }
        send(writer)
    }

    /// OpenSSH's client shows the code only, so that the reason goes to its standard error.
    mutating func note(_ error: FileError, _ path: RemotePath) {
        guard !error.reason.isEmpty, notes.count < ServiceLimit.notes else { return }
        notes.append("\(VisibleName.text(path.relative)): \(error.reason)")
    }
}

/// One packet that is to be answered.
struct Request {
    let type: UInt8
    let id: UInt32
    /// What ``reader`` reads: data is taken from here without a copy.
    let bytes: [UInt8]
    var reader: WireReader

    mutating func path() throws(RequestError) -> RemotePath {
        let bytes = try wire { (reader) throws(WireError) in try reader.string(limit: ServiceLimit.packet) }
        do throws(FileError) { return try RemotePath(bytes) } catch { throw .file(error) }
    }

    mutating func wire<Value>(_ read: (inout WireReader) throws(WireError) -> Value) throws(RequestError) -> Value {
        do throws(WireError) { return try read(&reader) } catch { throw .wire(error) }
    }

    mutating func finish() throws(RequestError) { try wire { (reader) throws(WireError) in try reader.finish() } }
}

/// Why a request was not done: told to the client, or the end of it.
enum RequestError: Error {
    case file(FileError)
    case wire(WireError)
}

extension StatusCode {
    init(_ kind: FileError.Kind) {
        self =
            switch kind {
            case .noSuchFile: .noSuchFile
            case .permissionDenied: .permissionDenied
            case .exists, .failure: .failure
            case .badMessage: .badMessage
            case .unsupported: .unsupported
            }
    }
}
