import Foundation
import Peers
import SSHWire
import Testing

@testable import SSH

@Suite("OpenSSH's client, recorded") struct TranscriptTests {
    static let names = (try? FileManager.default.contentsOfDirectory(atPath: Transcript.folder.path()))?.filter { $0.hasSuffix(".txt") }.sorted() ?? []

    /// The server with the randomness that the recording had, given the client's bytes in pieces of `size`.
    private func replay(_ transcript: Transcript, size: Int) -> ServerHost {
        var host = Transcript.host(output: Transcript.output(of: transcript.arguments))
        for start in stride(from: 0, to: transcript.bytes.count, by: size) {
            host.take(transcript.bytes[start..<min(start + size, transcript.bytes.count)])
            _ = host.takeOutput()
        }
        return host
    }

    @Test func `there are transcripts`() { #expect(Self.names.count >= 3) }

    @Test func `covers the peer's own key exchange`() throws {
        let transcript = try Transcript(reading: "openssh-9.2-rekey.txt")
        #expect(transcript.events.count { $0 == "new keys" } == 2)
    }

    @Test(arguments: names, [1, 100, 1 << 20]) func `gives the same session and the same events`(name: String, size: Int) throws {
        let transcript = try Transcript(reading: name)
        let host = replay(transcript, size: size)
        #expect(host.error == nil)
        #expect(host.server.sessionIdentifier.map { Transcript.hex($0) } == transcript.session)
        #expect(host.log == transcript.events)
        #expect(host.log.contains("verify deploy ssh-ed25519 true"))
        #expect(host.server.openChannels.isEmpty)
    }

    /// Where the sealed packets begin: behind the identification, KEXINIT, the share and NEWKEYS.
    private func firstSealed(_ bytes: [UInt8]) throws -> Int {
        var index = try #require(bytes.firstIndex(of: UInt8(ascii: "\n"))) + 1
        for _ in 0..<3 { index += 4 + bytes[index..<index + 4].reduce(0) { $0 << 8 | Int($1) } }
        return index
    }

    @Test func `ends where a sealed byte was changed`() throws {
        let transcript = try Transcript(reading: "openssh-9.2-curve25519.txt")
        for index in stride(from: try firstSealed(transcript.bytes), to: transcript.bytes.count, by: 11) {
            var changed = transcript
            changed.bytes[index] ^= 4
            let host = replay(changed, size: 1 << 20)
            // A length that became longer waits for the rest, which never comes.
            #expect(host.error != nil || host.server.stack.transport.unreadBytes > 0, "byte \(index)")
            #expect(host.log.count < transcript.events.count)
            #expect(transcript.events.starts(with: host.log))
        }
    }
}
