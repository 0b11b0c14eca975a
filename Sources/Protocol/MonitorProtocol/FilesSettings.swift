public import SSHWire

/// The first message to `postern-files`: its arguments again. A static Swift program reads its own from /proc, which its sandbox has not.
public struct FilesSettings: Equatable, Sendable {
    public var arguments: [String]

    /// The largest message, in bytes: a path of a client, and the patterns of the policy.
    public static let longest = 160 * 1024
    private static let mostArguments = 4096

    public init(arguments: [String]) { self.arguments = arguments }

    public init(bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        let count = try reader.uint32()
        guard count <= Self.mostArguments else { throw .tooLong(length: Int(count), limit: Self.mostArguments) }
        arguments = []
        for _ in 0..<count { arguments.append(try reader.text(limit: Self.longest)) }
        try reader.finish()
    }

    public var bytes: [UInt8] {
        var writer = WireWriter()
        writer.uint32(UInt32(arguments.count))
        for argument in arguments { writer.text(argument) }
        return writer.bytes
    }
}
