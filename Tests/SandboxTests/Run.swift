import Linux
import Sandbox
import Testing

/// What a program run to its end left behind.
struct Outcome {
    let status: Exit.Status
    let output: String
    let errors: String
    let denials: DenialLog

    var succeeded: Bool { status == .exited(0) }
}

/// Where the programs under test are: in `$POSTERN_PROGRAMS`, or where `make build` leaves them.
let programs: String = {
    let package = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    return Environment.value(of: "POSTERN_PROGRAMS") ?? "\(package)/.build/release"
}()

/// What a pid namespace needs.
let firstProcess: Descriptor? = {
    guard isRoot else { return nil }
    do throws(Errno) { return try openFile("\(programs)/postern-init") } catch { return nil }
}()

/// Runs a program with an empty input and its output in pipes, changed by `change` before.
func run(_ arguments: [String], _ change: (inout ProcessPlan) -> Void = { _ in }) throws -> Outcome {
    let input = try openFile("/dev/null")
    let output = try Descriptor.pipe()
    let errors = try Descriptor.pipe()
    var plan = ProcessPlan(
        program: .path(arguments[0]), arguments: arguments, environment: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
        input: input, output: output.writing, error: errors.writing)
    plan.firstProcess = firstProcess
    change(&plan)
    return try finish(plan, output.reading, errors.reading)
}

/// Removes a directory of the user that sandboxes have in tests: root without capabilities could not.
func removeTree(_ directory: String) {
    let removed = try? run(["/bin/rm", "-rf", directory]) { if isRoot { $0.identity = .init(uid: 65534, gid: 65534, groups: []) } }
    #expect(removed?.succeeded == true, "\(directory) is left")
}

/// Launches, then reads both pipes to their ends. The plan, taken over, is the last owner of the writing ends.
private func finish(_ plan: consuming ProcessPlan, _ output: Descriptor, _ errors: Descriptor) throws -> Outcome {
    var (child, log) = try launchReporting(plan)
    plan.descriptors = []
    let exit = try child.waitUntilExit(answering: &log, timeout: .seconds(120))
    try output.setNonBlocking()
    try errors.setNonBlocking()
    return Outcome(status: exit.status, output: try text(output), errors: try text(errors), denials: log)
}

/// What is in the pipe now: at most what a pipe holds, 64 KiB.
private func text(_ pipe: Descriptor) throws -> String {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    guard let count = try pipe.read(into: &bytes, bytes.indices) else { return "" }
    return String(decoding: bytes[..<count], as: UTF8.self)
}
