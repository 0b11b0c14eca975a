import Linux
import Policy
import Sandbox

/// Why the hook cannot do its work: the push is refused.
struct HookFault: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

func naming<Value>(_ what: String, _ body: () throws(Errno) -> Value) throws(HookFault) -> Value {
    do throws(Errno) { return try body() } catch { throw HookFault("\"\(what)\": \(error)") }
}

/// Runs a program with the hook's environment to its end.
enum Child {
    /// - Returns: the exit status, 128 and more for a signal.
    static func run(_ arguments: [String], input: Descriptor, output: Descriptor, error: Descriptor) throws(HookFault) -> Int32 {
        var plan = ProcessPlan(
            program: .path(arguments[0]), arguments: arguments, environment: Environment.entries, input: input, output: output, error: error)
        // It is confined as we are, and stays in our session.
        plan.keepsPrivileges = true
        plan.startsSession = false
        let child: ChildProcess
        do throws(LaunchError) { child = try launch(plan) } catch { throw HookFault("\(error)") }
        let exit = try naming(arguments[0]) { () throws(Errno) in try child.waitUntilExit() }
        return switch exit.status {
        case .exited(let code): Int32(code)
        case .signaled(let signal, _): 128 + signal.number
        }
    }
}

/// The hook that the policy names.
enum PolicyHook {
    /// Runs it with what git told us; 0 where there is none.
    static func run(_ name: String, input lines: [UInt8]) throws(HookFault) -> Int32 {
        guard let directory = Environment.value(of: RefRule.hooksVariable) else { return 0 }
        let path = "\(directory)/\(name)"
        guard isExecutable(path) else { return 0 }
        let input = try naming("input") { () throws(Errno) in
            let file = try memoryFile(named: "input")
            try file.writeAll(lines)
            try file.rewind()
            return file
        }
        return try Child.run([path], input: input, output: .standardOutput, error: .standardError)
    }
}
