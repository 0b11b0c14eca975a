/// A request that is not granted: why, for the log, and what the client is told.
public struct Refusal: Equatable, Sendable {
    /// Why, with all that can be told about it.
    public enum Reason: Equatable, Sendable {
        /// The key may not be used here any more.
        case entry(EntryRefusal)
        /// The line is no list of words.
        case syntax(CommandLineError, line: [UInt8])
        case notACommand([UInt8])
        /// The value of an argument is not of its type.
        case wrongArgument(String, ArgumentType, value: String, Place)
        /// A symbolic link in the value of a `path_in` argument leads out of the directory.
        case leadsOut(String, of: String, value: String, Place)
        case missingArgument(String, ArgumentType, Place)
        /// A word behind the last part of the usage.
        case unexpectedWord(String, Place)
        case unknownSubsystem(String)
        /// There is no such repository, or none for this key: a client is told no difference.
        case noRepository(String)
        /// The key may fetch from it, if it is there, but not push to it.
        case readOnlyRepository(String)
        /// What cannot name a repository.
        case badRepository(String)
        /// An scp line that the drop account does not take.
        case drop(DropCommandLine.Fault)
        /// An rsync line that the command does not take.
        case rsync(RsyncCommandLine.Fault)
        /// The certificate is for this line only.
        case otherThanForced([UInt8])
    }

    /// Where in the client's line a command stopped to fit.
    public struct Place: Equatable, Sendable {
        /// The name of the command that fitted longest.
        public var command: String
        /// All of the client's line.
        public var line: [UInt8]
        /// Of the word in the line; empty at its end when a word is missing.
        public var range: Range<Int>
    }

    /// Why, for the log.
    public let reason: Reason
    /// What the client may run instead.
    private let rows: [Help.Row]

    init(_ reason: Reason, commands: [Command]) {
        self.reason = reason
        rows = Help.rows(for: commands)
    }

    /// What the client sees on standard error: lines, each with its line feed.
    public func text(for session: Session) -> String {
        var lines = ["postern: " + headline]
        if let (line, range) = marked { lines.append(Excerpt.of(line, marking: range)) }
        if !rows.isEmpty {
            lines.append("  " + Help.greeting(session))
            lines += Help.table(rows, indent: "    ")
        }
        lines.append("  request " + session.requestID)
        return lines.map { $0 + "\n" }.joined()
    }

    /// Why, on one line of visible characters.
    public var headline: String {
        switch reason {
        case .entry: "your key opens nothing here now"
        case .syntax(let error, _): error.description
        case .notACommand(let line): "\"\(VisibleText.shortened(line))\" is not one of your commands"
        case .wrongArgument(let name, let type, let value, _):
            "<\(name)> cannot be \"\(VisibleText.shortened(Array(value.utf8)))\"; it must be \(type.expectation)"
        case .leadsOut(let name, let directory, let value, _):
            "<\(name)> cannot be \"\(VisibleText.shortened(Array(value.utf8)))\": a symbolic link in it leads out of \(VisibleText.of(directory))"
        case .missingArgument(let name, let type, _): "<\(name)> is missing; it must be \(type.expectation)"
        case .unexpectedWord(let word, _): "\"\(VisibleText.shortened(Array(word.utf8)))\" is not expected here"
        case .unknownSubsystem(let name): "\"\(VisibleText.shortened(Array(name.utf8)))\" is not one of your subsystems"
        case .noRepository(let path): "there is no repository \(Self.quoted(path)) for you here"
        case .readOnlyRepository(let path): "you may fetch from \(Self.quoted(path)), not push to it"
        case .badRepository(let path):
            "\(Self.quoted(path)) cannot be a repository: write its path as \"team/app.git\", without \"..\", \"~\" or a leading \"-\""
        case .drop(let fault): fault.text
        case .rsync(let fault): fault.text
        case .otherThanForced(let line): "your certificate is for \"\(VisibleText.shortened(line))\" only"
        }
    }

    private static func quoted(_ path: String) -> String { "\"\(VisibleText.shortened(Array(path.utf8)))\"" }

    /// The line to show and what to mark in it.
    private var marked: ([UInt8], Range<Int>)? {
        switch reason {
        case .entry, .notACommand, .unknownSubsystem, .drop, .rsync, .otherThanForced, .noRepository, .readOnlyRepository, .badRepository: nil
        case .syntax(let error, let line): (line, error.marked(in: line))
        case .wrongArgument(_, _, _, let place), .leadsOut(_, _, _, let place), .missingArgument(_, _, let place), .unexpectedWord(_, let place):
            (place.line, place.range)
        }
    }
}

extension Refusal.Reason: CustomStringConvertible {
    /// One word for the log and for `reason` in a policy's tests; `entry` is followed by its reason.
    public var description: String {
        switch self {
        case .entry(let refusal): "entry: \(refusal.rawValue)"
        case .syntax: "syntax"
        case .notACommand: "not-a-command"
        case .wrongArgument: "wrong-argument"
        case .leadsOut: "leads-out"
        case .missingArgument: "missing-argument"
        case .unexpectedWord: "unexpected-word"
        case .unknownSubsystem: "unknown-subsystem"
        case .noRepository: "no-repository"
        case .readOnlyRepository: "read-only-repository"
        case .badRepository: "bad-repository"
        case .drop: "drop"
        case .rsync: "rsync"
        case .otherThanForced: "other-than-forced"
        }
    }
}
