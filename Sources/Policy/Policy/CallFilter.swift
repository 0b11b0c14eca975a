/// A sandbox's system calls, ready for the kernel and for whoever answers those that are denied.
public struct CallFilter: Equatable, Sendable {
    /// A finished seccomp program: `struct sock_filter` records of 8 bytes in this machine's byte order. Never empty in a compiled policy.
    public var program: [UInt8]
    /// What the program hands over to be answered.
    public var denials: DenialTable
    /// The Landlock ABI it counts on: below 3 it denies truncate(2) itself.
    public var landlockABI: UInt8

    public init(program: [UInt8] = [], denials: DenialTable = DenialTable([]), landlockABI: UInt8 = 0) {
        self.program = program
        self.denials = denials
        self.landlockABI = landlockABI
    }
}

/// A system call that a sandbox denies.
public struct DeniedCall: Equatable, Sendable {
    public enum Answer: Equatable, Sendable {
        /// It fails with this errno, 1 to 255.
        case error(UInt8)
        /// The command ends.
        case end
    }

    public var number: UInt16
    public var name: String
    public var answer: Answer
    /// The argument that was judged, 0 to 5, for the record; nil where the call is denied whatever its arguments are.
    public var argument: UInt8?

    public init(number: UInt16, name: String, answer: Answer, argument: UInt8? = nil) {
        self.number = number
        self.name = name
        self.answer = answer
        self.argument = argument
    }
}

/// Denied calls by number, in a few bytes each, which are looked at only when a call was denied.
public struct DenialTable: Equatable, Sendable {
    /// Of each: number (two bytes, the lower first), errno or 0 for the end, argument or 255, the name's length, the name.
    public let bytes: [UInt8]

    /// Takes what ``bytes`` was.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    public init(_ calls: [DeniedCall]) {
        bytes = calls.flatMap { call in
            let answer: UInt8 = if case .error(let number) = call.answer { number } else { 0 }
            let name = Array(call.name.utf8.prefix(255))
            return [UInt8(call.number & 0xff), UInt8(call.number >> 8), answer, call.argument ?? 255, UInt8(name.count)] + name
        }
    }

    /// The call with that number; nil where it is not listed.
    public subscript(number: Int) -> DeniedCall? {
        var at = 0
        while at + 5 <= bytes.count, at + 5 + Int(bytes[at + 4]) <= bytes.count {
            let end = at + 5 + Int(bytes[at + 4])
            if Int(bytes[at]) | Int(bytes[at + 1]) << 8 == number {
                return DeniedCall(
                    number: UInt16(number), name: String(decoding: bytes[at + 5..<end], as: UTF8.self),
                    answer: bytes[at + 2] == 0 ? .end : .error(bytes[at + 2]), argument: bytes[at + 3] < 6 ? bytes[at + 3] : nil)
            }
            at = end
        }
        return nil
    }
}
