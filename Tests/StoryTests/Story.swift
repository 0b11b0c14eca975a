/// A story as a text file has it:
///
/// ```
/// What it is about, in any words.
///
/// $ postern check policy.toml
/// sound: 1 key, …
/// $ postern check nothing.toml
/// nothing.toml: …
/// [1]
/// --- policy.toml
/// version = 1
/// ```
///
/// Each line after `$ ` is run by the shell, in a directory of its own where the files below are. What follows it is all it writes, then
/// its exit status in brackets if that is not 0. `…` in a line stands for any text, alone in a line for any lines; lines that begin with
/// `## ` are for the reader. `{user}` is the unix user that commands run as.
struct Story {
    struct Step {
        var line: String
        var expected: [String]
        var status: Int32
    }
    var steps: [Step] = []
    var files: [String: String] = [:]

    init(_ text: String) {
        var file: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("--- ") {
                file = String(line.dropFirst(4))
            } else if let file {
                files[file, default: ""] += line + "\n"
            } else if line.hasPrefix("$ ") {
                steps.append(Step(line: String(line.dropFirst(2)), expected: [], status: 0))
            } else if !steps.isEmpty, !line.hasPrefix("## ") {
                steps[steps.count - 1].expected.append(line)
            }
        }
        for index in steps.indices { steps[index].takeStatus() }
    }
}

extension Story.Step {
    /// Empty lines at the end mean nothing; then comes the status.
    fileprivate mutating func takeStatus() {
        while expected.last == "" { expected.removeLast() }
        guard let last = expected.last, last.hasPrefix("["), last.hasSuffix("]"), let number = Int32(last.dropFirst().dropLast()) else { return }
        status = number
        expected.removeLast()
    }

    /// Whether the lines are those expected.
    func fits(_ output: String) -> Bool {
        var lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last == "" { lines.removeLast() }
        return Self.fits(expected[...], lines[...])
    }

    private static func fits(_ expected: ArraySlice<String>, _ lines: ArraySlice<String>) -> Bool {
        guard let first = expected.first else { return lines.isEmpty }
        if first == "…" {
            return (lines.startIndex...lines.endIndex).contains { fits(expected.dropFirst(), lines[$0...]) }
        }
        guard let line = lines.first, matches(line, first) else { return false }
        return fits(expected.dropFirst(), lines.dropFirst())
    }

    /// Whether a line has the pieces between the ellipses, in order, and begins and ends with the outer ones.
    private static func matches(_ line: String, _ pattern: String) -> Bool {
        let pieces = pattern.split(separator: "…", omittingEmptySubsequences: false)
        guard pieces.count > 1, let first = pieces.first, let last = pieces.last else { return line == pattern }
        guard line.hasPrefix(first) else { return false }
        var rest = line.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() {
            guard let found = rest.firstRange(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(last)
    }
}
