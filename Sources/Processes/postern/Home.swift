import Linux

/// A directory that `postern init` made, or that has files of the same names.
struct Home {
    let directory: String

    init(_ directory: String) {
        self.directory = directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
    }

    /// The directory that a policy is in, or is.
    init(of policy: String) {
        self.init(Machine.isDirectory(policy) ? policy : Machine.directory(of: policy))
    }

    var policy: String { "\(directory)/policy.toml" }
    var hostKey: String { "\(directory)/host_ed25519" }
    var clientKey: String { "\(directory)/id_ed25519" }
    var knownHosts: String { "\(directory)/known_hosts" }

    /// What ``knownHosts`` calls the gateway, whatever its address and port.
    static let hostAlias = "postern"

    var hasClientKey: Bool { Machine.exists(clientKey) }

    func refuseWhatIsThere() throws(Failure) {
        for path in [policy, hostKey, hostKey + ".pub", clientKey, clientKey + ".pub", knownHosts] {
            guard !Machine.exists(path) else {
                throw Failure("\"\(path)\" is there already", hint: "choose another directory; nothing was written")
            }
        }
    }

    func make(mode: UInt32) throws(Failure) {
        do throws(Errno) {
            try makeDirectory(directory, mode: mode)
        } catch .exists {
        } catch {
            throw Failure("\"\(directory)\" cannot be made: \(error)")
        }
    }

    /// Makes a directory in it that is a user's.
    func make(_ name: String, for account: User) throws(Failure) {
        let path = "\(directory)/\(name)"
        do throws(Errno) {
            do throws(Errno) { try makeDirectory(path, mode: 0o700) } catch .exists { return }
            if Users.currentUID == 0 { try openFile(path, [.directory, .noFollow]).changeOwner(uid: account.uid, gid: account.gid) }
        } catch {
            throw Failure("\"\(path)\" cannot be made: \(error)")
        }
    }

    /// Whether a user can enter the directory, by the rights of others: the commands of root's gateway have no more.
    func isReachable(by account: User) -> Bool {
        guard Users.currentUID == 0 else { return true }
        var path = Machine.absolute(directory)
        while let slash = path.lastIndex(of: "/") {
            do throws(Errno) {
                let status = try openFile(path.isEmpty ? "/" : path, [.directory, .pathOnly]).status()
                if status.uid != account.uid, status.mode & 0o001 == 0 { return false }
            } catch {
                return false
            }
            path = String(path[..<slash])
        }
        return true
    }

    func write(_ text: String, to path: String) throws(Failure) {
        do throws(Errno) {
            try createFile(path, Array(text.utf8), mode: 0o644)
        } catch {
            throw Failure("\"\(path)\" cannot be written: \(error)")
        }
    }

    /// What to type to run a command with the first client key.
    func sshCommand(login: String, host: String, port: String, command: String) -> String {
        let path = { (file: String) in ShellWord.quoted(Machine.absolute(file)) }
        return "ssh -i \(path(clientKey)) -o IdentitiesOnly=yes -o UserKnownHostsFile=\(path(knownHosts)) "
            + "-o HostKeyAlias=\(Self.hostAlias) -p \(port) \(login)@\(host) \(ShellWord.quoted(command))"
    }
}

/// Words for the administrator's shell.
enum ShellWord {
    /// The word as it is typed: in single quotes where it needs them.
    static func quoted(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || "/._-=:@%+,".utf8.contains(byte)
        }
        return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
