/// The environment of a command (DESIGN §4.1): nothing of the gateway's, and of the client's what the command accepts.
public enum CommandEnvironment {
    /// Bytes of a value that a client sends; longer ones are dropped.
    public static let valueLimit = 4096

    /// Whether `accept_env` may name this variable at all.
    ///
    /// False for what is no name of a variable, and for those that change how programs load code, find files or split words, or
    /// that say who the client is.
    public static func mayAccept(_ name: String) -> Bool {
        guard isName(name) else { return false }
        if name == "GIT_PROTOCOL" { return true }
        return !refusedNames.contains(name) && !refusedPrefixes.contains { name.hasPrefix($0) }
    }

    /// Whether `name` matches `[A-Za-z_][A-Za-z0-9_]*`.
    public static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy(isNameByte)
    }

    private static let refusedPrefixes = [
        "LD_", "BASH_", "PERL", "PYTHON", "RUBY", "NODE_", "SSH_", "POSTERN_", "GIT_", "MALLOC_", "TERMINFO", "_JAVA_",
    ]
    private static let refusedNames: Set = [
        "ENV", "SHELLOPTS", "BASHOPTS", "IFS", "CDPATH", "GLOBIGNORE", "PS4", "PROMPT_COMMAND", "PATH", "HOME", "USER", "LOGNAME",
        "SHELL", "TMPDIR", "GCONV_PATH", "LOCPATH", "NLSPATH", "GLIBC_TUNABLES", "TERMCAP", "HOSTALIASES", "LOCALDOMAIN",
        "RES_OPTIONS", "RESOLV_HOST_CONF", "JAVA_TOOL_OPTIONS", "CLASSPATH", "_",
    ]

    /// All of a command's environment but `TMPDIR`; of several values for a name the last one counts, at the place of the first.
    static func entries(for command: Command, line: [UInt8]?, sent: [EnvironmentEntry], session: Session) -> [EnvironmentEntry] {
        let accepted = sent.filter { accepts($0, for: command) }
        var entries: [EnvironmentEntry] = []
        var places: [String: Int] = [:]
        for entry in own(of: command, line: line, session: session) + command.environment + accepted {
            if let place = places[entry.name] {
                entries[place] = entry
            } else {
                places[entry.name] = entries.count
                entries.append(entry)
            }
        }
        return entries
    }

    private static func own(of command: Command, line: [UInt8]?, session: Session) -> [EnvironmentEntry] {
        let (peer, local) = (session.peer, session.local)
        var entries: [EnvironmentEntry] = [
            EnvironmentEntry(name: "PATH", value: "/usr/bin:/bin"),
            EnvironmentEntry(name: "HOME", value: command.account.home),
            EnvironmentEntry(name: "USER", value: command.account.name),
            EnvironmentEntry(name: "LOGNAME", value: command.account.name),
            EnvironmentEntry(name: "SHELL", value: command.account.shell),
            EnvironmentEntry(name: "LANG", value: "C.UTF-8"),
            EnvironmentEntry(name: "SSH_CONNECTION", value: "\(peer.host) \(peer.port) \(local.host) \(local.port)"),
            EnvironmentEntry(name: "SSH_CLIENT", value: "\(peer.host) \(peer.port) \(local.port)"),
        ]
        if let line { entries.append(EnvironmentEntry(name: "SSH_ORIGINAL_COMMAND", value: String(decoding: line, as: UTF8.self))) }
        return entries + [
            EnvironmentEntry(name: "POSTERN_KEY", value: session.key.name),
            EnvironmentEntry(name: "POSTERN_FINGERPRINT", value: session.fingerprintText),
            EnvironmentEntry(name: "POSTERN_COMMAND", value: command.name),
            EnvironmentEntry(name: "POSTERN_REQUEST", value: session.requestID),
        ]
    }

    /// As in a command line, no control character gets through, whatever the pattern says.
    private static func accepts(_ entry: EnvironmentEntry, for command: Command) -> Bool {
        let value = Array(entry.value.utf8)
        guard mayAccept(entry.name), let matcher = command.acceptEnvironment[entry.name] else { return false }
        return value.count <= valueLimit && !value.contains(where: isRefusedControl) && matcher.matches(value)
    }
}
