import Linux
import MonitorProtocol
import SSHKeys
import SSHWire
import Sandbox
import Sodium
import Testing

/// A monitor that serves one connection, whose frontend does what the test says.
final class Victim {
    enum Fault: Error, Equatable {
        /// Nothing came for too long.
        case silence
        case wrongReport(UInt8)
        /// The monitor has ended the frontend where an answer was expected.
        case ended
    }

    let site: Site
    let role: Role
    /// As the monitor sent it, without CR LF.
    let identification: String
    let process: ChildProcess
    private let connection: Descriptor
    private let log: Descriptor
    private var unread: [UInt8] = []

    /// Everything here takes milliseconds; on a loaded machine, more.
    static let patience: Duration = .seconds(30)

    /// - Parameter log: where the monitor's log goes, if not into memory, for ``ended()``.
    init(as role: Role, policy: String = "policy", log given: Descriptor? = nil) throws {
        site = try Site.shared.get()
        self.role = role
        let (ours, theirs) = try connectedPair()
        connection = ours
        log = try given ?? memoryFile(named: "log")
        process = try Self.start(site, role, policy, "hostile", connection: theirs, log: log)
        try connection.setNonBlocking()
        var greeting: [UInt8] = []
        while greeting.suffix(2) != [13, 10] {
            guard greeting.count < 255, let byte = try Self.read(1, from: ours, &unread) else { throw Fault.ended }
            greeting += byte
        }
        identification = String(decoding: greeting.dropLast(2), as: UTF8.self)
    }

    static func start(
        _ site: Site, _ role: Role, _ policy: String, _ frontend: String, connection: Descriptor, log: Descriptor, _ options: [String] = []
    ) throws -> ChildProcess {
        let program = "\(site.directory)/\(frontend)/posternd"
        let null = try openFile("/dev/null", .readWrite)
        var plan = ProcessPlan(
            program: .path(program),
            arguments: [program, "-v", "--policy", site.file(policy, role), "--host-key", site.file("host", role)] + options,
            environment: ["SWIFT_BACKTRACE=enable=no"], input: connection, output: null, error: log)
        if role == .root {
            plan.keepsPrivileges = true
        } else if Users.currentUID == 0 {
            plan.identity = .init(uid: site.account.uid, gid: site.account.gid, groups: [])
        }
        return try launch(plan)
    }

    /// What is in every record of this connection.
    var connectionID: String { String(identification.suffix(8)) }

    // MARK: - Orders to the frontend

    /// As HostileFrontend/Puppet.swift has them.
    enum Order: UInt8 {
        case send = 1, sendWithDescriptors, sendEmpty, receive, readOutput, closeChannel, breakOut, exit, flood
    }

    func send(_ message: FrontendMessage) throws { try order(.send, message.bytes) }
    func sendBytes(_ bytes: [UInt8]) throws { try order(.send, bytes) }
    func sendWithDescriptors(_ message: FrontendMessage) throws { try order(.sendWithDescriptors, message.bytes) }
    func sendEmpty() throws { try order(.sendEmpty) }
    func closeChannel() throws { try order(.closeChannel) }
    func breakOut() throws { try order(.breakOut) }
    func exitFrontend() throws { try order(.exit) }
    /// Sends the same again and again, to the end.
    func flood(_ message: FrontendMessage) throws { try order(.flood, message.bytes) }

    /// The next answer, without what began the connection; nil when the monitor has ended the frontend.
    func receive() throws -> MonitorMessage? {
        try order(.receive)
        while let (report, bytes) = try report() {
            guard report == 1 else { return nil }
            let message = try MonitorMessage(bytes: Array(bytes.dropFirst()))
            #expect(bytes[0] == message.descriptors, "descriptors of \(message)")
            guard case .begin = message else { return message }
            try order(.receive)
        }
        return nil
    }

    /// The answer to a question.
    func ask(_ message: FrontendMessage) throws -> MonitorMessage {
        try send(message)
        guard let answer = try receive() else { throw Fault.ended }
        return answer
    }

    /// What the last command that was started writes to its standard output.
    func output() throws -> String {
        try order(.readOutput)
        guard let (report, bytes) = try report() else { throw Fault.ended }
        guard report == 3 else { throw Fault.wrongReport(report) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A frontend that has ended takes no orders: that shows when its report does not come.
    private func order(_ order: Order, _ bytes: [UInt8] = []) throws {
        var writer = WireWriter()
        writer.byte(order.rawValue)
        writer.string(bytes)
        try write(writer.bytes)
    }

    private func write(_ bytes: [UInt8]) throws {
        var position = 0
        while position < bytes.count {
            guard let count = try writeOnce(bytes, position..<bytes.count) else {
                guard try wait(for: connection, .writable) else { throw Fault.silence }
                continue
            }
            position += count
        }
    }

    /// What goes to a frontend that has ended is lost.
    private func writeOnce(_ bytes: [UInt8], _ range: Range<Int>) throws -> Int? {
        do {
            return try connection.write(bytes, range)
        } catch Errno.brokenPipe, Errno.connectionReset {
            return range.count
        }
    }

    private func report() throws -> (UInt8, [UInt8])? {
        guard let head = try Self.read(5, from: connection, &unread) else { return nil }
        var reader = WireReader(head, in: 1..<5)
        guard let bytes = try Self.read(Int(try reader.uint32()), from: connection, &unread) else { return nil }
        return (head[0], bytes)
    }

    private static func read(_ count: Int, from connection: Descriptor, _ unread: inout [UInt8]) throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while unread.count < count {
            guard try wait(for: connection, .readable) else { throw Fault.silence }
            guard let more = try readOnce(connection, &buffer) else { continue }
            if more == 0 { return nil }
            unread += buffer[..<more]
        }
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
    }

    // MARK: - The end

    /// Waits until the monitor has ended the connection by itself, and reads its log.
    func ended() throws -> Record {
        let exit = try waitForExit(process)
        try log.rewind()
        let text = String(decoding: try log.readAll(limit: 1 << 28), as: UTF8.self)
        return Record(exit: exit, connectionID: connectionID, log: text)
    }

    /// Leaves, as a client does, and waits for the end.
    func leave() throws -> Record {
        try exitFrontend()
        return try ended()
    }

    /// What the monitor has logged up to now.
    func logged() throws -> String {
        String(decoding: try readFile("/proc/self/fd/\(log.number)", limit: 1 << 28), as: UTF8.self)
    }

    deinit {
        // One that a failed test leaves behind.
        do { try process.sendSignal(.kill) } catch {}
    }
}

/// Both ends of a TCP connection on loopback.
func connectedPair() throws -> (client: Descriptor, server: Descriptor) {
    let listener = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0))
    let client = try Descriptor.connect(to: try listener.localAddress())
    // An order is two writes: the second is not to wait for an acknowledgement of the first.
    try client.setNoDelay()
    guard let server = try listener.accept() else { throw Errno.wouldBlock }
    return (client, server)
}

/// - Returns: false when nothing came for too long.
func wait(for descriptor: Descriptor, _ events: PollSet.Events, _ patience: Duration = Victim.patience) throws(Errno) -> Bool {
    var poll = PollSet()
    poll.add(descriptor, events, token: 0)
    let deadline = Clock.monotonic + patience
    while Clock.monotonic < deadline {
        if try !poll.wait(timeout: deadline - Clock.monotonic).isEmpty { return true }
    }
    return false
}

/// Waits for the end of a process that should be about to end; one that is not is killed.
func waitForExit(_ process: ChildProcess) throws -> Exit {
    if try !wait(for: process.pidfd, .readable) {
        Issue.record("the process does not end")
        try process.sendSignal(.kill)
    }
    return try process.waitUntilExit()
}

extension MonitorMessage {
    fileprivate var descriptors: UInt8 {
        switch self {
        case .begin: 1
        case .started: UInt8(Self.descriptorsOfStarted)
        default: 0
        }
    }
}

/// Reads once. A connection that was reset has ended too.
func readOnce(_ connection: Descriptor, _ buffer: inout [UInt8]) throws -> Int? {
    do {
        return try connection.read(into: &buffer, buffer.indices)
    } catch Errno.connectionReset {
        return 0
    }
}
