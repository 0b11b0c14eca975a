import Linux
import Testing

@Suite("Messages with descriptors") struct DatagramTests {
    /// The numbers under which a file of memory is open in this process: what it is opened as is in its name.
    private func open(named name: String) throws -> Int {
        var found = 0
        for number in 0..<1024 {
            guard let link = try? readLink("/proc/self/fd/\(number)") else { continue }
            if link.contains(name) { found += 1 }
        }
        return found
    }

    @Test func `boundaries and descriptors are kept`() throws {
        let (a, b) = try Descriptor.socketPair()
        let file = try memoryFile(named: "passed")
        try file.writeAll([1, 2, 3])
        #expect(try a.send([1]))
        #expect(try a.send([2, 3], descriptors: [file, file]))
        #expect(try b.receive(limit: 10)?.bytes == [1])
        let second = try #require(try b.receive(limit: 10, maxDescriptors: 2))
        #expect(second.bytes == [2, 3])
        #expect(second.descriptors.count == 2)
        try second.descriptors[1].rewind()
        #expect(try second.descriptors[0].readAll(limit: 10) == [1, 2, 3])
    }

    @Test func `nothing yet, and the end`() throws {
        var (a, b): (Descriptor?, Descriptor) = try Descriptor.socketPair()
        try b.setNonBlocking()
        #expect(try b.receive(limit: 10) == nil)
        a = nil
        #expect(try b.receive(limit: 10)?.isEnd == true)
        _ = a
    }

    /// Limit and most descriptors of the receiver, for a message of 4 bytes with 3 descriptors.
    static let refused: [(limit: Int, most: Int, DatagramError)] = [
        (3, 3, .tooLong(limit: 3)), (4, 2, .tooManyDescriptors(limit: 2)), (4, 1, .tooManyDescriptors(limit: 1)),
        (4, 0, .tooManyDescriptors(limit: 0)),
    ]

    @Test(arguments: refused) func `what is too much is refused, and closed`(limit: Int, most: Int, expected: DatagramError) throws {
        let (a, b) = try Descriptor.socketPair()
        let name = "refused-\(limit)-\(most)-"
        let file = try memoryFile(named: name)
        try a.send([1, 2, 3, 4], descriptors: [file, file, file])
        #expect(throws: expected) { try b.receive(limit: limit, maxDescriptors: most) }
        #expect(try open(named: name) == 1)
        // The next message is not touched by it.
        try a.send([5])
        #expect(try b.receive(limit: 4)?.bytes == [5])
    }

    @Test func `a full socket takes no more`() throws {
        let (a, b) = try Descriptor.socketPair()
        try a.setNonBlocking()
        let message = [UInt8](repeating: 0, count: 4096)
        var sent = 0
        while try a.send(message) { sent += 1 }
        #expect(sent > 0)
        #expect(try b.receive(limit: 4096)?.bytes == message)
    }

    @Test func `a peer that goes without reading has closed`() throws {
        let a: Descriptor
        var b: Descriptor?
        (a, b) = try Descriptor.socketPair()
        try a.send([1])
        try b?.send([2])
        b = nil
        #expect(try a.receive(limit: 10)?.bytes == [2])
        #expect(try a.receive(limit: 10)?.isEnd == true)
    }
}

@Suite("Sockets") struct SocketTests {
    static let addresses: [(text: String, SocketAddress?)] = [
        ("22", .init(host: "::", port: 22)), ("127.0.0.1:0", .init(host: "127.0.0.1", port: 0)), ("[::1]:2222", .init(host: "::1", port: 2222)),
        ("::1:22", nil), ("65536", nil), ("", nil), (":22", nil), ("[]:22", nil), ("[::1]", nil), ("+1", nil), ("a:b", nil),
    ]

    @Test(arguments: addresses) func `ADDR:PORT is read`(text: String, expected: SocketAddress?) {
        #expect(SocketAddress(text) == expected)
    }

    @Test(arguments: ["127.0.0.1", "::1"]) func `a connection knows both its ends`(host: String) throws {
        let listener = try Descriptor.listen(on: SocketAddress(host: host, port: 0))
        try listener.setNonBlocking()
        #expect(try listener.accept() == nil)
        let address = try listener.localAddress()
        #expect(address.host == host)
        #expect(address.port != 0)
        let client = try Descriptor.connect(to: address)
        let server = try #require(try listener.accept())
        #expect(try server.peerAddress() == client.localAddress())
        #expect(try client.peerAddress() == address)
        #expect(server.isSocket)
        try server.setNoDelay()
        try server.setQuickAck()
        #expect(try server.write([1], 0..<1) == 1)
        try server.shutDown(receiving: false)
        #expect(try client.readAll(limit: 10) == [1])
    }

    @Test func `all addresses are IPv4 too, written as such`() throws {
        let listener = try Descriptor.listen(on: SocketAddress(host: "::", port: 0))
        let client = try Descriptor.connect(to: SocketAddress(host: "127.0.0.1", port: try listener.localAddress().port))
        #expect(try listener.accept()?.peerAddress() == client.localAddress())
    }

    @Test func `what is no socket has no address`() throws {
        let file = try openFile("/dev/null")
        #expect(!file.isSocket)
        #expect(throws: Errno(88)) { try file.peerAddress() }
        #expect(throws: Errno.addressNotAvailable) { try Descriptor.listen(on: SocketAddress(host: "localhost", port: 0)) }
    }
}
