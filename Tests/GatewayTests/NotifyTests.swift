import Linux
import Synchronization
import Testing

@Suite("sd_notify(3): a service manager is told") struct NotifyTests {
    /// What a service manager hears.
    private final class Manager: Sendable {
        private let socket = Mutex<Descriptor?>(nil)

        func listen(at path: String) throws { let made = try Descriptor.receiveDatagrams(at: path); socket.withLock { $0 = made } }

        /// The next message, whole.
        func next() throws -> String {
            let socket = try #require(socket.withLock { $0 })
            var message: Datagram?
            #expect(try becomesTrue(within: .seconds(20)) {
                message = try socket.receive(limit: 4096)
                return message != nil
            })
            return String(decoding: message?.bytes ?? [], as: UTF8.self)
        }
    }

    @Test(arguments: ["$DIRECTORY/notify", "@postern-test-\(processID)"])
    func `that posternd listens, reads the policy anew, and stops`(path: String) throws {
        let manager = Manager()
        var policy = TestPolicy()
        policy.launcher = ["/usr/bin/env", "NOTIFY_SOCKET=\(path)"]
        policy.prepare = { directory in try manager.listen(at: path.replacing("$DIRECTORY", with: directory)) }
        try Gateway.serving(policy) { gateway in
            #expect(try manager.next() == "READY=1")
            // Nothing of a connection speaks for it, and no command is told where.
            #expect(try gateway.script("env | grep NOTIFY || echo none").output == "none\n")
            try gateway.process.child.sendSignal(.hangUp)
            let reloading = try manager.next()
            #expect(reloading.wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=\d+/) != nil, "\(reloading)")
            #expect(try manager.next() == "READY=1")
            try gateway.process.child.sendSignal(.terminate)
            #expect(try manager.next() == "STOPPING=1")
        }
    }

    @Test func `by "postern serve" too`() throws {
        let manager = Manager()
        var policy = TestPolicy()
        policy.prepare = { directory in try manager.listen(at: "\(directory)/notify") }
        try Gateway.serving(policy) { gateway in
            let words = [try Gateway.program("postern"), "serve", "\(gateway.directory)/policy.toml", "--listen", "127.0.0.1:0", "--host-key", "\(gateway.directory)/host"]
            let serving = try RunningProgram(words, environment: ["NOTIFY_SOCKET=\(gateway.directory)/notify"])
            #expect(try manager.next() == "READY=1")
            #expect(try becomesTrue(within: .seconds(10)) { serving.errorsSoFar.contains("serving ") })
            try serving.child.sendSignal(.terminate)
            #expect(try manager.next() == "STOPPING=1")
            #expect(try serving.wait(.seconds(20)).code == 0)
        }
    }
}
