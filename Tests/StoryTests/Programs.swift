import Foundation

/// The built programs, and a place to run them in.
enum Programs {
    /// The root of the package.
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    /// `$POSTERN_PROGRAMS`, or the release build.
    static let directory =
        ProcessInfo.processInfo.environment["POSTERN_PROGRAMS"] ?? package.appending(path: ".build/release").path(percentEncoded: false)
    static let areBuilt = FileManager.default.isExecutableFile(atPath: directory + "/postern")
    static let whyNot = "skipped: build the programs first (make build), or name their directory in POSTERN_PROGRAMS"

    /// Whom commands run as: never root.
    static let user = getuid() == 0 ? "nobody" : NSUserName()

    /// What a program wrote, both streams in the order of their lines, and its exit status.
    struct Answer {
        var status: Int32
        var output: String
    }

    /// Runs a line by the shell in a directory.
    static func run(_ line: String, in directory: URL) throws -> Answer {
        let process = try start(line, in: directory)
        let output = process.output.fileHandleForReading.readDataToEndOfFile()
        process.child.waitUntilExit()
        return Answer(status: process.child.terminationStatus, output: String(decoding: output, as: UTF8.self))
    }

    /// Starts a line by the shell.
    static func start(_ line: String, in directory: URL) throws -> (child: Process, output: Pipe) {
        let child = Process()
        let output = Pipe()
        // Other tests of this process ignore signals, which programs inherit.
        child.executableURL = URL(filePath: "/usr/bin/env")
        child.arguments = ["--default-signal", "/bin/sh", "-c", line]
        child.currentDirectoryURL = directory
        child.environment = [
            "PATH": "\(Self.directory):/usr/bin:/bin:/usr/sbin", "HOME": directory.path(percentEncoded: false), "LANG": "C.UTF-8",
            "TZ": "UTC", "COLUMNS": "200", "ME": user,
        ]
        child.standardInput = FileHandle.nullDevice
        child.standardOutput = output
        child.standardError = output
        try withoutBlockedSignals { try child.run() }
        return (child, output)
    }

    /// Threads of Dispatch block signals, and what is started from one has them blocked too.
    private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
        var (none, blocked) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &blocked)
        defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
        try body()
    }
}

/// A directory that goes with the test.
final class Workplace {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "postern-story-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    func write(_ text: String, to path: String) throws {
        let file = url.appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
