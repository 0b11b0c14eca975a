/// The line by which a client of rsync starts its other end: `rsync --server [--sender] -FLAGS [OPTIONS] . PATH…`.
///
/// It is parsed by this grammar alone, against a list of what clients send: no option that is taken names a program, or a file elsewhere
/// (CVE-2004-1162, CVE-2012-2252, CVE-2019-3463). What rsync is started with is written anew from it.
public struct RsyncCommandLine: Equatable, Sendable {
    /// True: the client fetches.
    public private(set) var isDownload = false
    /// How often each letter was given.
    private var letters: [UInt8: Int] = [:]
    /// What the client can do, as it says behind the letter `e`: a version, and letters.
    private var abilities: String?
    private var options: [Option] = []
    /// Relative to the root; one of an upload, one or more of a download.
    private(set) var paths: [Path] = []

    struct Option: Equatable, Sendable {
        var name: String
        var value: String?
    }

    struct Path: Equatable, Sendable {
        var argument: String
        var plain: String
    }

    /// Why a line that begins with `rsync` is none of these.
    public enum Fault: Error, Hashable, Sendable {
        /// No client of rsync writes such a line.
        case notServer
        case unknownOption(String)
        case refusedOption(String, String)
        case badValue(String)
        /// What has no place on this side of the copy.
        case otherSide(String)
        case noPath
        case tooManyPaths
        case badPath(String)
        /// A symbolic link in the path leads out of the root.
        case leadsOut(String)
        /// The client may not do what the option asks for.
        case denied(RsyncRules.Access, String?)

        /// For the client.
        public var text: String {
            switch self {
            case .notServer: "rsync is started by rsync clients only: copy files with rsync"
            case .unknownOption(let option): "rsync has no option \"\(VisibleText.shortened(Array(option.utf8)))\" here"
            case .refusedOption(let option, let reason): "rsync has no option \"\(option)\" here: \(reason)"
            case .badValue(let option): "rsync's option \"\(option)\" has no such value here"
            case .otherSide(let option): "rsync's option \"\(option)\" is not for this side of a copy"
            case .noPath: "rsync without a path"
            case .tooManyPaths: "rsync sends to one path"
            case .badPath(let path):
                "\"\(VisibleText.shortened(Array(path.utf8)))\" cannot be a path here: write it without \"..\" and \"\(RsyncPath.hidden)\""
            case .leadsOut(let path): "\"\(VisibleText.shortened(Array(path.utf8)))\" cannot be a path here: a symbolic link in it leads out"
            case .denied(.upload, _): "you may not send files here"
            case .denied(.download, _): "you may not fetch files here"
            case .denied(.overwrite, _): "you may not change files here"
            case .denied(.delete, let option): "you may not delete files here" + (option.map { ": leave out \($0)" } ?? "")
            }
        }
    }

    /// Whether a line is for this grammar.
    static func isMeant(by words: [Word]) -> Bool { words.first?.text == "rsync" }

    /// - Parameter words: of a line for which ``isMeant(by:)`` holds.
    init(parsing words: [String]) throws(Fault) {
        precondition(words.first == "rsync", "a line for another grammar")
        guard words.dropFirst().first == "--server" else { throw .notServer }
        var rest = words.dropFirst(2)
        if rest.first == "--sender" {
            isDownload = true
            rest = rest.dropFirst()
        }
        while let word = rest.first, word.hasPrefix("-") {
            rest = rest.dropFirst()
            if word.hasPrefix("--") { try readLong(word, &rest) } else { try readShort(word) }
        }
        // The first operand stands for the client's own side.
        guard rest.first == "." else { throw .notServer }
        try readPaths(rest.dropFirst())
    }

    private mutating func readLong(_ word: String, _ rest: inout ArraySlice<String>) throws(Fault) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = String(parts[0].dropFirst(2))
        guard let option = RsyncOption.long[name] else { throw Self.refusal(of: parts[0]) }
        var value = parts.count == 2 ? parts[1] : nil
        if option.value == nil, value != nil { throw .badValue(parts[0]) }
        // Some values are words of their own.
        if option.value != nil, value == nil { value = rest.popFirst() }
        if option.isOfReceiver, isDownload, value != nil { return }
        if let form = option.value, !(value.map(form.accepts) ?? false) { throw .badValue(parts[0]) }
        try check(option, parts[0])
        options.append(Option(name: name, value: value))
    }

    private mutating func readShort(_ word: String) throws(Fault) {
        var rest = Array(word.utf8.dropFirst())[...]
        guard let first = rest.first else { throw .unknownOption("-") }
        if RsyncOption.shortWithNumber.contains(first) {
            let number = String(decoding: rest.dropFirst(), as: UTF8.self)
            let name = "-" + String(Unicode.Scalar(first))
            guard RsyncValue.number.accepts(number) else { throw .badValue(name) }
            options.append(Option(name: name, value: number))
            return
        }
        while let letter = rest.popFirst() {
            // What stands behind is no option, and with a client no program either.
            if letter == UInt8(ascii: "e") {
                try readAbilities(rest)
                return
            }
            let name = "-" + String(decoding: [letter], as: UTF8.self)
            guard let option = RsyncOption.short[letter] else { throw Self.refusal(of: name) }
            if option.side == .download, !isDownload { throw Self.refusal(of: name) }
            guard letters[letter, default: 0] < Self.mostRepeated else { throw .badValue(name) }
            letters[letter, default: 0] += 1
        }
    }

    /// `31.14iLsfxCIvu`, where the version may be missing: as the server reads it, digits, a dot, digits, letters.
    private mutating func readAbilities(_ bytes: ArraySlice<UInt8>) throws(Fault) {
        var rest = bytes.drop(while: Self.isDigit)
        guard abilities == nil, bytes.count <= Self.mostAbilities, rest.popFirst() == UInt8(ascii: ".") else { throw Self.refusal(of: "-e") }
        rest = rest.drop(while: Self.isDigit)
        guard rest.allSatisfy(Self.isLetter) else { throw Self.refusal(of: "-e") }
        abilities = String(decoding: bytes, as: UTF8.self)
    }

    private mutating func readPaths(_ words: ArraySlice<String>) throws(Fault) {
        guard !words.isEmpty else { throw .noPath }
        if !isDownload, words.count > 1 { throw .tooManyPaths }
        let keepsDots = isDownload && letters[UInt8(ascii: "R")] != nil
        for word in words {
            // Options may stand behind for rsync, so for nobody else.
            if word.hasPrefix("-") { throw .unknownOption(word) }
            guard let path = RsyncPath(word, keepsDots: keepsDots) else { throw .badPath(word) }
            paths.append(Path(argument: path.argument, plain: path.plain))
        }
    }

    private func check(_ option: RsyncOption, _ name: String) throws(Fault) {
        guard option.side == (isDownload ? .upload : .download) else { return }
        throw RsyncOption.objection(to: name) == nil ? .otherSide(name) : Self.refusal(of: name)
    }

    private static func refusal(of option: String) -> Fault {
        RsyncOption.objection(to: option).map { .refusedOption(option, $0) } ?? .unknownOption(option)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    private static func isLetter(_ byte: UInt8) -> Bool { isNameByte(byte) && !isDigit(byte) && byte != UInt8(ascii: "_") }

    /// Of one letter: `-vvv`.
    private static let mostRepeated = 9
    private static let mostAbilities = 64
}

extension RsyncCommandLine {
    /// Whether files of this side are changed.
    var changes: Bool { !isDownload || removesSources }

    /// A client that moves files: of an upload it removes its own.
    private var removesSources: Bool { options.contains { ["remove-source-files", "remove-sent-files"].contains($0.name) } }

    /// - Throws: ``Fault/denied(_:_:)`` for what the rules do not allow.
    func check(against rules: RsyncRules) throws(Fault) {
        guard rules.allows(isDownload ? .download : .upload) else { throw .denied(isDownload ? .download : .upload, nil) }
        if isDownload, removesSources, !rules.allows(.delete) { throw .denied(.delete, "--remove-source-files") }
        for option in options {
            guard let needed = RsyncOption.long[option.name]?.needs, !rules.allows(needed) else { continue }
            throw .denied(needed, "--\(option.name)")
        }
    }

    /// What rsync is started with in the root: everything as the rules want it, whatever the client wrote.
    func argv(under rules: RsyncRules) -> [String] {
        var argv = [RsyncRules.program, "--server"] + (isDownload ? ["--sender"] : [])
        let known = letters.sorted { $0.key < $1.key }.flatMap { Array(repeating: $0.key, count: $0.value) }
        let flags = String(decoding: known, as: UTF8.self) + (abilities.map { "e" + $0 } ?? "")
        if !flags.isEmpty { argv.append("-" + flags) }
        for option in options where option.name != "partial" {
            let name = option.name.hasPrefix("-") ? option.name : "--" + option.name
            argv.append(name + (option.value.map { (option.name.hasPrefix("-") ? "" : "=") + $0 } ?? ""))
        }
        argv += isDownload ? Self.forDownloads : forUploads(rules)
        return argv + ["."] + paths.map(\.argument)
    }

    private func forUploads(_ rules: RsyncRules) -> [String] {
        // A link that a client makes leads nowhere while it is here.
        var argv = ["--munge-links", "--chmod=ug-s,o-w", "--fsync", "--filter=P \(RsyncPath.hidden)"]
        if !rules.allows(.overwrite) { argv.append("--ignore-existing") }
        // Half a file never has its name.
        if options.contains(where: { $0.name == "partial" }) { argv.append("--partial-dir=\(Self.partialDirectory)") }
        return argv
    }

    private static let forDownloads = ["--munge-links", "--filter=- \(RsyncPath.hidden)"]
    private static let partialDirectory = ".rsync-partial"
}
