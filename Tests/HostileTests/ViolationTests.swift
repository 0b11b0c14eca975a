import Linux
import MonitorProtocol
import SSHKeys
import SSHWire
import Sodium
import Testing

/// What a frontend does that the real one never would, and how the monitor calls it.
struct Offence: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let reason: String
    let commit: @Sendable (Victim) throws -> Void

    init(_ name: String, _ reason: String, _ commit: @escaping @Sendable (Victim) throws -> Void) {
        testDescription = name
        self.reason = reason
        self.commit = commit
    }

    /// Before any key exchange.
    static let early: [Offence] = [
        Offence("a start", #""start" before the first key exchange"#) { try $0.send(.start(0, "mark early")) },
        Offence("a probe", #""probe" before the first key exchange"#) { try $0.send(.probe(.init($0.login, $0.site.alice))) },
        Offence("a signature for no session", #""authenticate" before the first key exchange"#) {
            try $0.send(.authentication(of: $0.site.alice, $0.login, []))
        },
        Offence("a signal", #""signal" before the first key exchange"#) { try $0.send(.signal(request: 0, name: "KILL")) },
        Offence("a close", #""closed" before the first key exchange"#) { try $0.send(.closed(request: 0)) },
    ]

    /// After the key exchange, before anybody is known.
    static let unauthenticated: [Offence] = [
        Offence("a start", #""start" before authentication"#) { try $0.send(.start(0, "mark unauthenticated")) },
        Offence("a start of the listed key's command after a probe", #""start" before authentication"#) {
            #expect(try $0.ask(.probe(.init($0.login, $0.site.alice))) == .probed(true))
            try $0.send(.start(0, "mark probed"))
        },
        Offence("a second signature", #""sign" before authentication"#) { try $0.send(.sign(.sample())) },
        Offence("a signal", #""signal" before authentication"#) { try $0.send(.signal(request: 0, name: "KILL")) },
        Offence("a close", #""closed" before authentication"#) { try $0.send(.closed(request: 0)) },
        Offence("a seventh user signature", #"more than 6 times "authenticate""#) { victim in
            for _ in 0..<6 {
                #expect(try victim.ask(.authentication(of: victim.site.alice, victim.login, [1])) == .authenticated(false))
            }
            try victim.send(.authentication(of: victim.site.alice, victim.login, [1]))
        },
        Offence("a sixty-fifth probe", #"more than 64 times "probe""#) { victim in
            for _ in 0..<64 { #expect(try victim.ask(.probe(.init(victim.login, .generate()))) == .probed(false)) }
            try victim.send(.probe(.init(victim.login, victim.site.alice)))
        },
    ]

    /// After alice was let in.
    static let authenticated: [Offence] = [
        Offence("a second authentication", #""authenticate" after authentication"#) { victim in
            try victim.send(.authentication(of: victim.site.bob, "elsewhere", [1]))
        },
        Offence("a probe", #""probe" after authentication"#) { try $0.send(.probe(.init("elsewhere", $0.site.bob))) },
        Offence("a flood of signatures", #"more than 8 times "sign""#) { victim in
            for _ in 0..<8 { try victim.exchangeKeys() }
            try victim.send(.sign(.sample()))
        },
        Offence("an unknown key exchange method", #"an unknown key exchange method "none""#) { try $0.send(.sign(.sample(method: "none"))) },
        Offence("a first request with the number 1", #""start" after authentication"#) { try $0.send(.start(1, "mark gap")) },
        Offence("the last request number", #""start" after authentication"#) { try $0.send(.start(.max, "mark last")) },
        Offence("a request number twice", #""start" after authentication"#) {
            #expect(try $0.start(0, "help").isPrinted(.zero))
            try $0.send(.start(0, "mark twice"))
        },
        Offence("a gap in the request numbers", #""start" after authentication"#) {
            #expect(try $0.start(0, "help").isPrinted(.zero))
            try $0.send(.start(2, "mark gap"))
        },
        Offence("a signal for what was never started", #""signal" before its start"#) { try $0.send(.signal(request: 0, name: "TERM")) },
        Offence("a close of what was never started", #""closed" before its start"#) { try $0.send(.closed(request: 7)) },
    ]

    /// At any time.
    static let malformed: [Offence] = [
        Offence("one byte more than the limit", "a bad message: tooLong(limit: \(FrontendMessage.longest))") {
            try $0.sendBytes([7] + [UInt8](repeating: 0, count: FrontendMessage.longest))
        },
        Offence("no known tag", "a malformed request: unknownMessage(0)") { try $0.sendBytes([0]) },
        Offence("the tag after the last", "a malformed request: unknownMessage(8)") { try $0.sendBytes([8, 0, 0, 0, 0]) },
        Offence("what a trap prints", "a malformed request: unknownMessage(70)") { try $0.sendBytes(Array("Fatal error: index out of range\n".utf8)) },
        Offence("no known kind of program", "a malformed request: unknownMessage(4)") { try $0.sendBytes([4, 0, 0, 0, 0, 4, 0, 0, 0, 0]) },
        Offence("a byte too many", "a malformed request: trailing(count: 1)") { try $0.sendBytes(FrontendMessage.farewell("so long").bytes + [0]) },
        Offence("a length beyond the message", "a malformed request: truncated(needed: 1024, remaining: 1)") {
            try $0.sendBytes([7, 0, 0, 4, 0, 65])
        },
        Offence("a length of 4 GiB", "a malformed request: tooLong(length: 4294967295, limit: 1024)") { try $0.sendBytes([7, 255, 255, 255, 255]) },
        Offence("text that is not UTF-8", "a malformed request: notUTF8") { try $0.sendBytes([7, 0, 0, 0, 1, 0xff]) },
        Offence("65 variables", "a malformed request: tooLong(length: 65, limit: 64)") {
            try $0.send(.start(request: 0, .shell, environment: Array(repeating: .init(name: "A", value: []), count: 65)))
        },
        Offence("four thousand million variables", "a malformed request: tooLong(length: 4294967295, limit: 64)") {
            try $0.sendBytes([4, 0, 0, 0, 0, 2, 255, 255, 255, 255])
        },
        Offence("descriptors", "a bad message: tooManyDescriptors(limit: 0)") { try $0.sendWithDescriptors(.farewell("take these")) },
    ]
}

extension Hostile {
    @Suite("A frontend that breaks the rules is ended, and the log says why") struct Violations {
        @Test(arguments: Offence.early, Role.available)
        func `before the first key exchange`(offence: Offence, role: Role) throws {
            try expectEnd(Victim(as: role), offence)
        }

        @Test(arguments: Offence.unauthenticated, Role.available)
        func `before authentication`(offence: Offence, role: Role) throws {
            let victim = try Victim(as: role)
            try victim.exchangeKeys()
            try expectEnd(victim, offence)
        }

        @Test(arguments: Offence.authenticated, Role.available)
        func `after authentication`(offence: Offence, role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            try expectEnd(victim, offence)
        }

        @Test(arguments: Offence.malformed, Role.available)
        func `what is no request is read to no end`(offence: Offence, role: Role) throws {
            try expectEnd(Victim(as: role), offence)
            let second = try Victim(as: role)
            try second.enter()
            try expectEnd(second, offence)
        }

        private func expectEnd(_ victim: Victim, _ offence: Offence) throws {
            try offence.commit(victim)
            #expect(try victim.receive() == nil)
            let record = try victim.ended()
            #expect(record.violations == [offence.reason])
            #expect(record.farewell == "violation")
            #expect(!record.texts("decision", "verdict").contains("run"))
            record.expectSound(victim.site)
            try expectNormalSession(victim.site, victim.role)
        }
    }
}

extension MonitorMessage {
    /// Nothing was started, and the client is told this exit status.
    func isPrinted(_ expected: UInt32) -> Bool {
        if case .printed(_, _, _, let status) = self { status == expected } else { false }
    }
}
