import MonitorProtocol
import SSHWire
import Testing

enum Samples {
    static let record = FrontendMessage.KeyExchangeRecord(
        method: "curve25519-sha256", hostKeyAlgorithm: "ssh-ed25519", clientVersion: "SSH-2.0-x", clientKexInit: [20, 1], serverKexInit: [20, 2], clientShare: Array(0..<32),
        serverShare: Array(1...32), sharedSecret: [0, 0, 0, 1, 7])
    static let credential = FrontendMessage.Credential(user: "git", algorithm: "ssh-ed25519", key: [1, 2, 3])
    static let frontend: [FrontendMessage] = [
        .sign(record), .probe(.init(user: "git", algorithm: "a", key: [1], hostKey: [7, 8])), .probe(credential), .authenticate(credential, signature: [4, 5]),
        .start(request: 0, .exec(Array("git-upload-pack 'x'".utf8)), environment: []),
        .start(request: 1, .shell, environment: [FrontendMessage.Variable(name: "LANG", value: [0x43, 0xff])]),
        .start(request: .max, .subsystem("sftp"), environment: []),
        .signal(request: 3, name: "TERM"), .closed(request: 4), .farewell("over"), .prove(hostKeys: [[1], [2, 3]]), .prove(hostKeys: []),
    ]
    static let settings = MonitorMessage.Settings(
        identification: "SSH-2.0-Postern_0.1 7f3a09c2", hostKeyAlgorithms: ["ssh-ed25519"], hostKeys: [[1, 2], [3]], postQuantumOnly: true, banner: "hello\n", loginGraceSeconds: 20, idleSeconds: 900,
        keepaliveSeconds: 30, mostChannels: 16, rekeyBytes: 1 << 40, rekeySeconds: 3600)
    static let monitor: [MonitorMessage] = [
        .begin(settings), .signed(hostKey: [1], signature: [2, 3]), .probed(true), .probed(false), .authenticated(true), .authenticated(false),
        .proved(signatures: [[1], [2, 3]]), .proved(signatures: []), .started(request: 7), .printed(request: 8, toError: true, text: "postern: no\n", status: 126),
        .exited(request: 9, .status(0), note: ""), .exited(request: 10, .signal(name: "KILL", coreDumped: true), note: "mkdir was denied"),
    ]
}

@Suite("DESIGN §6: messages between frontend and monitor") struct MessageTests {
    @Test(arguments: Samples.frontend) func `a frontend's message is the same after writing and reading`(message: FrontendMessage) throws {
        #expect(try FrontendMessage(bytes: message.bytes) == message)
    }

    @Test(arguments: Samples.monitor) func `a monitor's message is the same after writing and reading`(message: MonitorMessage) throws {
        #expect(try MonitorMessage(bytes: message.bytes) == message)
    }

    @Test func `a message cut anywhere is refused as truncated`() {
        func expectTruncated(_ count: Int, _ body: () throws(WireError) -> Void) {
            do throws(WireError) {
                try body()
                Issue.record("cut at \(count): read")
            } catch {
                guard case .truncated = error else {
                    Issue.record("cut at \(count): \(error)")
                    return
                }
            }
        }
        for bytes in Samples.frontend.map(\.bytes) {
            for count in bytes.indices {
                expectTruncated(count) { () throws(WireError) in _ = try FrontendMessage(bytes: Array(bytes.prefix(count))) }
            }
        }
        for bytes in Samples.monitor.map(\.bytes) {
            for count in bytes.indices {
                expectTruncated(count) { () throws(WireError) in _ = try MonitorMessage(bytes: Array(bytes.prefix(count))) }
            }
        }
    }

    @Test func `a byte behind a message is refused`() {
        for message in Samples.frontend { #expect(throws: WireError.trailing(count: 1)) { try FrontendMessage(bytes: message.bytes + [0]) } }
        for message in Samples.monitor { #expect(throws: WireError.trailing(count: 1)) { try MonitorMessage(bytes: message.bytes + [0]) } }
    }

    @Test(arguments: [0, 10, 255] as [UInt8]) func `an unknown tag is refused`(tag: UInt8) {
        #expect(throws: WireError.unknownMessage(tag)) { try FrontendMessage(bytes: [tag]) }
        #expect(throws: WireError.unknownMessage(tag)) { try MonitorMessage(bytes: [tag]) }
        #expect(throws: WireError.unknownMessage(tag)) { try FrontendMessage(bytes: [4, 0, 0, 0, 0, tag]) }
        #expect(throws: WireError.unknownMessage(tag)) { try MonitorMessage(bytes: [7, 0, 0, 0, 0, tag]) }
    }

    /// Each field one byte over its limit; the limits are those of what the peer can send.
    static let oversize: [(FrontendMessage, limit: Int)] = [
        (.probe(.init(user: String(repeating: "u", count: 1025), algorithm: "a", key: [])), 1024),
        (.probe(.init(user: "u", algorithm: String(repeating: "a", count: 257), key: [])), 256),
        (.probe(.init(user: "u", algorithm: "a", key: [UInt8](repeating: 0, count: 16_385))), 16_384),
        (.authenticate(.init(user: "u", algorithm: "a", key: []), signature: [UInt8](repeating: 0, count: 16_385)), 16_384),
        (.start(request: 0, .exec([UInt8](repeating: 0, count: 35_001)), environment: []), 35_000),
        (.start(request: 0, .subsystem(String(repeating: "s", count: 257)), environment: []), 256),
        (.start(request: 0, .shell, environment: Array(repeating: .init(name: "N", value: []), count: 65)), 64),
        (.signal(request: 0, name: String(repeating: "s", count: 257)), 256),
        (.farewell(String(repeating: "f", count: 1025)), 1024),
    ]

    @Test(arguments: oversize) func `a field over its limit is refused`(message: FrontendMessage, limit: Int) {
        #expect(throws: WireError.tooLong(length: limit + 1, limit: limit)) { try FrontendMessage(bytes: message.bytes) }
    }

    /// Reads and forgets: `expect` would print all of a long message.
    private func frontendFault(_ bytes: [UInt8]) -> WireError? {
        do throws(WireError) { _ = try FrontendMessage(bytes: bytes) } catch { return error }
        return nil
    }

    private func monitorFault(_ bytes: [UInt8]) -> WireError? {
        do throws(WireError) { _ = try MonitorMessage(bytes: bytes) } catch { return error }
        return nil
    }

    @Test func `a message over the datagram's limit is refused whatever is in it`() {
        let much = [UInt8](repeating: 1, count: 128 * 1024 + 1)
        #expect(frontendFault(much) == .tooLong(length: much.count, limit: 128 * 1024))
        #expect(monitorFault(much) == .tooLong(length: much.count, limit: 128 * 1024))
    }

    @Test func `text over its limit is refused`() {
        let text = MonitorMessage.printed(request: 0, toError: true, text: String(repeating: "x", count: 96 * 1024 + 1), status: 0)
        #expect(monitorFault(text.bytes) == .tooLong(length: 96 * 1024 + 1, limit: 96 * 1024))
    }

    @Test func `variables have a limit together, and with the longest command line fit into a message`() {
        let half = FrontendMessage.Variable(name: "NAME", value: [UInt8](repeating: 0, count: 32 * 1024 - 4))
        let longest = FrontendMessage.start(request: 0, .exec([UInt8](repeating: 0, count: 35_000)), environment: [half, half]).bytes
        #expect(longest.count <= FrontendMessage.longest)
        #expect(frontendFault(longest) == nil)
        let over = FrontendMessage.start(request: 0, .shell, environment: [half, half, .init(name: "N", value: [])]).bytes
        #expect(frontendFault(over) == .tooLong(length: FrontendMessage.mostVariableBytes + 1, limit: FrontendMessage.mostVariableBytes))
    }

    @Test func `any one byte changed is read or refused`() {
        for value in [0, 1, 0xff] as [UInt8] {
            for bytes in Samples.frontend.map(\.bytes) {
                for index in bytes.indices {
                    var changed = bytes
                    changed[index] = value
                    _ = try? FrontendMessage(bytes: changed)
                }
            }
            for bytes in Samples.monitor.map(\.bytes) {
                for index in bytes.indices {
                    var changed = bytes
                    changed[index] = value
                    _ = try? MonitorMessage(bytes: changed)
                }
            }
        }
    }
}
