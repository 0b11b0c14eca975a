import ArgumentParser

/// The administrator's program (DESIGN §2). Nothing of it runs for a connection.
struct Postern: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A narrow, guarded back gate over SSH: each key opens exactly the commands a policy names.",
        discussion: "Begin with \"postern init\", which writes a policy to start from and says what to do next.",
        version: "postern 0.1",
        subcommands: [Init.self, Keygen.self, Check.self, Apply.self, Explain.self, Matrix.self, Diff.self, Import.self, Serve.self, Probe.self, ShowLog.self, Status.self, SSHCommand.self])
}
