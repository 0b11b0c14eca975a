import SFTP
import SSHBase
import SSHWire

/// What a server answers to a request (draft-ietf-secsh-filexfer-02 §7).
enum SFTPReply: Equatable, Sendable {
    case status(code: UInt32, message: String)
    case handle([UInt8])
    case data([UInt8])
    case names([RemoteFile])
    case attributes(RemoteFileStatus)
    case other(UInt8)

    static func parse(_ packet: [UInt8]) throws(SSHFailure) -> (UInt32, SFTPReply) {
        do throws(WireError) {
            var reader = WireReader(packet)
            let type = try reader.byte()
            return (try reader.uint32(), try parse(type, &reader))
        } catch {
            throw .protocolFault("a malformed answer of the sftp server: \(error)")
        }
    }

    private static func parse(_ type: UInt8, _ reader: inout WireReader) throws(WireError) -> SFTPReply {
        switch type {
        case PacketType.status:
            let code = try reader.uint32()
            // Old servers leave the rest out.
            let message = reader.remaining > 0 ? String(decoding: try reader.string(limit: SFTPWire.mostPacket), as: UTF8.self) : ""
            return .status(code: code, message: message)
        case PacketType.handle: return .handle(try reader.string(limit: 256))
        case PacketType.data: return .data(try reader.string(limit: SFTPWire.mostPacket))
        case PacketType.attributes: return .attributes(try RemoteFileStatus(reading: &reader))
        case PacketType.name:
            var files: [RemoteFile] = []
            for _ in 0..<(try reader.uint32()) {
                let name = String(decoding: try reader.string(limit: SFTPWire.mostPacket), as: UTF8.self)
                _ = try reader.stringRange(limit: SFTPWire.mostPacket)
                files.append(RemoteFile(name: name, status: try RemoteFileStatus(reading: &reader)))
            }
            return .names(files)
        default: return .other(type)
        }
    }

    var isEndOfFile: Bool { if case .status(StatusCode.endOfFile.rawValue, _) = self { true } else { false } }

    /// Itself, unless it says that something went wrong.
    func checked(_ path: String) throws(SSHFailure) -> SFTPReply {
        guard case .status(let code, let message) = self, code != StatusCode.ok.rawValue else { return self }
        throw .remoteFile(path: path, code: code, message: message.isEmpty ? "status \(code)" : message)
    }

    var unexpected: SSHFailure { .protocolFault("an answer of the sftp server that fits no question") }
}
