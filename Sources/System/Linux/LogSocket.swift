internal import CLinux

/// The datagram socket of a log service of this machine, by its path; one that begins with "@" is in no file system.
///
/// It is connected when the first message is sent, and again when the service was restarted.
public final class LogSocket {
    private let path: String
    private var socket: Descriptor?

    /// A service that takes nothing for so long counts as gone.
    private static let patienceSeconds = 2

    public init(_ path: String) { self.path = path }

    /// Sends one message of at least one byte.
    public func send(_ bytes: [UInt8]) throws(Errno) {
        try withSocket { (socket) throws(Errno) in
            guard try socket.send(bytes) else { throw .wouldBlock }
        }
    }

    /// As ``send(_:)``; what is too long for a message goes as a sealed file in memory (Native Journal Protocol).
    func sendWhole(_ bytes: [UInt8]) throws(Errno) {
        do throws(Errno) {
            try send(bytes)
        } catch .messageTooLong {
            let file = try sealedMemoryFile(named: "journal-entry", bytes)
            try withSocket { (socket) throws(Errno) in try socket.sendOnly(file) }
        }
    }

    private func withSocket(_ body: (Descriptor) throws(Errno) -> Void) throws(Errno) {
        if let socket {
            do throws(Errno) {
                return try body(socket)
            } catch .connectionRefused, .notConnected, .brokenPipe, .connectionReset {
                // The service was restarted: its name is another socket now.
                self.socket = nil
            }
        }
        let fresh = try Descriptor.connectForDatagrams(to: path, patienceSeconds: Self.patienceSeconds)
        socket = fresh
        try body(fresh)
    }
}

extension Descriptor {
    /// Sends a descriptor with an empty message.
    fileprivate func sendOnly(_ descriptor: Descriptor) throws(Errno) {
        // SAFETY: no bytes and one number are read.
        try checked { unsafe postern_send(number, nil, 0, [descriptor.number], 1) }
        withExtendedLifetime(descriptor) {}
    }
}

/// A file in memory that nobody can change any more (memfd_create(2), fcntl(2)).
private func sealedMemoryFile(named name: String, _ bytes: [UInt8]) throws(Errno) -> Descriptor {
    // SAFETY: the string is passed as a NUL-terminated copy that lives during the call.
    let file = Descriptor(owning: try checked { unsafe memfd_create(name, UInt32(MFD_CLOEXEC) | UInt32(MFD_ALLOW_SEALING)) })
    try file.writeAll(bytes)
    try checked { postern_fcntl(file.number, addSeals, sealSeal | sealShrink | sealGrow | sealWrite) }
    return file
}

// linux/fcntl.h: F_ADD_SEALS and F_SEAL_….
private let addSeals: Int32 = 1033
private let (sealSeal, sealShrink, sealGrow, sealWrite): (Int32, Int32, Int32, Int32) = (1, 2, 4, 8)

extension Errno {
    public static let messageTooLong = Errno(EMSGSIZE)
}
