public import Files

/// The receiving end, `scp -t`: takes files from the client.
public struct SCPSink<Files: FileSystem>: FileService {
    private var files: Files
    private let options: SCPOptions
    private var state = State.record
    /// Where files go: the target, then the directories that were entered.
    private var directories: [Place]
    /// From a T record, for the file or directory of the next one.
    private var times: FileTimes?
    private var hasFailed = false
    public private(set) var output: [UInt8] = []
    public private(set) var status: UInt32?

    private struct Place {
        let path: RemotePath
        /// False: the path is to be the name of what comes.
        let isDirectory: Bool
        /// It was made for this sender.
        var isNew = false
        var times: FileTimes?
    }

    private enum State {
        case record
        /// Bytes of a file, of which `left` are to come; nil: it was refused meanwhile, for `fault`.
        case data(Files.Upload?, offset: UInt64, left: UInt64, fault: FileError?)
        /// The byte behind them, in which the client says whether it could read them all.
        case verdict(Files.Upload?, fault: FileError?)
    }

    /// - Parameter target: a directory, or the name that one file is to have.
    public init(files: Files, target: RemotePath, options: SCPOptions) {
        self.files = files
        self.options = options
        let isDirectory = self.files.isDirectory(target)
        directories = [Place(path: target, isDirectory: isDirectory)]
        if options.targetIsDirectory, !isDirectory {
            fail("\(VisibleName.text(target.relative)): Not a directory")
            status = 1
        } else {
            output = [0]
        }
    }

    public mutating func didSendOutput() { output.removeAll(keepingCapacity: true) }
    public mutating func takeNotes() -> [String] { [] }
    public mutating func advance() {}

    public mutating func end() -> UInt32 {
        switch state {
        case .record: return status ?? (directories.count > 1 || hasFailed ? 1 : 0)
        case .data(let upload, _, _, _), .verdict(let upload, _):
            if let upload { files.discard(upload) }
            return 1
        }
    }

    public mutating func receive(_ bytes: [UInt8], _ range: Range<Int>) throws(ServiceError) -> Int {
        var position = range.lowerBound
        while position < range.upperBound, status == nil, output.count < ServiceLimit.output {
            switch state {
            case .record:
                let rest = bytes[position..<range.upperBound]
                guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
                    guard rest.count <= SCPRecord.longest else { throw ServiceError("a record without an end") }
                    return position - range.lowerBound
                }
                guard end - position <= SCPRecord.longest else { throw ServiceError("a record of \(end - position) bytes") }
                try take(try SCPRecord(bytes[position..<end]))
                position = end + 1
            case .data(let upload, let offset, let left, let fault):
                let count = Int(min(UInt64(range.upperBound - position), left))
                take(bytes[position..<position + count], upload, offset, left, fault)
                position += count
            case .verdict(let upload, let fault):
                let count = try conclude(upload, fault, bytes[position..<range.upperBound])
                // A line that has not come to its end.
                if count == 0 { return position - range.lowerBound }
                position += count
            }
        }
        return position - range.lowerBound
    }

    // MARK: - Records

    private mutating func take(_ record: SCPRecord) throws(ServiceError) {
        switch record {
        case .times(let times):
            self.times = times
            output.append(0)
        case .file(let mode, let size, let name): try begin(name, mode, size)
        case .directory(let mode, let name): try enter(name, mode)
        case .endOfDirectory: try leave()
        case .error(_, let isFatal):
            // The client has told its user.
            hasFailed = true
            if isFatal { status = 1 }
        }
    }

    private mutating func begin(_ name: [UInt8], _ mode: UInt32, _ size: UInt64) throws(ServiceError) {
        let path: RemotePath
        do throws(FileError) {
            path = try place(name)
            let upload = try files.openUpload(path, [.create, .truncate], mode: mode)
            do throws(FileError) {
                if let times { try files.change(upload, AttributeChange(times: times)) }
            } catch {
                files.discard(upload)
                throw error
            }
            output.append(0)
            state = size == 0 ? .verdict(upload, fault: nil) : .data(upload, offset: 0, left: size, fault: nil)
        } catch {
            // The client does not send a file that is refused here.
            fail("\(VisibleName.text(name)): \(error.text)")
        }
        times = nil
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>, _ upload: Files.Upload?, _ offset: UInt64, _ left: UInt64, _ fault: FileError?) {
        var (upload, fault) = (upload, fault)
        if let open = upload {
            do throws(FileError) {
                try files.write(open, at: offset, bytes)
            } catch {
                // What is announced comes nevertheless, and is thrown away.
                files.discard(open)
                (upload, fault) = (nil, error)
            }
        }
        let rest = left - UInt64(bytes.count)
        state = rest == 0 ? .verdict(upload, fault: fault) : .data(upload, offset: offset + UInt64(bytes.count), left: rest, fault: fault)
    }

    /// - Returns: how many bytes were taken.
    private mutating func conclude(_ upload: Files.Upload?, _ fault: FileError?, _ bytes: ArraySlice<UInt8>) throws(ServiceError) -> Int {
        guard bytes.first == 0 else { return try giveUp(upload, bytes) }
        state = .record
        do throws(FileError) {
            if let fault { throw fault }
            if let upload { try files.publish(upload) }
            output.append(0)
        } catch {
            fail(error.text)
        }
        return 1
    }

    /// The client could not read its file: it says why in a line.
    private mutating func giveUp(_ upload: Files.Upload?, _ bytes: ArraySlice<UInt8>) throws(ServiceError) -> Int {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            guard bytes.count <= SCPRecord.longest else { throw ServiceError("a record without an end") }
            return 0
        }
        guard case .error(_, let isFatal) = try SCPRecord(bytes[..<end]) else { throw ServiceError("more data than was announced") }
        if let upload { files.discard(upload) }
        state = .record
        hasFailed = true
        if isFatal { status = 1 }
        output.append(0)
        return end - bytes.startIndex + 1
    }

    // MARK: - Directories

    private mutating func enter(_ name: [UInt8], _ mode: UInt32) throws(ServiceError) {
        // CVE-2019-6111 the other way round: nobody sends what was not asked for.
        guard options.isRecursive else { throw ServiceError("a directory without -r") }
        do throws(FileError) {
            let path = try place(name)
            let isNew = !files.isDirectory(path)
            if isNew { try files.makeDirectory(path, mode: mode) }
            directories.append(Place(path: path, isDirectory: true, isNew: isNew, times: times))
            output.append(0)
        } catch {
            fail("\(VisibleName.text(name)): \(error.text)")
        }
        times = nil
    }

    private mutating func leave() throws(ServiceError) {
        guard directories.count > 1, let left = directories.popLast() else { throw ServiceError("an end of no directory") }
        do throws(FileError) {
            if let times = left.times { try files.change(left.path, AttributeChange(times: times)) }
            output.append(0)
        } catch where error.kind == .permissionDenied && !left.isNew {
            // What was there keeps its times, and that is no reason to say that something did not arrive.
            output.append(0)
        } catch {
            fail("\(VisibleName.text(left.path.relative)): \(error.text)")
        }
    }

    private func place(_ name: [UInt8]) throws(FileError) -> RemotePath {
        guard let place = directories.last else { preconditionFailure("there is always the target") }
        return place.isDirectory ? try place.path.appending(name) : place.path
    }

    /// An error after which the client goes on with its next file.
    private mutating func fail(_ text: String) {
        hasFailed = true
        output.append(1)
        output += Array("scp: \(text)\n".utf8)
    }
}
