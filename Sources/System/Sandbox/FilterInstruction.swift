/// One record of a seccomp program (`struct sock_filter`): a code, two jump distances, an operand.
public struct FilterInstruction: Equatable, Sendable {
    /// What becomes of the call (linux/seccomp.h).
    public enum Verdict: Equatable, Sendable {
        case allow
        /// It returns this errno.
        case fail(Int32)
        /// Whoever holds the listener answers (``DenialLog``).
        case notify
        /// A tracer decides; without one it is not implemented.
        case trace
        case kill

        /// The value the program returns for it.
        public var operand: UInt32 {
            switch self {
            case .allow: 0x7fff_0000
            case .fail(let number): 0x0005_0000 | UInt32(truncatingIfNeeded: number) & 0xffff
            case .notify: 0x7fc0_0000
            case .trace: 0x7ff0_0000
            case .kill: 0x8000_0000
            }
        }
    }

    private let code: UInt16
    private let ifTrue: UInt8
    private let ifFalse: UInt8
    private let operand: UInt32

    private init(_ code: UInt16, _ ifTrue: UInt8, _ ifFalse: UInt8, _ operand: UInt32) {
        self.code = code
        self.ifTrue = ifTrue
        self.ifFalse = ifFalse
        self.operand = operand
    }

    /// The number of the call.
    public static let loadNumber = FilterInstruction(0x20, 0, 0, 0)
    private static let loadArchitecture = FilterInstruction(0x20, 0, 0, 4)

    /// The lower 32 bits of an argument, 0 to 5, on a little-endian machine.
    public static func load(argument: Int) -> FilterInstruction {
        precondition(0..<6 ~= argument, "a system call has six arguments")
        return FilterInstruction(0x20, 0, 0, UInt32(16 + 8 * argument))
    }

    public static func and(_ mask: UInt32) -> FilterInstruction { FilterInstruction(0x54, 0, 0, mask) }

    /// Skips `then` or `otherwise` instructions.
    public static func jump(ifEqual value: UInt32, then: UInt8, otherwise: UInt8) -> FilterInstruction {
        FilterInstruction(0x15, then, otherwise, value)
    }

    public static func jump(ifAtLeast value: UInt32, then: UInt8, otherwise: UInt8) -> FilterInstruction {
        FilterInstruction(0x35, then, otherwise, value)
    }

    /// Skips `count` instructions.
    public static func skip(_ count: Int) -> FilterInstruction { FilterInstruction(0x05, 0, 0, UInt32(count)) }

    public static func jump(ifBits bits: UInt32, then: UInt8, otherwise: UInt8) -> FilterInstruction {
        FilterInstruction(0x45, then, otherwise, bits)
    }

    public static func finish(_ verdict: Verdict) -> FilterInstruction { FilterInstruction(0x06, 0, 0, verdict.operand) }

    /// In this machine's byte order.
    public var bytes: [UInt8] {
        [UInt8(code & 0xff), UInt8(code >> 8), ifTrue, ifFalse] + (0..<4).map { UInt8(truncatingIfNeeded: operand >> (8 * $0)) }
    }

    /// How every program begins: calls of another architecture kill; then the number is loaded.
    public static func refuseCalls(foreignTo architecture: Architecture) -> [FilterInstruction] {
        let own = [loadArchitecture, jump(ifEqual: architecture.rawValue, then: 1, otherwise: 0), finish(.kill), loadNumber]
        // x32 shares the architecture and marks its numbers with this bit.
        return architecture == .x86_64 ? own + [jump(ifBits: 0x4000_0000, then: 0, otherwise: 1), finish(.kill)] : own
    }
}
