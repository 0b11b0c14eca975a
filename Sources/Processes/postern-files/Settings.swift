import Files
import Linux
import SCP

/// What the monitor says on the command line; nothing in it is the client's but the path of an scp.
struct Settings {
    struct Fault: Error {
        let text: String
    }

    /// What is spoken.
    enum Program {
        case sftp
        case sink(RemotePath, SCPOptions)
        case source(RemotePath, SCPOptions)
    }

    var access: Access = []
    /// Bytes of one file.
    var maxFile: UInt64?
    /// Bytes of all files.
    var quota: UInt64?
    var maxFiles: UInt64?
    /// What files may be called; empty: anything.
    var names: [NamePattern] = []
    /// A file is looked at before it appears.
    var isVerified = false
    var program = Program.sftp

    init(arguments: [String]) throws(Fault) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--access": access = try Access(words: try Self.value(&rest, word))
            case "--max-file": maxFile = try Self.number(&rest, word)
            case "--quota": quota = try Self.number(&rest, word)
            case "--max-files": maxFiles = try Self.number(&rest, word)
            case "--name": names.append(NamePattern(try Self.value(&rest, word).utf8))
            case "--verify": isVerified = true
            case "sftp" where rest.isEmpty: return
            case "scp":
                program = try Self.scp(Array(rest))
                return
            default: throw Fault(text: "unknown argument \"\(word)\"")
            }
        }
        throw Fault(text: "what to speak is not said")
    }

    /// `-t|-f [-r] [-p] [-d] PATH`, the path with `%` and two digits for bytes that are no plain text.
    private static func scp(_ words: [String]) throws(Fault) -> Program {
        var options = SCPOptions()
        var isSink: Bool?
        for word in words.dropLast() {
            switch word {
            case "-t": isSink = true
            case "-f": isSink = false
            case "-r": options.isRecursive = true
            case "-p": options.keepsTimes = true
            case "-d": options.targetIsDirectory = true
            default: throw Fault(text: "unknown argument \"\(word)\"")
            }
        }
        guard let isSink, let encoded = words.last, let bytes = decoded(encoded) else { throw Fault(text: "scp without a direction and a path") }
        do throws(FileError) {
            let path = try RemotePath(expanding: bytes)
            return isSink ? .sink(path, options) : .source(path, options)
        } catch {
            throw Fault(text: error.text)
        }
    }

    private static func decoded(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return bytes
    }

    private static func value(_ rest: inout ArraySlice<String>, _ word: String) throws(Fault) -> String {
        guard let value = rest.popFirst() else { throw Fault(text: "\(word) has no value") }
        return value
    }

    private static func number(_ rest: inout ArraySlice<String>, _ word: String) throws(Fault) -> UInt64 {
        guard let number = UInt64(try value(&rest, word)) else { throw Fault(text: "\(word) has no number") }
        return number
    }
}

/// What a client may do (DESIGN §3.2, `access`).
struct Access: OptionSet {
    let rawValue: UInt8
    static let upload = Access(rawValue: 1)
    static let download = Access(rawValue: 2)
    static let list = Access(rawValue: 4)
    static let overwrite = Access(rawValue: 8)
    static let rename = Access(rawValue: 16)
    static let delete = Access(rawValue: 32)
    static let makeDirectory = Access(rawValue: 64)

    private static let words: [String: Access] = [
        "upload": .upload, "download": .download, "list": .list, "overwrite": .overwrite, "rename": .rename, "delete": .delete,
        "make_directory": .makeDirectory,
    ]

    /// Words with commas between.
    init(words text: String) throws(Settings.Fault) {
        self = []
        for word in text.split(separator: ",") {
            guard let access = Self.words[String(word)] else { throw Settings.Fault(text: "unknown access \"\(word)\"") }
            formUnion(access)
        }
    }

    init(rawValue: UInt8) { self.rawValue = rawValue }
}
