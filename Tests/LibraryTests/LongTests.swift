import Foundation
import Linux
import SSHClient
import SSHServer
import Testing

@Suite("M16: many connections, one process", .serialized) struct LongTests {
    private static let atOnce = isLong ? 1000 : 50
    private static let inARow = isLong ? 10_000 : 100

    @Test func `at once`() async throws {
        let sample = try SampleServer()
        // All of them begin at once, and without optimisation each takes its time.
        var (serving, connecting) = (SSHServer.Configuration(), SSHClient.Configuration())
        (serving.loginGrace, connecting.connectTimeout) = (.seconds(600), .seconds(600))
        let server = try await sample.listen(serving)
        let configuration = connecting
        let clients = try await withThrowingTaskGroup(of: SSHClient.self) { group in
            for _ in 0..<Self.atOnce { group.addTask { try await sample.connect(server, configuration) } }
            var clients: [SSHClient] = []
            for try await client in group { clients.append(client) }
            return clients
        }
        #expect(server.connectionCount == Self.atOnce)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients {
                group.addTask {
                    let exit = try await client.run("who").exit
                    #expect(exit.isSuccess)
                }
            }
            try await group.waitForAll()
        }
        for client in clients { client.close() }
        #expect(try await eventually { server.connectionCount == 0 })
        server.close()
    }

    @Test func `in a row, without growth of memory or descriptors`() async throws {
        let sample = try SampleServer()
        let server = try await sample.listen()
        func session() async throws {
            let client = try await sample.connect(server)
            let exit = try await client.run("who").exit
            #expect(exit.isSuccess)
            client.close()
        }
        for _ in 0..<Self.inARow / 5 { try await session() }
        #expect(try await eventually { server.connectionCount == 0 })
        let (descriptors, memory) = try Self.resources()
        for _ in 0..<Self.inARow { try await session() }
        #expect(try await eventually { server.connectionCount == 0 })
        let (descriptorsAfter, memoryAfter) = try Self.resources()
        // Only these tests run where that is counted: others open files of their own.
        if isLong {
            #expect(descriptorsAfter <= descriptors + 8)
            #expect(memoryAfter < memory + 16 << 10, "\(memory) and then \(memoryAfter) KiB")
        }
        server.close()
    }

    /// Open descriptors, and resident memory in KiB.
    private static func resources() throws -> (descriptors: Int, memory: Int) {
        let status = String(decoding: try readFile("/proc/self/status", limit: 1 << 16), as: UTF8.self)
        let memory = status.firstMatch(of: /VmRSS:\s+(\d+) kB/).flatMap { Int($0.1) }
        return (try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count, try #require(memory))
    }
}
