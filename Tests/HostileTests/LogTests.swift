import Foundation
import Linux
import MonitorProtocol
import SSHWire
import Testing

extension Hostile {
    @Suite("Nothing a frontend says can forge a record") struct Forging {
        static let texts = [
            "bye\n{\"event\":\"authentication\",\"result\":\"granted\"}", "bye\r\nposternd: 00000000 alice logs in as root", "a\"},{\"event\":\"x\"",
            "\u{1b}[2J\u{1b}]0;title\u{7}", "\u{202e}reversed\u{2066}", "\u{9b}31m", "line\u{2028}separator\u{2029}", "nul\0nul", "back\\slash\\n",
            String(repeating: "\u{0}", count: FrontendMessage.longestFarewell), "",
        ]

        @Test(arguments: texts, Role.available)
        func `a farewell is one value of one record, whatever is in it`(text: String, role: Role) throws {
            for (message, isFault) in [(FrontendMessage.farewell(text), false), (.fault(text), true)] {
                let victim = try Victim(as: role)
                try victim.send(message)
                let record = try victim.leave()
                // What is very long is cut, and the record says so.
                let isShortened = record.all("disconnect").contains { $0["shortened"] as? Bool == true }
                #expect(isShortened ? text.hasPrefix(record.farewell) && record.farewell.count > 100 : record.farewell == text)
                #expect(record.violations == [] && record.all("authentication").isEmpty)
                record.expectSound(victim.site, isFault: isFault)
            }
        }

        @Test(arguments: texts, Role.available)
        func `names and methods are shown, not obeyed`(text: String, role: Role) throws {
            let victim = try Victim(as: role)
            try victim.exchangeKeys()
            var credential = FrontendMessage.Credential(String(text.prefix(150)), victim.site.mallory)
            #expect(try victim.ask(.probe(credential)) == .probed(false))
            credential.algorithm = String(text.prefix(150))
            #expect(try victim.ask(.authenticate(credential, signature: [])) == .authenticated(false))
            credential.key = Array(text.utf8)
            #expect(try victim.ask(.probe(credential)) == .probed(false))
            let record = try victim.leave()
            #expect(record.texts("authentication", "login") == Array(repeating: String(text.prefix(150)), count: 3))
            record.expectSound(victim.site)

            let second = try Victim(as: role)
            try second.send(.sign(.sample(method: String(text.prefix(150)))))
            #expect(try second.receive() == nil)
            let violated = try second.ended()
            #expect(violated.violations.count == 1)
            violated.expectSound(second.site)

            let third = try Victim(as: role)
            var exchange = FrontendMessage.KeyExchangeRecord.sample()
            exchange.hostKeyAlgorithm = String(text.prefix(150))
            try third.send(.sign(exchange))
            #expect(try third.receive() == nil)
            try third.ended().expectSound(third.site)
        }

        @Test(arguments: Role.available)
        func `a second farewell is one too many`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.send(.farewell("first"))
            try victim.send(.farewell("second"))
            #expect(try victim.receive() == nil)
            let record = try victim.ended()
            #expect(record.violations == [#""farewell" after the farewell"#])
            record.expectSound(victim.site)
        }

        /// What a key's holder can write into the log by requests that start nothing.
        @Test(arguments: Role.available)
        func `of very many refused requests the number is recorded`(role: Role) throws {
            let victim = try Victim(as: role)
            try victim.enter()
            for request in 0..<600 { #expect(try victim.ask(.start(request: UInt32(request), .exec(Array("no".utf8)), environment: [])).isPrinted(126)) }
            let record = try victim.leave()
            let recorded = record.all("decision").count
            #expect((30..<100).contains(recorded))
            #expect(record.all("suppressed").compactMap { $0["count"] as? Int }.reduce(recorded, +) == 600)
            #expect(record.texts("suppressed", "key").allSatisfy { $0 == "alice" })
            record.expectSound(victim.site)
        }

        /// On a pipe that several connections share only writes of up to 4096 bytes stay whole (pipe(7)).
        @Test(arguments: Role.available)
        func `a record fits into one write, however long the command line`(role: Role) throws {
            let log = try Descriptor.pipe()
            let victim = try Victim(as: role, log: log.writing)
            try victim.enter()
            let words = Array(repeating: "word", count: 200).joined(separator: " ")
            let lines = [[UInt8](repeating: 0xff, count: WireLimit.packet), Array(repeating: 10, count: 9000), Array("mark \(words)".utf8)]
            for (request, line) in lines.enumerated() {
                #expect(try victim.ask(.start(request: UInt32(request), .exec(line), environment: [])).isPrinted(126))
            }
            try victim.exitFrontend()
            let exit = try waitForExit(victim.process)
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let count = try #require(try log.reading.read(into: &buffer, buffer.indices))
            let written = buffer[..<count].split(separator: 10, omittingEmptySubsequences: false).dropLast()
            #expect(written.allSatisfy { $0.count < 4096 })
            let record = Record(exit: exit, connectionID: victim.connectionID, log: String(decoding: buffer[..<count], as: UTF8.self))
            #expect(record.texts("decision", "verdict") == ["refuse", "refuse", "refuse"])
            #expect(record.all("decision").compactMap { $0["shortened"] as? Bool } == [true, true])
            record.expectSound(victim.site)
        }
    }
}
