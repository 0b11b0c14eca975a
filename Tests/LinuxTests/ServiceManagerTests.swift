import Linux
import Testing

@Suite("sd_notify(3)") struct ServiceManagerTests {
    @Test func `tells each state, to a socket in the file system and to one that is in none`() throws {
        let scratch = try Scratch()
        for path in ["\(scratch.path)/notify", "@postern-test-\(processID)"] {
            let heard = try Descriptor.receiveDatagrams(at: path)
            let manager = ServiceManager(socket: path)
            let before = Clock.uptime
            for state in [ServiceManager.State.ready, .reloading, .stopping] { try manager.tell(state) }
            try manager.pass(Array("X=1".utf8))
            var messages: [String] = []
            while let message = try heard.receive(limit: 1000) { messages.append(String(decoding: message.bytes, as: UTF8.self)) }
            #expect(messages.count == 4 && messages[0] == "READY=1" && messages[2] == "STOPPING=1" && messages[3] == "X=1", "\(messages)")
            let time = try #require(messages[1].wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=(\d+)/).flatMap { Int64($0.1) }, "\(messages)")
            #expect(before - .microseconds(1) <= .microseconds(time) && .microseconds(time) <= Clock.uptime)
        }
    }

    @Test func `nobody has to listen, and one who was named and does not is an error`() throws {
        try ServiceManager(socket: nil).tell(.ready)
        try ServiceManager(socket: "no path").tell(.ready)
        #expect(throws: Errno.connectionRefused) { try ServiceManager(socket: "@postern-test-nobody").tell(.ready) }
    }
}
