import ArgumentParser
import Linux
import Policy
import PolicySource

/// A policy that is only looked at: its source, or the compiled file.
enum PolicyFile {
    /// Reads it whole; what is wrong or unwise in a source goes to standard error.
    ///
    /// - Throws: `status` where it is not sound or cannot be read.
    static func read(_ path: String, _ surroundings: Surroundings, orExit status: Int32) throws -> Policy {
        do throws(Failure) {
            if let policy = try compiled(path) { return policy }
        } catch {
            try Console.note("postern: \(error)")
            throw ExitCode(status)
        }
        do {
            return try PolicyOptions.load(path, surroundings).policy
        } catch is ExitCode {
            throw ExitCode(status)
        }
    }

    /// The policy in a compiled file; nil: it is something else.
    private static func compiled(_ path: String) throws(Failure) -> Policy? {
        let bytes: [UInt8]
        do throws(Errno) {
            let file = try openFile(path, .nonBlocking)
            var start = [UInt8](repeating: 0, count: CompiledPolicy<[UInt8]>.magic.count)
            guard try file.status().kind == .file, try file.read(into: &start, start.indices) == start.count,
                start == CompiledPolicy<[UInt8]>.magic
            else { return nil }
            bytes = try readFile(path, limit: largest)
        } catch .notFound {
            return nil
        } catch {
            throw Failure("\"\(path)\" cannot be read: \(error)")
        }
        do throws(CompiledPolicyError) {
            return try CompiledPolicy(bytes).policy()
        } catch {
            throw Failure("\"\(path)\": \(error)")
        }
    }

    /// Several million keys.
    private static let largest = 2 << 30
}
