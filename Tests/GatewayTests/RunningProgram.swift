import Linux
import Sandbox

/// How a program ended, and what it wrote.
struct Outcome: CustomStringConvertible {
    let status: Exit.Status
    let outputBytes: [UInt8]
    let errorBytes: [UInt8]
    let duration: Duration

    var output: String { String(decoding: outputBytes, as: UTF8.self) }
    var errors: String { String(decoding: errorBytes, as: UTF8.self) }

    /// The exit status; nil when a signal ended it.
    var code: Int? {
        if case .exited(let code) = status { Int(code) } else { nil }
    }

    var description: String { "\(status) after \(duration)\n--- output\n\(output.suffix(2000))\n--- errors\n\(errors.suffix(4000))".replacing("\0", with: "␀") }
}

/// What went wrong in a test's own machinery.
struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What a program finds on its standard input.
enum Input {
    case nothing
    case bytes([UInt8])
    case open(Descriptor)
}

/// A client, or the gateway itself, while it runs. What it writes goes to files in memory, so that it never waits for us.
final class RunningProgram {
    let child: ChildProcess
    private let outputFile: Descriptor
    private let errorFile: Descriptor
    private let name: String
    private let started = Clock.monotonic
    private var isReaped = false

    /// A test that hangs is a test that fails.
    static let patience: Duration = .seconds(60)
    private static let mostOutput = 16 << 20

    /// Starts a program by its absolute path.
    ///
    /// - Parameter output: where its standard output goes instead; `descriptors`: what it finds as 3, 4, ….
    init(
        _ arguments: [String], environment: [String] = [], input: Input = .nothing, output: Descriptor? = nil, error: Descriptor? = nil,
        descriptors: [Descriptor] = []
    ) throws {
        guard let path = arguments.first else { throw Trouble("no program") }
        name = path
        outputFile = try memoryFile(named: "output")
        errorFile = try memoryFile(named: "errors")
        var plan = ProcessPlan(
            program: .path(path), arguments: arguments, environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"] + environment,
            input: try Self.open(input), output: output ?? outputFile, error: error ?? errorFile)
        plan.descriptors += descriptors
        plan.keepsPrivileges = true
        child = try launch(plan)
    }

    /// Nothing of a test outlives it: while a child waits to be reaped, Swift Testing's own wait for its children finds no other.
    deinit {
        guard !isReaped else { return }
        try? child.sendSignal(.kill)
        _ = try? child.waitUntilExit()
    }

    private static func open(_ input: Input) throws -> Descriptor {
        switch input {
        case .nothing: return try openFile("/dev/null")
        case .open(let descriptor): return descriptor
        case .bytes(let bytes):
            let file = try memoryFile(named: "input")
            try file.writeAll(bytes)
            try file.rewind()
            return file
        }
    }

    var pid: Int32 { child.pid }

    /// The beginning of what it has written so far.
    var outputSoFar: String {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        // Opened anew, so that the place in the program's own file stays as it is.
        let count = try? openFile("/proc/self/fd/\(outputFile.number)").read(into: &bytes, bytes.indices)
        return String(decoding: bytes.prefix(count ?? 0), as: UTF8.self)
    }

    /// The lines it has written so far, whole.
    var errorsSoFar: String {
        let bytes = (try? bytes(of: errorFile)) ?? []
        let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    private func bytes(of file: Descriptor) throws -> [UInt8] {
        try readFile("/proc/self/fd/\(file.number)", limit: Self.mostOutput)
    }

    /// Waits for its end; one that takes longer is killed, and the test has failed.
    func wait(_ patience: Duration = RunningProgram.patience) throws -> Outcome {
        var poll = PollSet()
        poll.add(child.pidfd, .readable, token: 0)
        let deadline = Clock.monotonic + patience
        while try poll.wait(timeout: deadline - Clock.monotonic).isEmpty {
            guard Clock.monotonic >= deadline else { continue }
            try kill()
            throw Trouble("\(name) had not ended after \(patience)\n\(outputSoFar.suffix(2000))\n\(errorsSoFar.suffix(4000))")
        }
        let exit = try child.waitUntilExit()
        isReaped = true
        return Outcome(
            status: exit.status, outputBytes: try bytes(of: outputFile), errorBytes: try bytes(of: errorFile),
            duration: Clock.monotonic - started)
    }

    /// Kills it, as a client dies that says no goodbye.
    func kill() throws {
        try child.sendSignal(.kill)
        _ = try child.waitUntilExit()
        isReaped = true
    }
}

/// Runs a program to its end.
func run(_ arguments: [String], environment: [String] = [], input: Input = .nothing, patience: Duration = RunningProgram.patience) throws -> Outcome {
    try RunningProgram(arguments, environment: environment, input: input).wait(patience)
}

/// Asks again and again until it is true, for what the kernel tells nobody of.
///
/// - Parameter patience: below ten seconds it is what was promised; from there on only so that what never comes ends, so a busy machine has thrice as long.
/// - Returns: false when it did not become true within that time.
func becomesTrue(within patience: Duration, _ condition: () throws -> Bool) throws -> Bool {
    let deadline = Clock.monotonic + (patience < .seconds(10) ? patience : patience * 3)
    while try !condition() {
        if Clock.monotonic > deadline { return false }
        var nothing = PollSet()
        _ = try nothing.wait(timeout: .milliseconds(10))
    }
    return true
}

/// Bytes that no compressor shortens.
func noise(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let source = try openFile("/dev/urandom")
    var position = 0
    while position < count { position += try source.read(into: &bytes, position..<count) ?? 0 }
    return bytes
}
