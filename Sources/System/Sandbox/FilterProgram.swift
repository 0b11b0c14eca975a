/// A seccomp program that allows a short list of system calls and kills the process at any other, or the other way round (seccomp(2)).
///
/// Assembled here in plain Swift, so that what confines frontend and monitor can be read on one page.
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

    private var instructions: [FilterInstruction] = []

    /// Calls that are made often come first.
    public init(allowing calls: [Call], on architecture: Architecture = .running) {
        instructions = FilterInstruction.refuseCalls(foreignTo: architecture)
        for call in calls { allow(call) }
        emit(.finish(.kill))
    }

    /// Denies these calls, whatever their arguments, in the way of ``MonitorConfinement``, and allows all others of this machine.
    public init(denying calls: [Call], on architecture: Architecture = .running) {
        instructions = FilterInstruction.refuseCalls(foreignTo: architecture)
        for call in calls {
            emit(.jump(ifEqual: call.number, then: 0, otherwise: 1))
            emit(.finish(.trace))
        }
        emit(.finish(.allow))
    }

    /// Records of 8 bytes in this machine's byte order, for ``ProcessPlan/filter``.
    public var bytes: [UInt8] { instructions.flatMap(\.bytes) }

    private mutating func allow(_ call: Call) {
        var checks: [FilterInstruction] = []
        for check in call.checks { checks += Self.instructions(for: check) }
        // Past the checks and the verdict, on to the next call.
        emit(.jump(ifEqual: call.number, then: 0, otherwise: UInt8(checks.count + 1)))
        instructions += checks
        emit(.finish(.allow))
    }

    private static func instructions(for check: Check) -> [FilterInstruction] {
        switch check {
        case .without(let argument, let bits):
            [.load(argument: argument), .jump(ifBits: bits, then: 0, otherwise: 1), .finish(.kill)]
        case .equals(let argument, let value):
            [.load(argument: argument), .jump(ifEqual: value, then: 1, otherwise: 0), .finish(.kill)]
        }
    }

    private mutating func emit(_ instruction: FilterInstruction) { instructions.append(instruction) }
}
