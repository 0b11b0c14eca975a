/// A seccomp program that allows a short list of system calls and kills the process at any other (seccomp(2)).
///
/// Assembled here in plain Swift, so that what confines the frontend can be read on one page.
public struct FilterProgram: Equatable, Sendable {
    /// A condition on the lower 32 bits of an argument; all that are given must hold.
    public enum Check: Equatable, Sendable {
        /// None of these bits is set.
        case without(argument: Int, bits: UInt32)
        case equals(argument: Int, UInt32)
    }

    public struct Call: Equatable, Sendable {
        public let name: String
        public let number: UInt32
        public let checks: [Check]

        public init(_ name: String, _ number: Int32, _ checks: [Check] = []) {
            precondition(number >= 0, "a system call has a number")
            self.name = name
            self.number = UInt32(number)
            self.checks = checks
        }
    }

    private var instructions: [Instruction] = []

    /// Calls that are made often come first.
    public init(allowing calls: [Call]) {
        // struct seccomp_data: number, architecture, instruction pointer, six arguments of 8 bytes.
        emit(.load(offset: 4))
        killUnless(equal: Self.architecture)
        emit(.load(offset: 0))
        #if arch(x86_64)
            // x32 shares the architecture and marks its numbers with this bit.
            emit(.jump(ifBits: 0x4000_0000, then: 0, otherwise: 1))
            emit(.finish(Self.kill))
        #endif
        for call in calls { allow(call) }
        emit(.finish(Self.kill))
    }

    /// Records of 8 bytes in this machine's byte order, for ``ProcessPlan/filter``.
    public var bytes: [UInt8] { instructions.flatMap(\.bytes) }

    private mutating func allow(_ call: Call) {
        var checks: [Instruction] = []
        for check in call.checks { checks += Self.instructions(for: check) }
        // Past the checks and the verdict, on to the next call.
        emit(.jump(ifEqual: call.number, then: 0, otherwise: UInt8(checks.count + 1)))
        instructions += checks
        emit(.finish(Self.allow))
    }

    private static func instructions(for check: Check) -> [Instruction] {
        switch check {
        case .without(let argument, let bits):
            [.load(offset: offset(of: argument)), .jump(ifBits: bits, then: 0, otherwise: 1), .finish(kill)]
        case .equals(let argument, let value):
            [.load(offset: offset(of: argument)), .jump(ifEqual: value, then: 1, otherwise: 0), .finish(kill)]
        }
    }

    /// Of the lower half, on a little-endian machine.
    private static func offset(of argument: Int) -> UInt32 {
        precondition(0..<6 ~= argument, "a system call has six arguments")
        return UInt32(16 + 8 * argument)
    }

    private mutating func killUnless(equal value: UInt32) {
        emit(.jump(ifEqual: value, then: 1, otherwise: 0))
        emit(.finish(Self.kill))
    }

    private mutating func emit(_ instruction: Instruction) { instructions.append(instruction) }

    // The values of linux/seccomp.h and linux/audit.h.
    private static let kill: UInt32 = 0x8000_0000
    private static let allow: UInt32 = 0x7fff_0000
    #if arch(x86_64)
        private static let architecture: UInt32 = 0xc000_003e
    #elseif arch(arm64)
        private static let architecture: UInt32 = 0xc000_00b7
    #endif
}

/// One record of classic BPF (struct sock_filter): code, two jump distances, an operand.
private struct Instruction: Equatable, Sendable {
    let code: UInt16
    let ifTrue: UInt8
    let ifFalse: UInt8
    let operand: UInt32

    static func load(offset: UInt32) -> Instruction { Instruction(code: 0x20, ifTrue: 0, ifFalse: 0, operand: offset) }
    static func jump(ifEqual value: UInt32, then: UInt8, otherwise: UInt8) -> Instruction {
        Instruction(code: 0x15, ifTrue: then, ifFalse: otherwise, operand: value)
    }
    static func jump(ifBits bits: UInt32, then: UInt8, otherwise: UInt8) -> Instruction {
        Instruction(code: 0x45, ifTrue: then, ifFalse: otherwise, operand: bits)
    }
    static func finish(_ verdict: UInt32) -> Instruction { Instruction(code: 0x06, ifTrue: 0, ifFalse: 0, operand: verdict) }

    var bytes: [UInt8] {
        [UInt8(code & 0xff), UInt8(code >> 8), ifTrue, ifFalse] + (0..<4).map { UInt8(truncatingIfNeeded: operand >> (8 * $0)) }
    }
}
