import Sandbox
import Testing

@testable import SandboxCompiler

/// Runs a classic BPF program on one system call, as the kernel would: the value it returns.
func judge(_ program: [UInt8], number: UInt32, arguments: [UInt32] = [], architecture: UInt32 = Architecture.x86_64.rawValue) -> UInt32? {
    func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(program[at + $1]) << (8 * UInt32($1)) } }
    var accumulator: UInt32 = 0
    var next = 0
    while next < program.count / 8 {
        let at = 8 * next
        let operand = word(at + 4)
        let (then, otherwise) = (Int(program[at + 2]), Int(program[at + 3]))
        next += 1
        switch word(at) & 0xffff {
        case 0x20:
            let argument = (Int(operand) - 16) / 8
            accumulator =
                switch operand {
                case 0: number
                case 4: architecture
                default: arguments.indices.contains(argument) ? arguments[argument] : 0
                }
        case 0x54: accumulator &= operand
        case 0x05: next += Int(operand)
        case 0x15: next += accumulator == operand ? then : otherwise
        case 0x35: next += accumulator >= operand ? then : otherwise
        case 0x45: next += accumulator & operand != 0 ? then : otherwise
        case 0x06: return operand
        default: return nil
        }
    }
    return nil
}

@Suite("Seccomp programs") struct FilterTreeTests {
    private static let allow = FilterInstruction.Verdict.allow.operand
    private static let kill = FilterInstruction.Verdict.kill.operand

    /// Trees of each size up to such that need jumps over more than 255 instructions.
    @Test(arguments: [0, 1, 2, 3, 7, 50, 200, 400]) func `every number finds its leaf`(count: Int) {
        var generator = SystemRandomNumberGenerator()
        var expected: [UInt32: FilterTree.Leaf] = [:]
        for _ in 0..<count {
            let verdicts: [FilterInstruction.Verdict] = [.allow, .fail(1), .fail(13), .kill]
            let rule = ArgumentRule(
                name: "rule", clauses: (0..<5).map { .init(checks: [.init(argument: 1, value: $0)], verdict: .allow) }, otherwise: .fail(2))
            let leaf: FilterTree.Leaf = Bool.random(using: &generator) ? .verdict(verdicts.randomElement() ?? .kill) : .arguments(rule)
            expected[UInt32.random(in: 0..<500)] = leaf
        }
        let program = FilterTree(expected, otherwise: .verdict(.fail(38))).instructions(on: .x86_64).flatMap(\.bytes)
        for number in UInt32(0)..<520 {
            for argument in [UInt32(4), 5] {
                let verdict: FilterInstruction.Verdict =
                    switch expected[number] {
                    case .verdict(let verdict): verdict
                    case .arguments: argument == 4 ? .allow : .fail(2)
                    case nil: .fail(38)
                    }
                #expect(judge(program, number: number, arguments: [0, argument]) == verdict.operand, "number \(number)")
            }
        }
        #expect(judge(program, number: 1, architecture: 0x4000_0003) == Self.kill)
    }

    @Test func `rules are taken in order, and every check of a clause counts`() {
        let rule = ArgumentRule(
            name: "rule",
            clauses: [
                .init(checks: [.init(argument: 0, mask: 0xf0, value: 0x10), .init(argument: 2, value: 3)], verdict: .fail(5)),
                .init(checks: [.init(argument: 0, mask: 0xf0, value: 0x10)], verdict: .allow),
            ], otherwise: .kill)
        let program = FilterTree([7: .arguments(rule)], otherwise: .verdict(.fail(38))).instructions(on: .x86_64).flatMap(\.bytes)
        let cases: [([UInt32], FilterInstruction.Verdict)] = [
            ([0x1f, 0, 3], .fail(5)), ([0x110, 0, 4], .allow), ([0x20, 0, 3], .kill), ([0, 0, 0], .kill),
        ]
        for (arguments, verdict) in cases { #expect(judge(program, number: 7, arguments: arguments) == verdict.operand) }
    }

    #if arch(x86_64)
        @Test(arguments: PredefinedSandbox.names) func `no number beyond what is named is allowed`(name: String) throws {
            let program = try compile(try #require(PredefinedSandbox.named(name))).program
            let allowed = (UInt32(0)..<2000).filter { judge(program, number: $0) == Self.allow }
            // By number: ptrace, setuid, mount, reboot, keyctl, unshare, bpf, io_uring_setup, clone3 and some above all known ones.
            #expect(Set(allowed).isDisjoint(with: [101, 105, 165, 169, 250, 272, 321, 425, 435, 1000]))
            #expect(Set(allowed).isSuperset(of: [0, 1, 3, 9, 59, 60, 231, 257]))
            #expect(judge(program, number: 0x4000_0000) == Self.kill)
            #expect(judge(program, number: .max) == Self.kill)
        }
    #endif

    @Test func `the frontend's program says what its list says`() {
        for number in UInt32(0)..<1000 {
            let call = FrontendConfinement.allowedCalls.first { $0.number == number }
            let arguments: [UInt32] = call?.name == "setsockopt" ? [0, 6] : []
            #expect(judge(FrontendConfinement.filter, number: number, arguments: arguments) == (call == nil ? Self.kill : Self.allow))
        }
    }
}
