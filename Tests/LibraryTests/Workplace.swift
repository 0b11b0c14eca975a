import Foundation
import Linux
import SSHClient
import Synchronization
import Testing

/// A directory of one test, with a user's key that this package made.
final class Workplace: Sendable {
    let directory: String
    let key = SSHPrivateKey.generate(comment: "a test's")

    init() throws {
        directory = "/tmp/librarytest-\(processID)-\(UInt32.random(in: 0 ... .max))"
        try makeDirectory(directory, mode: 0o755)
        try key.write(to: path("key"))
        try write("key.pub", key.publicKey.line(comment: key.comment) + "\n")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func path(_ name: String) -> String { "\(directory)/\(name)" }
    func write(_ name: String, _ text: String) throws { try createFile(path(name), Array(text.utf8), mode: 0o644) }
    func read(_ name: String) throws -> String { String(decoding: try readFile(path(name), limit: 1 << 20), as: UTF8.self) }
}

/// Does what blocks on a thread of its own: those of tasks are few, and a server in this very process needs them.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result(catching: body)) }.start()
    }
}

/// Runs a program to its end.
func program(_ words: [String], environment: [String] = [], input: [UInt8]? = nil, patience: Duration = RunningProgram.patience) async throws -> Outcome {
    try await onThread { try run(words, environment: environment, input: input.map { .bytes($0) } ?? .nothing, patience: patience) }
}

/// Asks again and again until it is true.
func eventually(within patience: Duration = .seconds(20), _ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + patience
    while try await !condition() {
        if ContinuousClock.now > deadline { return false }
        try await Task.sleep(for: .milliseconds(10))
    }
    return true
}

/// Waits for tasks, on a thread that is none of theirs.
func waitFor(_ body: @escaping @Sendable () async throws -> Void) throws {
    let (done, box) = (DispatchSemaphore(value: 0), ResultBox())
    Task.detached {
        let outcome: Result<Void, any Error>
        do {
            try await body()
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        box.result.withLock { $0 = outcome }
        done.signal()
    }
    done.wait()
    try box.result.withLock { $0 }?.get()
}

private final class ResultBox: Sendable {
    let result = Mutex<Result<Void, any Error>?>(nil)
}

extension Gateway {
    /// What connects to it as `alice`.
    func clientOfLibrary() throws -> @Sendable () async throws -> SSHClient {
        let (port, user) = (Int(port), user.name)
        let (key, known) = (try SSHPrivateKey(contentsOf: "\(directory)/alice"), "\(directory)/known_hosts")
        return { try await SSHClient.connect(to: "127.0.0.1", port: port, as: user, with: .key(key), trusting: .knownHosts(at: known)) }
    }
}
