extension Launch {
    /// A drop account's server.
    ///
    /// - Parameter line: nil for SFTP.
    init(_ command: Command, _ drop: DropRules, line: DropCommandLine?, session: Session) {
        let environment = CommandEnvironment.entries(for: command, line: nil, sent: [], session: session)
        self.init(
            command: command, argv: [DropRules.program] + drop.arguments + (line?.arguments ?? ["sftp"]), environment: environment,
            directory: drop.root(for: session.key.name))
    }
}

extension Decision {
    /// What a drop account does about a line, nil where it is not for it.
    static func decide(_ line: [UInt8], drop command: Command, _ session: Session) -> Result<Launch, DropCommandLine.Fault>? {
        guard let drop = command.drop, DropCommandLine.isMeant(by: line) else { return nil }
        do throws(DropCommandLine.Fault) {
            let parsed = try DropCommandLine(parsing: line)
            guard drop.allows(parsed.isUpload ? .upload : .download) else { throw parsed.isUpload ? .uploadDenied : .downloadDenied }
            return .success(Launch(command, drop, line: parsed, session: session))
        } catch {
            return .failure(error)
        }
    }
}
