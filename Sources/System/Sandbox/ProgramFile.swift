public import Linux

/// Why a program cannot be executed.
public enum ProgramError: Error, Equatable, Sendable, CustomStringConvertible {
    /// It is not there: exit status 127 (DESIGN §4.1).
    case missing(path: String)
    case notAbsolute(path: String)
    case notExecutable(path: String)
    /// Neither ELF nor a `#!` script.
    case unknownFormat(path: String)
    /// A script, or something above it, that others could change between the check and the execution.
    case untrusted(TrustError)
    case system(path: String, Errno)

    public var description: String {
        switch self {
        case .missing(let path): "\"\(path)\" does not exist"
        case .notAbsolute(let path): "\"\(path)\" is not an absolute path"
        case .notExecutable(let path): "\"\(path)\" is not an executable file"
        case .unknownFormat(let path): "\"\(path)\" is neither an ELF program nor a script that begins with #!"
        case .untrusted(let error): "\(error)"
        case .system(let path, let errno): "\"\(path)\": \(errno)"
        }
    }
}

/// A program that was found and looked at (DESIGN §3.2, `run`).
public struct ProgramFile: Sendable {
    public enum Kind: Sendable { case elf, script }
    public let path: String
    public let kind: Kind
    /// ELF by the descriptor that was checked, a script by its path.
    public let program: ProcessPlan.Program

    /// Finds a program by its absolute path.
    ///
    /// - Parameter uid: who may own a script and the directories above it, besides root.
    public init(_ path: String, trusting uid: UInt32? = nil) throws(ProgramError) {
        guard path.hasPrefix("/") else { throw .notAbsolute(path: path) }
        self.path = path
        let file = try Self.naming(path) { () throws(Errno) in try Self.open(path) }
        let status = try Self.naming(path) { () throws(Errno) in try file.status() }
        guard status.kind == .file, status.mode & 0o111 != 0 else { throw .notExecutable(path: path) }
        kind = try Self.kind(of: file, path)
        switch kind {
        case .elf: program = .descriptor(file)
        case .script:
            program = .path(path)
            do throws(TrustError) { _ = try TrustedPath.open(path, trusting: uid) } catch { throw .untrusted(error) }
        }
    }

    /// Never waits: a FIFO or device in its place is turned away afterwards.
    private static func open(_ path: String) throws(Errno) -> Descriptor {
        do throws(Errno) {
            return try openFile(path, .nonBlocking)
        } catch .accessDenied {
            // May be executed but not read, by a normal user: only ELF works so.
            return try openFile(path, .pathOnly)
        }
    }

    private static func kind(of file: Descriptor, _ path: String) throws(ProgramError) -> Kind {
        var start = [UInt8](repeating: 0, count: 4)
        do throws(Errno) {
            _ = try file.read(into: &start, start.indices)
        } catch .badDescriptor {
            return .elf
        } catch {
            throw .system(path: path, error)
        }
        if start == [0x7f, 0x45, 0x4c, 0x46] { return .elf }
        if start.starts(with: Array("#!".utf8)) { return .script }
        throw .unknownFormat(path: path)
    }

    private static func naming<Value>(_ path: String, _ body: () throws(Errno) -> Value) throws(ProgramError) -> Value {
        do throws(Errno) {
            return try body()
        } catch where error == .notFound || error == .notDirectory {
            throw .missing(path: path)
        } catch {
            throw .system(path: path, error)
        }
    }
}
