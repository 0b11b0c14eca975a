import ArgumentParser
import Linux

/// Why a subcommand stops; `postern` says it and exits with 1.
struct Failure: Error, CustomStringConvertible {
    /// Lower case, no full stop.
    var reason: String
    var hint: String?

    init(_ reason: String, hint: String? = nil) {
        self.reason = reason
        self.hint = hint
    }

    var description: String { hint.map { "\(reason)\nhint: \($0)" } ?? reason }
}

/// Where `postern` writes: what was asked for to standard output, everything else to standard error.
enum Console {
    static func say(_ text: String) throws(Failure) { try write(text + "\n", to: .standardOutput) }
    static func note(_ text: String) throws(Failure) { try write(text + "\n", to: .standardError) }

    /// Text that ends its own lines.
    static func write(_ text: String, to descriptor: Descriptor) throws(Failure) {
        do throws(Errno) {
            try descriptor.writeAll(Array(text.utf8))
        } catch {
            throw Failure("writing the answer: \(error)")
        }
    }

    /// Runs a subcommand's work; a failure becomes a message and exit status 1.
    static func reporting(_ work: () throws(Failure) -> Void) throws {
        do throws(Failure) {
            try work()
        } catch {
            try note("postern: \(error)")
            throw ExitCode(1)
        }
    }
}
