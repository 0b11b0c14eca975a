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

    /// Line by line, since the compiler takes minutes over one literal of as many closures.
    struct Table {
        fileprivate var offences: [Offence] = []
        mutating func add(_ name: String, _ reason: String, _ commit: @escaping @Sendable (Victim) throws -> Void) {
            offences.append(Offence(testDescription: name, reason: reason, commit: commit))
        }
    }

    static func table(_ fill: (inout Table) -> Void) -> [Offence] {
        var table = Table()
        fill(&table)
        return table.offences
    }

    /// Before any key exchange.
    static let early = table { (table: inout Table) in
        table.add("a start", #""start" before the first key exchange"#) { try $0.send(.start(0, "mark early")) }
        table.add("a probe", #""probe" before the first key exchange"#) { try $0.send(.probe(.init($0.login, $0.site.alice))) }
        table.add("a signature for no session", #""authenticate" before the first key exchange"#) {
            try $0.send(.authentication(of: $0.site.alice, $0.login, []))
        }
        table.add("a signal", #""signal" before the first key exchange"#) { try $0.send(.signal(request: 0, name: "KILL")) }
        table.add("a close", #""closed" before the first key exchange"#) { try $0.send(.closed(request: 0)) }
    }

    /// After the key exchange, before anybody is known.
    static let unauthenticated = table { (table: inout Table) in
        table.add("a start", #""start" before authentication"#) { try $0.send(.start(0, "mark unauthenticated")) }
        table.add("a start of the listed key's command after a probe", #""start" before authentication"#) {
            #expect(try $0.ask(.probe(.init($0.login, $0.site.alice))) == .probed(true))
            try $0.send(.start(0, "mark probed"))
        }
        table.add("a second signature", #""sign" before authentication"#) { try $0.send(.sign(.sample())) }
        table.add("a signal", #""signal" before authentication"#) { try $0.send(.signal(request: 0, name: "KILL")) }
        table.add("a close", #""closed" before authentication"#) { try $0.send(.closed(request: 0)) }
        table.add("a seventh user signature", #"more than 6 times "authenticate""#) { victim in
            for _ in 0..<6 {
                #expect(try victim.ask(.authentication(of: victim.site.alice, victim.login, [1])) == .authenticated(false))
            }
            try victim.send(.authentication(of: victim.site.alice, victim.login, [1]))
        }
        table.add("a sixty-fifth probe", #"more than 64 times "probe""#) { victim in
            for _ in 0..<64 { #expect(try victim.ask(.probe(.init(victim.login, .generate()))) == .probed(false)) }
            try victim.send(.probe(.init(victim.login, victim.site.alice)))
        }
    }

    /// After alice was let in.
    static let authenticated = table { (table: inout Table) in
        table.add("a second authentication", #""authenticate" after authentication"#) { victim in
            try victim.send(.authentication(of: victim.site.bob, "elsewhere", [1]))
        }
        table.add("a probe", #""probe" after authentication"#) { try $0.send(.probe(.init("elsewhere", $0.site.bob))) }
        table.add("a flood of signatures", #"more than 8 times "sign""#) { victim in
            for _ in 0..<8 { try victim.exchangeKeys() }
            try victim.send(.sign(.sample()))
        }
        table.add("an unknown key exchange method", #"an unknown key exchange method "none""#) { try $0.send(.sign(.sample(method: "none"))) }
        table.add("a first request with the number 1", #""start" after authentication"#) { try $0.send(.start(1, "mark gap")) }
        table.add("the last request number", #""start" after authentication"#) { try $0.send(.start(.max, "mark last")) }
        table.add("a request number twice", #""start" after authentication"#) {
            #expect(try $0.start(0, "help").isPrinted(.zero))
            try $0.send(.start(0, "mark twice"))
        }
        table.add("a gap in the request numbers", #""start" after authentication"#) {
            #expect(try $0.start(0, "help").isPrinted(.zero))
            try $0.send(.start(2, "mark gap"))
        }
        table.add("a signal for what was never started", #""signal" before its start"#) { try $0.send(.signal(request: 0, name: "TERM")) }
        table.add("a close of what was never started", #""closed" before its start"#) { try $0.send(.closed(request: 7)) }
    }

    /// At any time.
    static let malformed = table { (table: inout Table) in
        table.add("one byte more than the limit", "a bad message: tooLong(limit: \(FrontendMessage.longest))") {
            try $0.sendBytes([7] + [UInt8](repeating: 0, count: FrontendMessage.longest))
        }
        table.add("no known tag", "a malformed request: unknownMessage(0)") { try $0.sendBytes([0]) }
        table.add("the tag after the last", "a malformed request: unknownMessage(10)") { try $0.sendBytes([10, 0, 0, 0, 0]) }
        table.add("what a trap prints", "a malformed request: unknownMessage(70)") { try $0.sendBytes(Array("Fatal error: index out of range\n".utf8)) }
        table.add("no known kind of program", "a malformed request: unknownMessage(4)") { try $0.sendBytes([4, 0, 0, 0, 0, 4, 0, 0, 0, 0]) }
        table.add("a byte too many", "a malformed request: trailing(count: 1)") { try $0.sendBytes(FrontendMessage.farewell("so long").bytes + [0]) }
        table.add("a length beyond the message", "a malformed request: truncated(needed: 1024, remaining: 1)") {
            try $0.sendBytes([7, 0, 0, 4, 0, 65])
        }
        table.add("a length of 4 GiB", "a malformed request: tooLong(length: 4294967295, limit: 1024)") { try $0.sendBytes([7, 255, 255, 255, 255]) }
        table.add("text that is not UTF-8", "a malformed request: notUTF8") { try $0.sendBytes([7, 0, 0, 0, 1, 0xff]) }
        table.add("65 variables", "a malformed request: tooLong(length: 65, limit: 64)") {
            try $0.send(.start(request: 0, .shell, environment: Array(repeating: .init(name: "A", value: []), count: 65)))
        }
        table.add("four thousand million variables", "a malformed request: tooLong(length: 4294967295, limit: 64)") {
            try $0.sendBytes([4, 0, 0, 0, 0, 2, 255, 255, 255, 255])
        }
        table.add("descriptors", "a bad message: tooManyDescriptors(limit: 0)") { try $0.sendWithDescriptors(.farewell("take these")) }
    }
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
