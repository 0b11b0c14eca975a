import Linux
import Testing

@Suite("Descriptors are owned") struct DescriptorTests {
    @Test func `a pipe says nothing yet, bytes, end`() throws {
        var (reading, writing): (Descriptor, Descriptor?) = try Descriptor.pipe()
        var bytes = [UInt8](repeating: 0, count: 8)
        try reading.setNonBlocking()
        #expect(try reading.read(into: &bytes, 2..<5) == nil)
        #expect(try writing?.write([9, 8, 7, 6], 1..<3) == 2)
        #expect(try reading.read(into: &bytes, 2..<5) == 2)
        #expect(bytes == [0, 0, 8, 7, 0, 0, 0, 0])
        #expect(try reading.read(into: &bytes, 3..<3) == 0)
        writing = nil
        #expect(try reading.read(into: &bytes, 0..<8) == 0)
        reading = try Descriptor.pipe().reading
    }

    @Test func `a full pipe takes no more`() throws {
        let (reading, writing) = try Descriptor.pipe()
        try writing.setNonBlocking()
        let many = [UInt8](repeating: 1, count: 1 << 20)
        let taken = try #require(try writing.write(many, many.indices))
        #expect(taken < many.count)
        #expect(try writing.write(many, many.indices) == nil)
        withExtendedLifetime(reading) {}
    }

    @Test func `writing to nobody is an error, not the end`() throws {
        ignoreBrokenPipes()
        let writing = try Descriptor.pipe().writing
        #expect(throws: Errno.brokenPipe) { try writing.write([1], 0..<1) }
    }

    @Test func `reading whole has a limit`() throws {
        for (count, limit, fails) in [(0, 0, false), (100_000, 100_000, false), (100_001, 100_000, true), (1, 0, true)] {
            let file = try memoryFile(named: "test")
            try file.writeAll([UInt8](repeating: 7, count: count))
            try file.rewind()
            if fails {
                #expect(throws: Errno.fileTooLarge) { try file.readAll(limit: limit) }
            } else {
                #expect(try file.readAll(limit: limit).count == count)
            }
        }
    }

    @Test func `errors are words`() {
        #expect("\(Errno.notFound)" == "no such file or directory")
        #expect("\(Errno(4095))" == "error 4095")
    }
}

@Suite("Waiting with ppoll") struct PollSetTests {
    @Test func `what is ready is told by its token`() throws {
        let (reading, writing) = try Descriptor.pipe()
        var poll = PollSet()
        poll.add(reading, .readable, token: 7)
        #expect(try poll.wait(timeout: .zero) == [])
        poll.add(writing, .writable, token: 8)
        #expect(try poll.wait(timeout: nil) == [.init(token: 8, events: .writable)])
        try writing.writeAll([1])
        poll.removeAll()
        poll.add(reading, .readable, token: 9)
        #expect(try poll.wait(timeout: .seconds(5)) == [.init(token: 9, events: .readable)])
    }

    @Test func `the end of the other side is always told`() throws {
        let reading = try Descriptor.pipe().reading
        var poll = PollSet()
        poll.add(reading, [], token: 1)
        #expect(try poll.wait(timeout: .seconds(5)) == [.init(token: 1, events: .hungUp)])
    }
}
