public import Files

/// The sending end, `scp -f`: gives files to the client, which answers each step with a byte.
public struct SCPSource<Files: FileSystem>: FileService {
    private var files: Files
    private let options: SCPOptions
    private var state: State
    /// What is still to be sent, the next last.
    private var pending: [Step]
    private var hasFailed = false
    public private(set) var output: [UInt8] = []
    public private(set) var status: UInt32?

    private enum Step {
        case item(RemotePath)
        case header(SCPHeader<Files>)
        case data(Files.Download, size: UInt64)
        case listing(Files.Listing, RemotePath)
        case endOfDirectory
    }

    private enum State {
        /// For the client's byte that lets us go on. After a header it may refuse what that announced.
        case waiting(afterHeader: Bool)
        case sending(Files.Download, offset: UInt64, size: UInt64)
        case ready
    }

    /// Deeper ones are refused, as ``RemotePath`` does.
    public init(files: Files, path: RemotePath, options: SCPOptions) {
        self.files = files
        self.options = options
        state = .waiting(afterHeader: false)
        pending = [.item(path)]
    }

    public mutating func didSendOutput() { output.removeAll(keepingCapacity: true) }
    public mutating func takeNotes() -> [String] { [] }
    public mutating func end() -> UInt32 { status ?? 1 }

    public mutating func receive(_ bytes: [UInt8], _ range: Range<Int>) throws(ServiceError) -> Int {
        guard status == nil, let first = bytes[range].first else { return 0 }
        guard case .waiting(let isAfterHeader) = state else { throw ServiceError("an answer to nothing") }
        switch first {
        case 0:
            state = .ready
            advance()
            return 1
        case 1, 2:
            // The client could not write what it got, and says why.
            guard let end = bytes[range].firstIndex(of: UInt8(ascii: "\n")) else {
                guard range.count <= SCPRecord.longest else { throw ServiceError("an answer without an end") }
                return 0
            }
            hasFailed = true
            if first == 2 { status = 1 }
            // A file or directory that the client refuses is passed over with all that is in it.
            if isAfterHeader { skip() }
            state = .ready
            advance()
            return end + 1 - range.lowerBound
        default: throw ServiceError("an answer that is none")
        }
    }

    /// What was announced last is not sent.
    private mutating func skip() {
        switch pending.last {
        case .data: pending.removeLast()
        case .listing:
            pending.removeLast()
            if case .endOfDirectory? = pending.last { pending.removeLast() }
        default: break
        }
    }

    public mutating func advance() {
        while status == nil, output.count < ServiceLimit.output {
            switch state {
            case .waiting: return
            case .sending(let download, let offset, let size): send(download, offset, size)
            case .ready:
                guard let step = pending.popLast() else {
                    status = hasFailed ? 1 : 0
                    return
                }
                take(step)
            }
        }
    }

    private mutating func take(_ step: Step) {
        switch step {
        case .item(let path): open(path)
        case .header(let header):
            output += header.line
            state = .waiting(afterHeader: true)
            switch header.content {
            case .file(let download, let size): pending.append(.data(download, size: size))
            case .directory(let listing, let path): pending += [.endOfDirectory, .listing(listing, path)]
            }
        case .data(let download, let size): state = .sending(download, offset: 0, size: size)
        case .listing(let listing, let path): list(listing, path)
        case .endOfDirectory:
            output += Array("E\n".utf8)
            state = .waiting(afterHeader: false)
        }
    }

    private mutating func open(_ path: RemotePath) {
        do throws(FileError) {
            let header: SCPHeader<Files>
            let attributes: FileAttributes
            if files.isDirectory(path) {
                guard options.isRecursive else { throw FileError(.failure, "not a regular file") }
                let listing = try files.openListing(path)
                attributes = try files.attributes(of: path)
                header = SCPHeader(.directory(listing, path), attributes, path.name)
            } else {
                let download = try files.openDownload(path)
                attributes = try files.attributes(of: download)
                header = SCPHeader(.file(download, size: attributes.size), attributes, path.name)
            }
            // OpenSSH writes such names in another form; nobody could read them back.
            guard !path.name.contains(UInt8(ascii: "\n")) else { throw FileError(.failure, "the name holds a line feed") }
            pending.append(.header(header))
            if options.keepsTimes {
                output += Array("T\(max(0, attributes.modified)) 0 \(max(0, attributes.accessed)) 0\n".utf8)
                state = .waiting(afterHeader: false)
            }
        } catch {
            fail("\(VisibleName.text(path.relative)): \(error.text)")
        }
    }

    private mutating func list(_ listing: Files.Listing, _ path: RemotePath) {
        do throws(FileError) {
            let entries = try files.entries(of: listing, limit: 1)
            guard let entry = entries.first else { return }
            pending.append(.listing(listing, path))
            guard entry.name != Array(".".utf8), entry.name != Array("..".utf8) else { return }
            pending.append(.item(try path.appending(entry.name)))
        } catch {
            fail("\(VisibleName.text(path.relative)): \(error.text)")
        }
    }

    /// As many bytes as were announced; where the file has become shorter, zeros and an error, as OpenSSH's scp does.
    private mutating func send(_ download: Files.Download, _ offset: UInt64, _ size: UInt64) {
        let count = Int(min(size - offset, UInt64(ServiceLimit.packet)))
        let start = output.count
        var fault: FileError?
        do throws(FileError) {
            if count > 0 { try files.read(download, at: offset, count: count, into: &output) }
            if output.count - start < count { fault = FileError(.failure, "the file has become shorter") }
        } catch {
            fault = error
        }
        if let fault {
            output.removeSubrange(start...)
            return fill(size - offset, fault)
        }
        guard offset + UInt64(count) == size else {
            state = .sending(download, offset: offset + UInt64(count), size: size)
            return
        }
        output.append(0)
        state = .waiting(afterHeader: false)
    }

    /// The client counts on the bytes that were announced. Where they are too many to be made up, the transfer ends.
    private mutating func fill(_ missing: UInt64, _ fault: FileError) {
        guard missing <= UInt64(ServiceLimit.output) else {
            status = 1
            return
        }
        output += [UInt8](repeating: 0, count: Int(missing))
        fail(fault.text)
        state = .waiting(afterHeader: false)
    }

    private mutating func fail(_ text: String) {
        hasFailed = true
        output.append(1)
        output += Array("scp: \(text)\n".utf8)
    }
}

/// The C or D record of something that is open.
struct SCPHeader<Files: FileSystem> {
    enum Content {
        case file(Files.Download, size: UInt64)
        case directory(Files.Listing, RemotePath)
    }
    let content: Content
    let line: [UInt8]

    init(_ content: Content, _ attributes: FileAttributes, _ name: [UInt8]) {
        self.content = content
        let (letter, size) =
            switch content {
            case .file(_, let size): ("C", size)
            case .directory: ("D", UInt64(0))
            }
        let octal = String(attributes.mode & 0o777, radix: 8)
        let mode = String(repeating: "0", count: 4 - octal.utf8.count) + octal
        // The root has no name of its own.
        line = Array("\(letter)\(mode) \(size) ".utf8) + (name.isEmpty ? [UInt8(ascii: ".")] : name) + [UInt8(ascii: "\n")]
    }
}
