import ArgumentParser
import Linux
import Policy

/// `postern status`: who is connected, what runs, and who is turned away.
struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say who is logged in, what runs and who is turned away; end a session.",
        discussion: "Only root, or the normal user who runs the gateway, may ask.")

    @Option(name: .customLong("end"), help: ArgumentHelp("End the session with this id, and its commands.", valueName: "id"))
    var ended: String?
    @Option(help: ArgumentHelp("The directory that posternd was given as --state.", valueName: "directory"), completion: .directory)
    var state = StateDirectory.standard
    @Flag(help: "Answer in JSON, one line for each.")
    var json = false

    func validate() throws {
        if let ended, !SessionAnswer.isID(ended) { throw ValidationError("\"\(ended)\" is not the id of a session: eight hexadecimal digits") }
    }

    func run() throws {
        try Console.reporting { () throws(Failure) in
            let directory = "\(state)/sessions"
            if let ended { return try end(ended, in: directory) }
            let answers = try SessionAnswer.all(in: directory)
            let arrivals = try ArrivalAnswer(in: state)
            if json { return try Console.write((answers.map(\.line) + arrivals.lines).map { $0 + "\n" }.joined(), to: .standardOutput) }
            if answers.isEmpty { try Console.note("nobody is logged in") }
            try Console.write(answers.map(\.text).joined() + arrivals.text, to: .standardOutput)
        }
    }

    private func end(_ id: String, in directory: String) throws(Failure) {
        do throws(Errno) {
            guard let first = try SessionAnswer.ask(id, in: directory) else { throw Errno.notFound }
            let process = try ForeignProcess(first.process)
            // It answers again: so the process that we have a hold of is the one that serves the session.
            guard let second = try SessionAnswer.ask(id, in: directory), second.process == first.process else { throw Errno.notFound }
            try process.send(.interrupt)
            guard try process.waitUntilGone(within: Self.patience) else { throw Errno.wouldBlock }
        } catch .notFound {
            throw Failure("there is no session \"\(id)\"", hint: "\"postern status\" has them all")
        } catch .noProcess {
            // It has just gone.
        } catch .wouldBlock {
            throw Failure("session \"\(id)\" was told to end, and has not yet")
        } catch {
            throw Failure("session \"\(id)\": \(error)")
        }
        try Console.note("ended \(id)")
    }

    private static let patience: Duration = .seconds(5)
}
