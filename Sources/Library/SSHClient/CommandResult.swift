public import SSHBase
import SSHNIO

/// How a command ended, and what it wrote.
public struct CommandResult: Equatable, Sendable {
    /// How it ended.
    public let exit: SSHExit
    /// What it wrote to its standard output.
    public let standardOutput: [UInt8]
    /// What it wrote to its standard error.
    public let standardError: [UInt8]

    /// Its standard output as UTF-8; what is none is replaced.
    public var outputText: String { String(decoding: standardOutput, as: UTF8.self) }
    /// Its standard error as UTF-8; what is none is replaced.
    public var errorText: String { String(decoding: standardError, as: UTF8.self) }
}

extension SSHClient {
    /// Runs a command to its end, and gives what it wrote.
    ///
    /// A cancelled task closes the command's channel, and nothing else of the connection.
    ///
    /// - Parameters:
    ///   - command: as in ``start(_:environment:)``.
    ///   - environment: as in ``start(_:environment:)``.
    ///   - input: what it reads; then its standard input ends.
    ///   - timeout: how long it may take; nil: as long as it wants.
    ///   - limit: the most it may write to each stream, in bytes.
    /// - Throws: ``SSHFailure/timedOut(after:during:)``, ``SSHFailure/tooMuchOutput(limit:)``, and what ``start(_:environment:)`` throws.
    public func run(
        _ command: String, input: [UInt8] = [], environment: [String: String] = [:], timeout: Duration? = nil, limit: Int = 64 << 20
    ) async throws(SSHFailure) -> CommandResult {
        let process = try await start(command, environment: environment)
        let cancelAlarm = timeout.map { alarm(process, after: $0) }
        defer { cancelAlarm?() }
        async let fed = outcome { () async throws(SSHFailure) in try await process.feed(input) }
        async let output = outcome { () async throws(SSHFailure) in try await process.standardOutput.collect(upTo: limit) }
        async let errors = outcome { () async throws(SSHFailure) in try await process.standardError.collect(upTo: limit) }
        // What is too long ends the channel, so that the other stream ends too.
        let (outputs, errorOutputs) = (await output.abandoning(process), await errors.abandoning(process))
        let exit = await outcome { () async throws(SSHFailure) in try await process.waitUntilExit() }
        _ = await fed
        return CommandResult(exit: try exit.get(), standardOutput: try outputs.get(), standardError: try errorOutputs.get())
    }

    /// Runs a command with its standard streams tied to closures, each of which the sender waits for.
    ///
    /// - Parameters:
    ///   - command: as in ``start(_:environment:)``.
    ///   - environment: as in ``start(_:environment:)``.
    ///   - input: writes what the command reads; when it returns, the command's standard input ends.
    ///   - output: called with each piece of standard output.
    ///   - error: called with each piece of standard error.
    /// - Throws: what ``start(_:environment:)`` throws.
    public func run(
        _ command: String, environment: [String: String] = [:],
        input: @escaping @Sendable (SSHWriter) async throws(SSHFailure) -> Void = { (_) async throws(SSHFailure) in },
        output: @escaping @Sendable ([UInt8]) async throws(SSHFailure) -> Void, error: @escaping @Sendable ([UInt8]) async throws(SSHFailure) -> Void
    ) async throws(SSHFailure) -> SSHExit {
        let process = try await start(command, environment: environment)
        async let fed = outcome { () async throws(SSHFailure) in
            try await input(process.standardInput)
            try await process.standardInput.finish()
        }
        async let outputs = outcome { () async throws(SSHFailure) in
            while let piece = try await process.standardOutput.next() { try await output(piece) }
        }
        async let errors = outcome { () async throws(SSHFailure) in
            while let piece = try await process.standardError.next() { try await error(piece) }
        }
        let results = (await outputs.abandoning(process), await errors.abandoning(process))
        let exit = await outcome { () async throws(SSHFailure) in try await process.waitUntilExit() }
        _ = await fed
        try results.0.get()
        try results.1.get()
        return try exit.get()
    }
}

extension SSHProcess {
    /// Writes all input and ends it; a command that does not want it all is not to blame.
    fileprivate func feed(_ input: [UInt8]) async throws(SSHFailure) {
        try await standardInput.write(input)
        try await standardInput.finish()
    }
}

extension Result where Failure == SSHFailure {
    /// Closes the channel at once where there is no value.
    fileprivate func abandoning(_ process: SSHProcess) -> Self {
        if case .failure(let failure) = self { process.port.abandon(failure) }
        return self
    }
}

/// What a piece of work gave, or threw.
func outcome<Value: Sendable>(_ body: @Sendable () async throws(SSHFailure) -> Value) async -> Result<Value, SSHFailure> {
    do throws(SSHFailure) { return .success(try await body()) } catch { return .failure(error) }
}
