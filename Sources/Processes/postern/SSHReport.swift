import Policy
import SSHClient

/// What became of `postern ssh`, for people and for programs.
struct SSHReport {
    /// How a command ended, and what is told of its connection.
    struct Ending {
        let exit: SSHExit
        let output: String?
        let errors: String?
        let hostKey: String?
        let algorithms: SSHAlgorithms?
    }

    let status: UInt32?
    let signal: String?
    let error: String?
    let output: String?
    let errors: String?
    let hostKey: String?
    let keyExchange: String?
    let cipher: String?
    let milliseconds: Int

    init(_ ending: Ending, after duration: Duration) {
        switch ending.exit {
        case .status(let status): (self.status, signal, error) = (status, nil, nil)
        case .signal(let name, _): (status, signal, error) = (nil, name, "the command was ended by SIG\(name)")
        case .unknown: (status, signal, error) = (nil, nil, "the server did not say how the command ended")
        }
        (output, errors, hostKey) = (ending.output, ending.errors, ending.hostKey)
        (keyExchange, cipher) = (ending.algorithms?.keyExchange, ending.algorithms?.cipherToServer)
        milliseconds = Int(duration / .milliseconds(1))
    }

    init(_ failure: SSHFailure, after duration: Duration) {
        (status, signal, error) = (nil, nil, "\(failure)")
        (output, errors, hostKey, keyExchange, cipher) = (nil, nil, nil, nil, nil)
        milliseconds = Int(duration / .milliseconds(1))
    }

    /// 255 is ssh(1)'s for what is not the command's own.
    var exitCode: Int32 { status.map { Int32(min($0, 255)) } ?? 255 }

    /// A JSON object of what is known.
    var text: String {
        let texts = [
            ("cipher", cipher), ("error", error), ("errors", errors), ("host_key", hostKey), ("key_exchange", keyExchange), ("output", output), ("signal", signal),
        ]
        var members = texts.compactMap { name, text in text.map { JSONText.Member(name, .string($0)) } }
        members.append(.init("milliseconds", .integer(Int64(milliseconds))))
        if let status { members.append(.init("status", .integer(Int64(status)))) }
        return JSONText.object(members).description
    }
}
