internal import CLinux
public import Linux
internal import Policy

/// Answers the denied system calls of one command, and keeps count of them (seccomp_unotify(2)).
///
/// A call is never let through: only its number and its arguments' values are looked at, none of the memory they point to.
public struct DenialLog: Sendable {
    /// A call that was denied, and how often.
    public struct Entry: Equatable, Sendable {
        /// The call's name, with the argument that it was judged by in parentheses, as `socket(2)`.
        public let name: String
        public fileprivate(set) var count: Int
    }

    /// In the order of their first time; at most ``mostEntries``.
    public private(set) var entries: [Entry] = []
    /// Those beyond them.
    public private(set) var unlisted = 0
    /// The call that ends the command, once it was made: it has no answer, and the command is to be killed.
    public private(set) var deadly: String?
    /// Readable when a call waits; nil when no more can come.
    public private(set) var listener: Descriptor?
    private let table: DenialTable
    private var answered = 0

    public static let mostEntries = 32
    /// From then on the kernel refuses by itself, so that a command cannot keep the monitor busy.
    public static let mostAnswers = 50_000
    /// The frontend and other commands are served in between.
    private static let mostAtOnce = 64

    init(listener: Descriptor?, table: DenialTable) {
        self.listener = listener
        self.table = table
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// Answers what waits now, without waiting for more.
    public mutating func answer() {
        for _ in 0..<Self.mostAtOnce {
            guard let listener else { return }
            let isWaiting: Bool
            do throws(Errno) {
                var poll = PollSet()
                poll.add(listener, .readable, token: 0)
                guard let ready = try poll.wait(timeout: .zero).first else { return }
                isWaiting = ready.events.contains(.readable)
            } catch {
                isWaiting = false
            }
            // Nobody is left under the filter, or it has been asked too often.
            guard isWaiting, answered < Self.mostAnswers else {
                self.listener = nil
                return
            }
            answerOne(listener)
        }
    }

    private mutating func answerOne(_ listener: Descriptor) {
        // struct seccomp_notif: id, pid and flags, number and architecture, instruction pointer, six arguments.
        var call = [UInt64](repeating: 0, count: 10)
        // SAFETY: the call fills the 80 bytes of the structure, which the array has.
        let received = unsafe call.withUnsafeMutableBytes { postern_call(Int(SYS_ioctl), UInt(listener.number), receiveCall, UInt(bitPattern: $0.baseAddress), 0) }
        // The caller was killed meanwhile.
        guard received == 0 else { return }
        answered += 1
        let denied = table[Int(call[2] & 0xffff_ffff)]
        count(denied, call)
        if denied?.answer == .end {
            // It waits until it is killed.
            deadly = deadly ?? denied?.name
            return
        }
        let error: Int32 = if case .error(let number)? = denied?.answer { Int32(number) } else { EPERM }
        // struct seccomp_notif_resp: id, value, error and flags. Flags 0: it is not continued.
        let answer = [call[0], 0, UInt64(UInt32(bitPattern: -error))]
        // SAFETY: the call reads the 24 bytes of the structure, which the array has. It fails where the caller was killed meanwhile.
        _ = unsafe answer.withUnsafeBytes { postern_call(Int(SYS_ioctl), UInt(listener.number), sendAnswer, UInt(bitPattern: $0.baseAddress), 0) }
    }

    private mutating func count(_ denied: DeniedCall?, _ call: [UInt64]) {
        var name = denied?.name ?? "call \(call[2] & 0xffff_ffff)"
        // The kernel looks at 32 bits of those that are judged.
        if let argument = denied?.argument { name += "(\(UInt32(truncatingIfNeeded: call[4 + Int(argument)])))" }
        if let known = entries.firstIndex(where: { $0.name == name }) {
            entries[known].count += 1
        } else if entries.count < Self.mostEntries {
            entries.append(Entry(name: name, count: 1))
        } else {
            unlisted += 1
        }
    }
}

extension ChildProcess {
    /// Waits for the end, answers denied calls meanwhile, and kills for the worst.
    ///
    /// - Parameter timeout: after which it is killed.
    public func waitUntilExit(answering denials: inout DenialLog, timeout: Duration) throws(Errno) -> Exit {
        let end = Clock.monotonic + timeout
        while true {
            var poll = PollSet()
            poll.add(pidfd, .readable, token: 0)
            if let listener = denials.listener { poll.add(listener, .readable, token: 1) }
            let ready = try poll.wait(timeout: end - Clock.monotonic)
            denials.answer()
            if ready.contains(where: { $0.token == 0 }), let exit = try reap() { return exit }
            if denials.deadly != nil || Clock.monotonic >= end {
                // It may have ended this moment.
                do throws(Errno) { try sendSignal(.kill) } catch .noProcess {}
                return try waitUntilExit()
            }
        }
    }
}

// linux/seccomp.h: SECCOMP_IOCTL_NOTIF_RECV and SECCOMP_IOCTL_NOTIF_SEND.
private let receiveCall: UInt = 0xc050_2100
private let sendAnswer: UInt = 0xc018_2101
