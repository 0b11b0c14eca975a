import SFTP
import SSHBase
import SSHNIO
import SSHWire

/// A file on its way here: many blocks are asked for at once, and come out in order.
struct SFTPReading {
    private let wire: SFTPWire
    private let handle: [UInt8]
    private let path: String
    private var open: [(offset: UInt64, count: Int, answer: Answer<SFTPReply>)] = []
    private var asked: UInt64 = 0
    private var isAtEnd = false

    init(_ wire: SFTPWire, _ handle: [UInt8], _ path: String) { (self.wire, self.handle, self.path) = (wire, handle, path) }

    mutating func next() async throws(SSHFailure) -> [UInt8]? {
        while !isAtEnd, open.count < SFTPClient.mostOpen {
            open.append((asked, SFTPClient.blockBytes, try await ask(asked, SFTPClient.blockBytes)))
            asked += UInt64(SFTPClient.blockBytes)
        }
        guard !open.isEmpty else { return nil }
        let (offset, count, answer) = open.removeFirst()
        let reply = try await answer.value()
        if reply.isEndOfFile {
            // Nothing follows, whatever else was asked for; the answers to that are passed over.
            isAtEnd = true
            open = []
            return nil
        }
        guard case .data(let bytes) = try reply.checked(path), bytes.count <= count, !bytes.isEmpty else { throw reply.unexpected }
        if bytes.count < count {
            // A server may give less than was asked for: the rest is asked for again, before all others.
            let rest = (offset + UInt64(bytes.count), count - bytes.count)
            open.insert((rest.0, rest.1, try await ask(rest.0, rest.1)), at: 0)
        }
        return bytes
    }

    private func ask(_ offset: UInt64, _ count: Int) async throws(SSHFailure) -> Answer<SFTPReply> {
        try await wire.post(PacketType.read) { writer in
            writer.string(handle)
            writer.uint64(offset)
            writer.uint32(UInt32(count))
        }
    }
}

/// A file on its way there: many blocks are sent before the first is confirmed.
struct SFTPWriting {
    private let wire: SFTPWire
    private let handle: [UInt8]
    private let path: String
    private let confirmed: (UInt64) -> Void
    private var open: [(count: Int, answer: Answer<SFTPReply>)] = []
    private var offset: UInt64 = 0
    private var done: UInt64 = 0

    init(_ wire: SFTPWire, _ handle: [UInt8], _ path: String, confirmed: @escaping (UInt64) -> Void) {
        (self.wire, self.handle, self.path, self.confirmed) = (wire, handle, path, confirmed)
    }

    mutating func write(_ bytes: [UInt8]) async throws(SSHFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let block = rest.prefix(SFTPClient.blockBytes)
            rest = rest.dropFirst(block.count)
            if open.count >= SFTPClient.mostOpen { try await confirm() }
            let (at, data) = (offset, Array(block))
            let answer = try await wire.post(PacketType.write) { writer in
                writer.string(handle)
                writer.uint64(at)
                writer.string(data)
            }
            open.append((data.count, answer))
            offset += UInt64(data.count)
        }
    }

    mutating func finish() async throws(SSHFailure) { while !open.isEmpty { try await confirm() } }

    private mutating func confirm() async throws(SSHFailure) {
        let (count, answer) = open.removeFirst()
        _ = try await answer.value().checked(path)
        done += UInt64(count)
        confirmed(done)
    }
}
