import ArgumentParser
import Linux
import SSHKeys
import Sodium

/// `postern keygen`: makes ed25519 keys, and shows them.
struct Keygen: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make an ed25519 key pair that ssh reads too, or show keys.",
        discussion: "The private key goes to FILE, the public key to FILE.pub. Nothing is overwritten.")

    @Option(name: .customShort("C"), help: "What stands behind the public key.")
    var comment = ""
    @Flag(name: .customLong("print"), help: "Print the public key and fingerprint of key files instead.")
    var isPrinting = false
    @Argument(help: "A key file.", completion: .file())
    var files: [String]

    func validate() throws {
        if !isPrinting, files.count != 1 { throw ValidationError("one FILE at a time is made") }
        if comment.utf8.count > PrivateKeyFile.commentLimitBytes || comment.unicodeScalars.contains(where: { $0.value < 0x20 }) {
            throw ValidationError("the comment is not one line of at most \(PrivateKeyFile.commentLimitBytes) bytes")
        }
    }

    func run() throws {
        Sodium.initialize()
        try Console.reporting { () throws(Failure) in
            for file in files {
                if isPrinting { try show(file) } else { try Console.say(KeyPair.make(file, comment: comment).fingerprintText) }
            }
        }
    }

    private func show(_ path: String) throws(Failure) {
        let (key, comment) = try KeyPair.publicKey(in: path)
        try Console.say(key.line(comment: comment))
        try Console.say(key.fingerprintText)
    }
}

/// Key files.
enum KeyPair {
    /// Makes a pair of files and returns its public key.
    static func make(_ path: String, comment: String) throws(Failure) -> PublicKey {
        try write(PrivateKeyFile(key: .generate(), comment: comment), to: path)
    }

    /// Writes a pair of files and returns its public key.
    static func write(_ file: PrivateKeyFile, to path: String) throws(Failure) -> PublicKey {
        for taken in [path, path + ".pub"] {
            if Machine.exists(taken) {
                throw Failure("\"\(taken)\" is there already", hint: "remove it first if nobody needs it any more")
            }
        }
        var random = SystemRandom()
        var text = file.text(random: &random)
        defer { wipe(&text) }
        try write(text, path, mode: 0o600)
        try write(Array((file.publicKey.line(comment: file.comment) + "\n").utf8), path + ".pub", mode: 0o644)
        return file.publicKey
    }

    private static func write(_ bytes: [UInt8], _ path: String, mode: UInt32) throws(Failure) {
        do throws(Errno) {
            try createFile(path, bytes, mode: mode)
        } catch {
            throw Failure("\"\(path)\" cannot be written: \(error)")
        }
    }

    /// The certificate in a `-cert.pub` file; nil: the file holds something else.
    static func certificate(in path: String) throws(Failure) -> Certificate? {
        let bytes: [UInt8]
        do throws(Errno) { bytes = try readFile(path, limit: PrivateKeyFile.limitBytes) } catch { throw Failure("\"\(path)\" cannot be read: \(error)") }
        let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard Certificate.algorithms.contains(where: { line.hasPrefix($0 + " ") }) else { return nil }
        do throws(KeyError) { return try Certificate(line: line) } catch { throw Failure("\"\(path)\": \(error)") }
    }

    /// The public key and comment of a private or public key file.
    static func publicKey(in path: String) throws(Failure) -> (key: PublicKey, comment: String) {
        var bytes: [UInt8]
        do throws(Errno) {
            bytes = try readFile(path, limit: PrivateKeyFile.limitBytes)
        } catch {
            throw Failure("\"\(path)\" cannot be read: \(error)")
        }
        defer { wipe(&bytes) }
        do throws(KeyError) {
            if bytes.starts(with: "-----BEGIN".utf8) {
                let file = try PrivateKeyFile(text: bytes)
                return (file.publicKey, file.comment)
            }
            guard let line = try PublicKeyLine(parsing: String(decoding: bytes, as: UTF8.self)) else { throw KeyError.notAKey }
            return (line.key, line.comment)
        } catch {
            throw Failure("\"\(path)\": \(error)")
        }
    }
}
