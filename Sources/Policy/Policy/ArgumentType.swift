/// What the value of an argument may be (DESIGN §3.2).
///
/// No value begins with `-`, so that it cannot be taken for an option, unless the pattern of a `match` accepts it.
public struct ArgumentType: Equatable, Sendable {
    /// What there is.
    public enum Kind: Equatable, Sendable {
        /// `[A-Za-z0-9_@%+=:,./-]`, 1 to 256 bytes.
        case word
        case match(Matcher)
        /// One of these, byte for byte.
        case oneOf([String])
        /// Decimal, without sign or leading zeros.
        case integer(ClosedRange<Int64>)
        /// A path beneath this absolute directory, as ``ArgumentType/resolved(_:)`` has it.
        case path(beneath: String)
        /// Semantic Versioning 2.0.0: `1.2.3`, `1.2.3-rc.1`, `1.2.3+build`.
        case semver
        /// What git-check-ref-format(1) accepts with `--allow-onelevel`.
        case gitref
        /// Hexadecimal digits of either case.
        case hex
    }

    /// Which of them; only the functions below make one, so that it makes sense.
    public let kind: Kind

    /// Bytes of a `word`, `semver`, `gitref` or `hex`.
    public static let valueLimit = 256
    /// Values of a `one_of`.
    public static let choiceLimit = 256
    /// Bytes of a path, those of the directory included (PATH_MAX of Linux without the NUL).
    public static let pathLimit = 4095

    /// What an argument without an entry is.
    public static let word = ArgumentType(kind: .word)

    /// `{ match = pattern }`.
    ///
    /// - Throws: ``MatcherError`` with the byte of the pattern.
    public static func match(_ pattern: String) throws(MatcherError) -> ArgumentType {
        ArgumentType(kind: .match(try Matcher(pattern)))
    }

    /// `{ one_of = choices }`.
    public static func oneOf(_ choices: [String]) throws(ArgumentTypeError) -> ArgumentType {
        guard !choices.isEmpty else { throw .noChoices }
        guard choices.count <= choiceLimit else { throw .tooManyChoices(limit: choiceLimit) }
        var seen: Set<[UInt8]> = []
        for (index, choice) in choices.enumerated() {
            let bytes = Array(choice.utf8)
            guard !bytes.isEmpty, bytes.count <= valueLimit else { throw .choiceLength(index: index, limit: valueLimit) }
            guard !bytes.contains(where: isRefusedControl) else { throw .choiceWithControl(index: index) }
            guard bytes.first != UInt8(ascii: "-") else { throw .choiceBeginsWithDash(index: index) }
            guard seen.insert(bytes).inserted else { throw .duplicateChoice(index: index) }
        }
        return ArgumentType(kind: .oneOf(choices))
    }

    /// `{ integer = [smallest, largest] }`; neither may be negative.
    public static func integer(from smallest: Int64, through largest: Int64) throws(ArgumentTypeError) -> ArgumentType {
        guard smallest >= 0 else { throw .negativeInteger }
        guard smallest <= largest else { throw .emptyRange }
        return ArgumentType(kind: .integer(smallest...largest))
    }

    /// `{ path_in = directory }`.
    public static func path(beneath directory: String) throws(ArgumentTypeError) -> ArgumentType {
        let bytes = Array(directory.utf8)
        guard bytes.first == UInt8(ascii: "/") else { throw .directoryNotAbsolute }
        guard bytes.count < pathLimit else { throw .directoryTooLong(limit: pathLimit) }
        guard directory == "/" || Self.isPlainRelativePath(bytes.dropFirst()) else { throw .directoryNotPlain }
        return ArgumentType(kind: .path(beneath: directory))
    }

    /// `{ type = name }`: `semver`, `gitref`, `hex` or `word`.
    public static func named(_ name: String) throws(ArgumentTypeError) -> ArgumentType {
        switch name {
        case "word": .word
        case "semver": ArgumentType(kind: .semver)
        case "gitref": ArgumentType(kind: .gitref)
        case "hex": ArgumentType(kind: .hex)
        default: throw .unknownType(name)
        }
    }

    /// Whether a client's word can be the value.
    public func accepts(_ value: String) -> Bool {
        let bytes = Array(value.utf8)
        if case .match(let matcher) = kind { return matcher.matches(bytes) }
        guard let first = bytes.first, first != UInt8(ascii: "-") else { return false }
        switch kind {
        case .path(let directory): return Self.path(bytes, beneath: Array(directory.utf8)) != nil
        case .oneOf(let choices): return choices.contains { $0.hasSameBytes(as: value) }
        case .integer(let range): return Self.integer(bytes).map(range.contains) ?? false
        case .word: return bytes.count <= Self.valueLimit && bytes.allSatisfy(Self.isWordByte)
        case .semver: return bytes.count <= Self.valueLimit && SemanticVersion.isValid(bytes)
        case .gitref: return bytes.count <= Self.valueLimit && GitReference.isValid(bytes)
        case .hex: return bytes.count <= Self.valueLimit && bytes.allSatisfy { hexDigit($0) != nil }
        case .match: preconditionFailure("answered above")
        }
    }

    /// What the command is given for an accepted value: for a path the absolute one, for all others the value itself.
    ///
    /// A relative path is one from the directory of the type, whatever directory the command runs in.
    public func resolved(_ value: String) -> String {
        guard case .path(let directory) = kind else { return value }
        guard let path = Self.path(Array(value.utf8), beneath: Array(directory.utf8)) else {
            preconditionFailure("a path that was not accepted")
        }
        return String(decoding: path, as: UTF8.self)
    }

    /// What a value must be, as it continues "it must be".
    public var expectation: String {
        switch kind {
        case .word: "a word of letters, digits and _@%+=:,./- that does not begin with \"-\", at most \(Self.valueLimit) bytes"
        case .match(let matcher): "text that matches \(VisibleText.of(matcher.pattern))"
        case .oneOf(let choices): "one of: \(choices.map(VisibleText.of).joined(separator: ", "))"
        case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .path(let directory): "a path beneath \(VisibleText.of(directory)), without \"..\""
        case .semver: "a version such as 1.2.3 or 1.2.3-rc.1"
        case .gitref: "a git reference such as main or refs/tags/v1"
        case .hex: "hexadecimal digits, at most \(Self.valueLimit)"
        }
    }

    /// The type's name as help in JSON has it: that of the key of its table, or the one after `type =`.
    public var name: String {
        switch kind {
        case .word: "word"
        case .match: "match"
        case .oneOf: "one_of"
        case .integer: "integer"
        case .path: "path_in"
        case .semver: "semver"
        case .gitref: "gitref"
        case .hex: "hex"
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        isNameByte(byte) || "@%+=:,./-".utf8.contains(byte)
    }

    private static func integer(_ bytes: [UInt8]) -> Int64? {
        guard bytes.allSatisfy(isDigit), bytes.count == 1 || bytes.first != UInt8(ascii: "0") else { return nil }
        return Int64(String(decoding: bytes, as: UTF8.self))
    }

    /// The absolute path that `value` means, or nil when it is not plainly beneath `directory`.
    private static func path(_ value: [UInt8], beneath directory: [UInt8]) -> [UInt8]? {
        let prefix = directory == [UInt8(ascii: "/")] ? directory : directory + [UInt8(ascii: "/")]
        var rest = value[...]
        if value.first == UInt8(ascii: "/") {
            guard value.starts(with: prefix) else { return nil }
            rest = value.dropFirst(prefix.count)
        }
        guard isPlainRelativePath(rest), prefix.count + rest.count <= pathLimit else { return nil }
        return prefix + rest
    }

    /// Components of 1 to 255 bytes, none of them `.` or `..`, no control character.
    private static func isPlainRelativePath(_ path: ArraySlice<UInt8>) -> Bool {
        guard !path.contains(where: { $0 == 0 || isRefusedControl($0) }) else { return false }
        return path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
            (1...255).contains($0.count) && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
        }
    }
}

/// Why an `args` entry is not a type.
public enum ArgumentTypeError: Error, Equatable, Sendable {
    case unknownType(String)
    case noChoices
    case tooManyChoices(limit: Int)
    /// The choice at `index` is empty or longer than `limit` bytes.
    case choiceLength(index: Int, limit: Int)
    case choiceWithControl(index: Int)
    case choiceBeginsWithDash(index: Int)
    case duplicateChoice(index: Int)
    case negativeInteger
    case emptyRange
    case directoryNotAbsolute
    case directoryTooLong(limit: Int)
    /// `.`, `..`, an empty component, a slash at the end.
    case directoryNotPlain
}

extension ArgumentTypeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownType(let name): "\"\(VisibleText.of(name))\" is not a type; there are semver, gitref, hex and word"
        case .noChoices: "one_of needs at least one value"
        case .tooManyChoices(let limit): "one_of has at most \(limit) values"
        case .choiceLength(_, let limit): "a value of one_of has 1 to \(limit) bytes"
        case .choiceWithControl: "a value of one_of cannot hold control characters; no client could send it"
        case .choiceBeginsWithDash: "a value cannot begin with \"-\"; write match to allow that"
        case .duplicateChoice: "this value is there twice"
        case .negativeInteger: "an integer begins at 0 or above, since no value begins with \"-\"; write match for negative ones"
        case .emptyRange: "the first number is larger than the second"
        case .directoryNotAbsolute: "the directory is not absolute; write it from the root"
        case .directoryTooLong(let limit): "the directory has \(limit) bytes or more"
        case .directoryNotPlain: "write the directory without \".\", \"..\", double slashes or a slash at the end"
        }
    }
}
