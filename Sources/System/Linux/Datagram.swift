internal import CLinux

/// One message of a `SOCK_SEQPACKET` socket, with the descriptors that came along.
public struct Datagram: Sendable {
    public let bytes: [UInt8]
    public let descriptors: [Descriptor]

    /// The peer has closed: there will be no further message. (Nobody sends empty ones.)
    public var isEnd: Bool { bytes.isEmpty && descriptors.isEmpty }
}

/// Why a message was not accepted. What it held is gone, its descriptors closed.
public enum DatagramError: Error, Equatable, Sendable {
    case system(Errno)
    case tooLong(limit: Int)
    case tooManyDescriptors(limit: Int)
}

extension Descriptor {
    /// The most descriptors in one message.
    public static let maxPassed = Int(POSTERN_MAX_PASSED)

    /// Two connected sockets that keep message boundaries.
    public static func socketPair() throws(Errno) -> (Descriptor, Descriptor) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: socketpair(2) writes two numbers, and the array has room for two.
        try checked { unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) }
        return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
    }

    /// Sends one message, which is not empty, with at most ``maxPassed`` descriptors.
    ///
    /// - Returns: false when the socket has no room now; nothing was sent.
    @discardableResult
    public func send(_ bytes: [UInt8], descriptors: [Descriptor] = []) throws(Errno) -> Bool {
        precondition(!bytes.isEmpty, "an empty message would look like the end")
        precondition(descriptors.count <= Self.maxPassed, "too many descriptors")
        let numbers = descriptors.map(\.number)
        let sent = try unlessBlocking {
            // SAFETY: sendmsg(2) reads as many bytes and numbers as the arrays hold.
            unsafe postern_send(number, bytes, bytes.count, numbers, numbers.count)
        }
        // The numbers are only good while their owners live.
        withExtendedLifetime(descriptors) {}
        return sent != nil
    }

    /// The length of the next message, which stays where it is. By recvmsg(2), as all else, since the frontend has no other call.
    private var nextLength: Int {
        // SAFETY: with nowhere to write to, recvmsg(2) writes only the structure.
        var message = unsafe msghdr()
        return unsafe recvmsg(number, &message, Int32(MSG_PEEK) | Int32(MSG_TRUNC))
    }

    /// Receives one message whole, or not at all.
    ///
    /// - Returns: nil when there is none now; ``Datagram/isEnd`` when the peer has closed.
    public func receive(limit: Int, maxDescriptors: Int = 0) throws(DatagramError) -> Datagram? {
        precondition(limit > 0 && 0...Self.maxPassed ~= maxDescriptors, "limit out of range")
        var numbers = [Int32](repeating: -1, count: Self.maxPassed)
        var count = 0
        var flags: Int32 = 0
        var received: Int?
        let bytes: [UInt8]
        do throws(Errno) {
            // Most messages are small: only as much memory as the next one needs, and none when there is none.
            guard let length = try unlessBlocking({ nextLength }) else { return nil }
            let capacity = min(length, limit)
            // SAFETY: the closure initialises as many bytes as it says, at most `capacity`.
            bytes = try unsafe [UInt8](unsafeUninitializedCapacity: capacity) { (buffer, initialized) throws(Errno) in
                let base = buffer.baseAddress
                received = try unlessBlocking {
                    // SAFETY: the call writes at most `capacity` bytes and `maxDescriptors` numbers.
                    unsafe postern_receive(number, base, capacity, &numbers, maxDescriptors, &count, &flags)
                }
                initialized = min(received ?? 0, capacity)
            }
        } catch Errno.connectionReset {
            // The peer has closed without reading all that we sent. This is told once, before what it sent to us.
            return try receive(limit: limit, maxDescriptors: maxDescriptors)
        } catch {
            throw .system(error)
        }
        guard received != nil else { return nil }
        // Owned first, so that they are closed whatever is found wrong.
        let descriptors = numbers.prefix(count).map { Descriptor(owning: $0) }
        if flags & Int32(MSG_TRUNC) != 0 { throw .tooLong(limit: limit) }
        if flags & Int32(MSG_CTRUNC) != 0 { throw .tooManyDescriptors(limit: maxDescriptors) }
        return Datagram(bytes: bytes, descriptors: descriptors)
    }
}
