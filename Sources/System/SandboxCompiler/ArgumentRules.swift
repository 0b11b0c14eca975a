internal import Linux
import Policy
import Sandbox

/// A call that is judged by its arguments: the first clause whose checks all hold decides, else `otherwise`.
struct ArgumentRule: Equatable {
    /// The argument's lower 32 bits, masked, are this value. Where the kernel looks at 64 bits, the masked-out half may be anything.
    struct Check: Equatable {
        let argument: Int
        var mask: UInt32 = .max
        let value: UInt32
    }

    struct Clause: Equatable {
        let checks: [Check]
        let verdict: FilterInstruction.Verdict
    }

    let name: String
    let clauses: [Clause]
    let otherwise: FilterInstruction.Verdict
    /// What a call is answered with that comes to ``FilterInstruction/Verdict/notify``.
    var denial = Errno.notPermitted
    /// The argument that the record of a denied call shows.
    var shown: UInt8?

    /// Code that decides.
    var instructions: [FilterInstruction] { list ?? clauses.flatMap(Self.instructions) + [.finish(otherwise)] }

    /// Shorter, where every clause is about one value of the same argument: jumps to the verdicts at the end.
    private var list: [FilterInstruction]? {
        guard let check = clauses.first?.checks.first, clauses.count < 200 else { return nil }
        var verdicts = [otherwise]
        var jumps: [FilterInstruction] = []
        for (index, clause) in clauses.enumerated() {
            guard let one = clause.checks.first, clause.checks.count == 1, one.argument == check.argument, one.mask == check.mask else { return nil }
            if !verdicts.contains(clause.verdict) { verdicts.append(clause.verdict) }
            let verdict = verdicts.firstIndex(of: clause.verdict) ?? 0
            jumps.append(.jump(ifEqual: one.value, then: UInt8(clauses.count - index - 1 + verdict), otherwise: 0))
        }
        return [.load(argument: check.argument), .and(check.mask)] + jumps + verdicts.map(FilterInstruction.finish)
    }

    private static func instructions(of clause: Clause) -> [FilterInstruction] {
        var code: [FilterInstruction] = []
        let count = 3 * clause.checks.count + 1
        for check in clause.checks {
            // Past the rest of this clause.
            let skipped = UInt8(count - code.count - 3)
            code += [.load(argument: check.argument), .and(check.mask), .jump(ifEqual: check.value, then: 0, otherwise: skipped)]
        }
        return code + [.finish(clause.verdict)]
    }
}

extension ArgumentRule {
    /// Those of every sandbox, and those its network asks for. They count only where the sandbox allows the call at all.
    static func all(for network: Network) -> [ArgumentRule] {
        [
            allowing("clone", argument: 0, mask: newNamespaces, [0]),
            allowing("personality", argument: 0, [0, .max]),
            // Another process of the same user is not this sandbox's.
            allowing("prlimit64", argument: 0, [0], isShown: false),
            allowing("prctl", argument: 0, processControls),
            devices,
        ] + noPrivilegedModes + sockets(network)
    }

    private static func allowing(
        _ name: String, argument: Int, mask: UInt32 = .max, _ values: [UInt32], isShown: Bool = true
    ) -> ArgumentRule {
        let clauses = values.map { Clause(checks: [Check(argument: argument, mask: mask, value: $0)], verdict: .allow) }
        return ArgumentRule(name: name, clauses: clauses, otherwise: .notify, shown: isShown ? UInt8(argument) : nil)
    }

    /// Most programs ask whether something is a terminal: those that are not listed are "inappropriate for the device", without a record.
    private static var devices: ArgumentRule {
        let clauses = deviceControls.map { Clause(checks: [Check(argument: 1, value: $0)], verdict: .allow) }
            + terminalInput.map { Clause(checks: [Check(argument: 1, value: $0)], verdict: .notify) }
        return ArgumentRule(name: "ioctl", clauses: clauses, otherwise: .fail(Errno.notTerminal.number), shown: 1)
    }

    /// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (clone(2)); NEWTIME is clone3's only.
    private static let newNamespaces: UInt32 = 0x7e02_0000

    /// prctl(2): PDEATHSIG, DUMPABLE, KEEPCAPS, NAME, SECCOMP (asking), CAPBSET_READ, SECUREBITS (asking), TIMERSLACK,
    /// CHILD_SUBREAPER, NO_NEW_PRIVS, TID_ADDRESS, THP_DISABLE, SET_VMA.
    private static let processControls: [UInt32] = [
        1, 2, 3, 4, 7, 15, 16, 21, 23, 27, 29, 30, 36, 37, 38, 39, 40, 41, 42, 0x5356_4d41,
    ]

    /// ioctl_list(2): TCGETS, TCGETS2, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX, FIOASYNC, FICLONE, FICLONERANGE,
    /// FS_IOC_GETFLAGS, FS_IOC_FIEMAP, BLKGETSIZE64. A command has no terminal.
    private static let deviceControls: [UInt32] = [
        0x5401, 0x802c_542a, 0x540f, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451, 0x5452, 0x4004_9409, 0x4020_940d, 0x8008_6601, 0xc020_660b,
        0x8008_1272,
    ]

    /// TIOCSTI and TIOCLINUX, which put words into a terminal's input.
    private static let terminalInput: [UInt32] = [0x5412, 0x541c]

    /// No set-uid or set-gid files: they would give the command's user away to whoever runs them outside.
    private static var noPrivilegedModes: [ArgumentRule] {
        let changing = [("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("creat", 1), ("mknod", 1), ("mknodat", 2)].map { name, argument in
            allowing(name, argument: argument, mask: 0o6000, [0])
        }
        let opening = [("open", 1, 2), ("openat", 2, 3)].map { name, flags, mode in
            // O_CREAT and O_TMPFILE use the mode; without them it is not looked at.
            let clauses = [UInt32(0x40), 0x40_0000].flatMap { flag in
                [UInt32(0o4000), 0o2000].map { bit in
                    Clause(
                        checks: [Check(argument: flags, mask: flag, value: flag), Check(argument: mode, mask: bit, value: bit)],
                        verdict: .notify)
                }
            }
            return ArgumentRule(name: name, clauses: clauses, otherwise: .allow, shown: UInt8(mode))
        }
        return changing + opening
    }
}
