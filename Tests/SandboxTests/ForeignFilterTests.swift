import Policy
import Sandbox
import Testing

@testable import SandboxCompiler

/// The programs for 64-bit ARM, made and run through here as its kernel would run them.
@Suite("DESIGN §3.4: the filters of another architecture") struct ForeignFilterTests {
    private static let allow = FilterInstruction.Verdict.allow.operand
    private static let notify = FilterInstruction.Verdict.notify.operand
    private static let kill = FilterInstruction.Verdict.kill.operand
    private static let unknown = FilterInstruction.Verdict.fail(38).operand

    private func program(_ name: String) throws -> [UInt8] {
        try compile(try #require(PredefinedSandbox.named(name)), on: .aarch64).program
    }

    private func verdict(_ program: [UInt8], _ number: UInt32, _ arguments: [UInt32] = []) -> UInt32? {
        judge(program, number: number, arguments: arguments, architecture: Architecture.aarch64.rawValue)
    }

    /// Numbers from the kernel's include/uapi/asm-generic/unistd.h.
    static let allowed: [UInt32] = [
        29 /* ioctl TCGETS */, 35, 48, 56 /* openat */, 57, 61, 62, 63 /* read */, 64, 72, 73, 79, 80, 93, 94 /* exit_group */, 96, 98, 99, 101, 113,
        134, 135, 139, 160, 172, 174, 175, 176, 177, 178, 211 /* sendmsg */, 212, 214, 215, 216, 221 /* execve */, 222, 226, 233, 261, 278, 281,
        291,
    ]
    static let dangerous: [UInt32] = [
        39, 40 /* mount */, 41, 51 /* chroot */, 89, 97 /* unshare */, 104, 105, 106, 117 /* ptrace */, 116, 142 /* reboot */, 144, 146 /* setuid */,
        161, 170, 217, 218, 219 /* keyctl */, 241, 262, 265, 268, 270, 271, 272, 273, 280 /* bpf */, 282, 294, 425 /* io_uring_setup */, 426, 427, 428,
        429, 430, 431, 432, 433, 438, 440, 442,
    ]

    @Test(arguments: PredefinedSandbox.names) func `allows and denies by the numbers of that architecture`(sandbox: String) throws {
        let program = try program(sandbox)
        for number in Self.allowed { #expect(verdict(program, number, number == 29 ? [0, 0x5401] : []) == Self.allow, "call \(number)") }
        for number in Self.dangerous { #expect(verdict(program, number) == Self.notify, "call \(number)") }
        // Its own numbering, not this machine's: 59 is pipe2 there and execve here, 165 getrusage and mount.
        #expect(verdict(program, 59) == Self.allow && verdict(program, 165) == Self.allow)
        for number in [UInt32(1000), 0x4000_0000, .max] { #expect(verdict(program, number) == Self.unknown, "call \(number)") }
    }

    @Test(arguments: PredefinedSandbox.names) func `looks at arguments`(sandbox: String) throws {
        let program = try program(sandbox)
        // TIOCSTI and TIOCLINUX; a control that is not listed is inappropriate for the device.
        #expect(verdict(program, 29, [0, 0x5412]) == Self.notify && verdict(program, 29, [0, 0x541c]) == Self.notify)
        #expect(verdict(program, 29, [0, 0x1234]) == FilterInstruction.Verdict.fail(25).operand)
        // personality, prctl(PR_SET_SECCOMP), prlimit64 of another; a set-user-id file by openat and by mknodat.
        #expect(verdict(program, 92, [0x400_0000]) == Self.notify && verdict(program, 92, [0]) == Self.allow)
        #expect(verdict(program, 167, [22]) == Self.notify && verdict(program, 167, [15]) == Self.allow)
        #expect(verdict(program, 261, [1]) == Self.notify)
        #expect(verdict(program, 56, [0, 0, 0x40, 0o4755]) == Self.notify && verdict(program, 33, [0, 0, 0o4755]) == Self.notify)
        // clone with a user namespace, where processes may be made at all.
        #expect(verdict(program, 220, [0x1000_0011]) != Self.allow)
        #expect((verdict(program, 220, [17]) == Self.allow) == (sandbox != "drop"))
        // socket(AF_PACKET, SOCK_RAW), socket(AF_INET, SOCK_STREAM).
        #expect(verdict(program, 198, [17, 3, 0]) == Self.notify)
        #expect((verdict(program, 198, [2, 1, 0]) == Self.allow) == (sandbox == "service"))
    }

    /// x86-64, i386, 32-bit ARM.
    @Test(arguments: PredefinedSandbox.names) func `kills the calls of others`(sandbox: String) throws {
        let program = try program(sandbox)
        for architecture: UInt32 in [Architecture.x86_64.rawValue, 0x4000_0003, 0x4000_0028, 0, .max] {
            for number in [UInt32(0), 63, 93, 221, 0x4000_0027] {
                #expect(judge(program, number: number, architecture: architecture) == Self.kill, "call \(number) of \(architecture)")
            }
        }
    }

    @Test func `names are found by number`() throws {
        let denials = try compile(PredefinedSandbox.tool, on: .aarch64).denials
        #expect(denials[142]?.name == "reboot" && denials[142]?.answer == .end)
        #expect(denials[117]?.name == "ptrace" && denials[198]?.name == "socket")
    }

    @Test func `what only another machine has can be named`() throws {
        var plan = PredefinedSandbox.tool
        plan.deniedCalls = ["chmod", "open", "arm_fadvise64_64"]
        for architecture in Architecture.allCases { _ = try compile(plan, on: architecture) }
        plan.deniedCalls = ["opne"]
        #expect(throws: CompileError.unknownCall("opne")) { try compile(plan, on: .aarch64) }
    }

    @Test func `the frontend's calls are there too`() throws {
        let calls = try FrontendConfinement.allowedCalls.map { call in
            FilterProgram.Call(call.name, Int32(try #require(SystemCalls.number(of: call.name, on: .aarch64), "\(call.name)")), call.checks)
        }
        let program = FilterProgram(allowing: calls, on: .aarch64).bytes
        for number in UInt32(0)..<500 {
            let call = calls.first { $0.number == number }
            #expect(verdict(program, number, call?.name == "setsockopt" ? [0, 6] : []) == (call == nil ? Self.kill : Self.allow))
        }
        #expect(judge(program, number: 63, architecture: Architecture.x86_64.rawValue) == Self.kill)
    }
}
