/// The line by which an scp client starts its other end: `scp [-v] [-r] [-p] [-d] -t|-f [--] PATH`.
///
/// It is parsed by this grammar alone. No option has a value, so that none can name a program to run (CVE-2019-1000018, CVE-2012-2252);
/// what follows the options is the path, which may hold any byte but NUL.
public struct DropCommandLine: Equatable, Sendable {
    /// True: the client sends.
    public var isUpload: Bool
    public var isRecursive = false
    public var keepsTimes = false
    public var targetIsDirectory = false
    /// As the client means it, quotes removed.
    public var path: [UInt8]

    /// Why a line that begins with `scp` is none of these.
    public enum Fault: Error, Hashable, Sendable {
        case tooLong
        case nul
        /// An option that the far end of a copy does not have.
        case unknownOption(String)
        /// Neither `-t` nor `-f`, or both.
        case noDirection
        case noPath
        /// The client may not send.
        case uploadDenied
        /// The client may not fetch.
        case downloadDenied

        /// For the client.
        public var text: String {
            switch self {
            case .tooLong: "the command line is longer than \(CommandLine.lineLimit) bytes"
            case .nul: "the command line holds a NUL"
            case .unknownOption(let option): "scp has no option \"\(option)\" here"
            case .noDirection: "scp is started by scp clients only: copy a file with scp or sftp"
            case .noPath: "scp without a path"
            case .uploadDenied: "you may not send files here"
            case .downloadDenied: "you may not fetch files here"
            }
        }
    }

    /// Whether a line is for this grammar: its first word is `scp`.
    public static func isMeant(by line: [UInt8]) -> Bool {
        line.starts(with: "scp".utf8) && (line.count == 3 || line[3] == space)
    }

    /// - Parameter line: as it came, for which ``isMeant(by:)`` holds.
    public init(parsing line: [UInt8]) throws(Fault) {
        precondition(Self.isMeant(by: line), "a line for another grammar")
        guard line.count <= CommandLine.lineLimit else { throw .tooLong }
        guard !line.contains(0) else { throw .nul }
        var rest = line.dropFirst(3)
        var directions: Set<Bool> = []
        var options: Set<UInt8> = []
        while true {
            rest = rest.drop { $0 == Self.space }
            guard rest.first == UInt8(ascii: "-") else { break }
            let word = rest.prefix { $0 != Self.space }
            rest = rest.dropFirst(word.count)
            if word.elementsEqual("--".utf8) {
                rest = rest.dropFirst(rest.first == Self.space ? 1 : 0)
                break
            }
            for letter in word.dropFirst() {
                switch letter {
                case UInt8(ascii: "t"): directions.insert(true)
                case UInt8(ascii: "f"): directions.insert(false)
                case UInt8(ascii: "r"), UInt8(ascii: "p"), UInt8(ascii: "d"), UInt8(ascii: "v"): options.insert(letter)
                default: throw .unknownOption(VisibleText.shortened(Array(word)))
                }
            }
            if word.count == 1 { throw .unknownOption("-") }
        }
        guard directions.count == 1, let isUpload = directions.first else { throw .noDirection }
        guard !rest.isEmpty else { throw .noPath }
        self.isUpload = isUpload
        isRecursive = options.contains(UInt8(ascii: "r"))
        keepsTimes = options.contains(UInt8(ascii: "p"))
        targetIsDirectory = options.contains(UInt8(ascii: "d"))
        path = Self.unquoted(Array(rest))
    }

    /// Clients that know shells quote what is one word; the others send the path as it is, spaces included.
    private static func unquoted(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: { #"'"\"#.utf8.contains($0) }) else { return bytes }
        do throws(CommandLineError) {
            var scanner = WordScanner(bytes)
            let word = try scanner.word()
            return scanner.isAtEnd ? word : bytes
        } catch {
            return bytes
        }
    }

    /// What `postern-files` is told of it. The path is plain text: `%` and two digits stand for every other byte.
    var arguments: [String] {
        let options = [(isRecursive, "-r"), (keepsTimes, "-p"), (targetIsDirectory, "-d")].filter(\.0).map(\.1)
        return ["scp", isUpload ? "-t" : "-f"] + options + [Self.encoded(path)]
    }

    private static func encoded(_ path: [UInt8]) -> String {
        path.map { byte in
            let isPlain = 0x21...0x7e ~= byte && byte != UInt8(ascii: "%")
            return isPlain ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    private static let space = UInt8(ascii: " ")
}
