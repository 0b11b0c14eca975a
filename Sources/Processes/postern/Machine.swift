import Foundation
import Linux
import Policy
import PolicySource
import SSHKeys
import SandboxCompiler

/// This machine as a policy's reader sees it: files that only the right people can change, local users, keys, filters.
enum Machine {
    static var surroundings: Surroundings {
        Surroundings(
            now: Clock.unixSeconds, uid: Users.currentUID,
            read: { path, owners, limit throws(Objection) in try read(path, owners, limit) },
            entries: { path, owners throws(Objection) in try entries(path, owners) },
            account: { name throws(Objection) in try account(name) },
            program: { path, uid in program(path, uid) },
            exists: exists,
            publicKey: { line throws(Objection) in try publicKey(line) },
            revokedKey: { line throws(Objection) in try revokedKey(line) },
            revocationList: { bytes throws(Objection) in try revocationList(bytes) },
            keyIDDigest: { RevocationList.digest(ofKeyID: $0, authority: $1) },
            predefined: PredefinedSandbox.names.compactMap(PredefinedSandbox.named),
            compile: { plan throws(Objection) in
                do throws(CompileError) { return try compile(plan) } catch { throw Objection("\(error)", hint: hint(error)) }
            })
    }

    /// The same for a policy of another machine: its users, programs and paths need not be here, and nobody's files are distrusted,
    /// since nothing goes live.
    static var elsewhere: Surroundings {
        var surroundings = surroundings
        surroundings.uid = 0
        surroundings.read = { path, _, limit throws(Objection) in try readAnyones(path, limit) }
        surroundings.entries = { path, _ throws(Objection) in try list(path) }
        surroundings.account = { name in Account(unresolved: name) }
        surroundings.program = { _, _ in .executable(writer: nil) }
        surroundings.exists = { _ in true }
        return surroundings
    }

    /// A path from the root, as the walk over its owners needs it.
    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// Where a path leads on this machine, without links, "." and ".."; one that is not there leads nowhere else.
    static func destination(_ path: String) -> String {
        let found = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
        return found.count > 1 && found.hasSuffix("/") ? String(found.dropLast()) : found
    }

    /// The directory that the last component of a path is in.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether a path leads to something.
    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// A program of ours, by its name in one of these directories: never by `$PATH`.
    static func program(named name: String, in directories: [String]) throws(Failure) -> String {
        let paths = directories.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            throw Failure("\(name) is neither \(paths.map { "\"\($0)\"" }.joined(separator: " nor "))")
        }
        return path
    }

    /// Where this program is.
    static func ownDirectory() throws(Failure) -> String {
        do throws(Errno) { return directory(of: try executablePath()) } catch { throw Failure("where this program is cannot be seen: \(error)") }
    }

    static func isDirectory(_ path: String) -> Bool {
        do throws(Errno) {
            return try openFile(path, .pathOnly).status().kind == .directory
        } catch {
            return false
        }
    }

    private static func read(_ path: String, _ owners: [UInt32], _ limit: Int) throws(Objection) -> [UInt8] {
        let file = try open(path, .file, owners)
        do throws(Errno) {
            return try file.readAll(limit: limit)
        } catch {
            throw Objection("\"\(path)\": \(error)")
        }
    }

    private static func readAnyones(_ path: String, _ limit: Int) throws(Objection) -> [UInt8] {
        do throws(Errno) {
            return try readFile(path, limit: limit)
        } catch {
            throw Objection("\"\(path)\": \(error)")
        }
    }

    private static func entries(_ path: String, _ owners: [UInt32]) throws(Objection) -> [String]? {
        guard isDirectory(path) else { return nil }
        _ = try open(path, .directory, owners)
        return try list(path)
    }

    /// The names in a directory; nil: it is none.
    private static func list(_ path: String) throws(Objection) -> [String]? {
        guard isDirectory(path) else { return nil }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw Objection("\"\(path)\" cannot be listed")
        }
    }

    /// Opens a file that nobody but root and one of the `owners` can change.
    private static func open(_ path: String, _ kind: TrustedPath.Kind, _ owners: [UInt32]) throws(Objection) -> Descriptor {
        let others = owners.filter { $0 != 0 }
        var fault: TrustError?
        for uid in others.isEmpty ? [nil] : others.map(Optional.init) {
            do throws(TrustError) {
                return try TrustedPath.open(absolute(path), kind, trusting: uid)
            } catch {
                fault = fault ?? error
            }
        }
        guard let fault else { preconditionFailure("nobody may own a policy") }
        throw Objection("\(fault)", hint: hint(fault))
    }

    private static func hint(_ fault: TrustError) -> String? {
        switch fault {
        case .owned(let path, _): "chown \(Users.currentUID == 0 ? "root" : "$USER") \(path)"
        case .writable(let path, _): "chmod go-w \(path)"
        default: nil
        }
    }

    private static func hint(_ fault: CompileError) -> String? {
        switch fault {
        case .unknownGroup: "there are \(SystemCalls.groupNames.joined(separator: ", "))"
        case .unknownCall, .dangerousCall, .neededCall: nil
        }
    }

    private static func account(_ name: String) throws(Objection) -> Account? {
        do throws(Errno) {
            return try Users.named(name).map {
                Account(name: $0.name, uid: $0.uid, gid: $0.gid, groups: $0.groups, home: $0.home, shell: $0.shell)
            }
        } catch {
            throw Objection("\(error)")
        }
    }

    private static func program(_ path: String, _ uid: UInt32) -> Program {
        do throws(Errno) {
            let status = try openFile(path, .pathOnly).status()
            guard status.kind == .file, status.mode & 0o111 != 0 else { return .notExecutable }
        } catch {
            return .missing
        }
        do throws(TrustError) {
            _ = try TrustedPath.open(path, trusting: Users.currentUID == 0 ? nil : Users.currentUID)
            return .executable(writer: nil)
        } catch {
            switch error {
            case .owned, .writable: return .executable(writer: "\(error)")
            // A program that may be executed but not read is fine.
            default: return .executable(writer: nil)
            }
        }
    }

    private static func publicKey(_ line: ArraySlice<UInt8>) throws(Objection) -> ParsedKey {
        do throws(KeyError) {
            guard let parsed = try PublicKeyLine(parsing: String(decoding: line, as: UTF8.self)) else { throw KeyError.notAKey }
            return ParsedKey(fingerprint: parsed.key.fingerprint, comment: parsed.comment, isSecurityKey: parsed.key.isSecurityKey)
        } catch {
            throw Objection("\(error)")
        }
    }

    private static func revokedKey(_ line: ArraySlice<UInt8>) throws(Objection) -> [UInt8] {
        do throws(KeyError) {
            return try PublicKeyLine.fingerprint(revokedBy: String(decoding: line, as: UTF8.self))
        } catch {
            throw Objection("\(error)")
        }
    }

    private static func revocationList(_ bytes: [UInt8]) throws(Objection) -> RevokedByList? {
        guard RevocationList.isList(bytes) else { return nil }
        do throws(KeyError) {
            let list = try RevocationList(bytes: bytes)
            return RevokedByList(
                keys: list.keys,
                certificates: list.certificates.map { .init(authority: $0.authority, serials: $0.serials, keyIDs: $0.keyIDs) })
        } catch {
            throw Objection("\(error)")
        }
    }
}
