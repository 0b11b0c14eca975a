import SFTP
import SSHBase
import SSHNIO
import SSHWire
import Synchronization

/// Requests and their replies, many at once, over the channel of the subsystem.
final class SFTPWire: Sendable {
    private struct State {
        var next: UInt32 = 0
        var open: [UInt32: Answer<SFTPReply>] = [:]
        var failure: SSHFailure?
    }

    private let process: SSHProcess
    private let state = Mutex(State())
    private let receiver = Mutex<Task<Void, Never>?>(nil)
    /// posix-rename@openssh.com is there (OpenSSH PROTOCOL §4.3).
    let replacesByRename: Bool

    static let posixRename = "posix-rename@openssh.com"
    /// The longest packet of a server, in bytes; OpenSSH's limit too.
    static let mostPacket = 256 * 1024

    private init(_ process: SSHProcess, replacesByRename: Bool) { (self.process, self.replacesByRename) = (process, replacesByRename) }

    deinit { receiver.withLock { $0?.cancel() } }

    /// Agrees on version 3.
    static func begin(on process: SSHProcess) async throws(SSHFailure) -> SFTPWire {
        var writer = WireWriter()
        writer.byte(PacketType.initialize)
        writer.uint32(3)
        try await process.standardInput.write(packet(writer))
        var packets = SFTPPackets(process)
        guard let first = try await packets.next() else { throw .protocolFault("the sftp server has ended") }
        let wire = SFTPWire(process, replacesByRename: try extensions(first).contains(posixRename))
        let errors = process.standardError
        let task = Task { [weak wire, packets] in
            // What a server says beside the protocol is nobody's, but must be taken.
            async let _ = drain(errors)
            let failure = await receive(packets) { wire }
            wire?.end(failure)
        }
        wire.receiver.withLock { $0 = task }
        return wire
    }

    private static func drain(_ stream: SSHStream<[UInt8]>) async {
        _ = await outcome { () async throws(SSHFailure) in while try await stream.next() != nil {} }
    }

    private static func receive(_ packets: SFTPPackets, _ wire: () -> SFTPWire?) async -> SSHFailure {
        var packets = packets
        do throws(SSHFailure) {
            while let packet = try await packets.next() {
                let (id, reply) = try SFTPReply.parse(packet)
                wire()?.take(reply, id)
            }
            return .channelClosed
        } catch {
            return error
        }
    }

    private static func extensions(_ packet: [UInt8]) throws(SSHFailure) -> [String] {
        do throws(WireError) {
            var reader = WireReader(packet)
            guard try reader.byte() == PacketType.version, try reader.uint32() >= 3 else { throw .badValue("version") }
            var names: [String] = []
            while reader.remaining > 0 {
                names.append(String(decoding: try reader.string(limit: mostPacket), as: UTF8.self))
                _ = try reader.stringRange(limit: mostPacket)
            }
            return names
        } catch {
            throw .protocolFault("a malformed answer of the sftp server: \(error)")
        }
    }

    // MARK: - Requests

    /// Makes a request, and waits for the reply.
    func ask(_ type: UInt8, _ fields: (inout WireWriter) -> Void) async throws(SSHFailure) -> SFTPReply {
        try await post(type, fields).value()
    }

    /// Makes a request; its reply comes later.
    @discardableResult
    func post(_ type: UInt8, _ fields: (inout WireWriter) -> Void) async throws(SSHFailure) -> Answer<SFTPReply> {
        let answer = Answer<SFTPReply>()
        let id: UInt32? = state.withLock { state in
            if let failure = state.failure {
                answer.resolve(.failure(failure))
                return nil
            }
            state.next &+= 1
            state.open[state.next] = answer
            return state.next
        }
        guard let id else { return answer }
        var writer = WireWriter()
        writer.byte(type)
        writer.uint32(id)
        fields(&writer)
        do throws(SSHFailure) {
            try await process.standardInput.write(Self.packet(writer))
        } catch {
            // Half a packet may be out: nothing can follow it.
            close()
            throw error
        }
        return answer
    }

    func close() { process.port.abandon(.channelClosed) }

    private static func packet(_ writer: WireWriter) -> [UInt8] {
        var packet = WireWriter()
        packet.string(writer.bytes)
        return packet.bytes
    }

    private func take(_ reply: SFTPReply, _ id: UInt32) { state.withLock { $0.open.removeValue(forKey: id) }?.resolve(.success(reply)) }

    private func end(_ failure: SSHFailure) {
        let open = state.withLock { state in
            state.failure = failure
            defer { state.open = [:] }
            return Array(state.open.values)
        }
        for answer in open { answer.resolve(.failure(failure)) }
    }
}

/// The packets of a server, one after the other.
struct SFTPPackets: Sendable {
    private let process: SSHProcess
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ process: SSHProcess) { self.process = process }

    mutating func next() async throws(SSHFailure) -> [UInt8]? {
        while true {
            if buffer.count - start >= 4 {
                let length = buffer[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
                guard 1...SFTPWire.mostPacket ~= length else { throw .protocolFault("an sftp packet of \(length) bytes") }
                if buffer.count - start >= 4 + length {
                    defer { start += 4 + length }
                    return Array(buffer[start + 4..<start + 4 + length])
                }
            }
            buffer.removeFirst(start)
            start = 0
            guard let piece = try await process.standardOutput.next() else { return nil }
            buffer += piece
        }
    }
}
