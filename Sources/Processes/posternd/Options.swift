import Linux

/// The command line of `posternd` (DESIGN §2).
struct Options {
    var policy = "/var/lib/postern/policy.db"
    /// At least one.
    var hostKeys = ["/etc/postern/host_ed25519"]
    var listen: [SocketAddress] = []
    var verbosity = Verbosity.normal
    var log = LogTarget.standardError
    /// A directory for what the processes of a gateway know in common.
    var state = StateDirectory.standard
    /// Whether a listener that is told to stop waits for its connections; they drain without it too.
    var waitsForConnections = true
    /// Standard input is a listener, which hands over a connection.
    var isWaiting = false

    enum Verbosity: Int, Comparable {
        case quiet, normal, verbose, debug
        static func < (left: Verbosity, right: Verbosity) -> Bool { left.rawValue < right.rawValue }
    }

    enum LogTarget: Equatable {
        case standardError
        case syslog
        case journal
        case file(String)
    }

    enum Outcome {
        case run(Options)
        case printVersion
        case printUsage
    }

    struct Fault: Error {
        let text: String
    }

    static let usage = """
        usage: posternd [-qvl] [--policy FILE] [--host-key FILE]... [--listen [ADDR:]PORT]... [--log stderr|syslog|journal|FILE] [--state DIR] [--no-wait]
          with a connection as standard input it serves that one; with --listen, or sockets from the service manager, it accepts them

        """

    /// Reads the arguments after the program's name.
    static func parse(_ arguments: [String]) throws(Fault) -> Outcome {
        var options = Options()
        var rest = arguments[...]
        var isHostKeyGiven = false
        func value(of name: String) throws(Fault) -> String {
            guard let value = rest.popFirst() else { throw Fault(text: "\(name) needs a value") }
            return value
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--version": return .printVersion
            case "--help", "-h": return .printUsage
            case "--policy": options.policy = try value(of: argument)
            case "--host-key":
                let path = try value(of: argument)
                options.hostKeys = isHostKeyGiven ? options.hostKeys + [path] : [path]
                isHostKeyGiven = true
            case "--state":
                options.state = try value(of: argument)
                guard options.state.hasPrefix("/") else { throw Fault(text: "--state takes a path from the root, not \"\(options.state)\"") }
            // Between our own processes.
            case "--waiting": options.isWaiting = true
            case "--no-wait": options.waitsForConnections = false
            case "--log": options.log = try logTarget(try value(of: argument))
            case "--listen":
                let text = try value(of: argument)
                guard let address = SocketAddress(text) else { throw Fault(text: "\"\(text)\" is not [ADDR:]PORT") }
                options.listen.append(address)
            case _ where argument.hasPrefix("-") && argument.count > 1 && !argument.hasPrefix("--"):
                for flag in argument.dropFirst() { try options.set(flag) }
            default:
                throw Fault(text: "unknown argument \"\(argument)\"")
            }
        }
        return .run(options)
    }

    private mutating func set(_ flag: Character) throws(Fault) {
        switch flag {
        case "q": verbosity = .quiet
        case "v": verbosity = verbosity < .verbose ? .verbose : .debug
        case "l": log = .syslog
        default: throw Fault(text: "unknown flag \"-\(flag)\"")
        }
    }

    private static func logTarget(_ text: String) throws(Fault) -> LogTarget {
        switch text {
        case "stderr": return .standardError
        case "syslog": return .syslog
        case "journal": return .journal
        case _ where text.hasPrefix("/"): return .file(text)
        default: throw Fault(text: "--log takes stderr, syslog, journal or a path from the root, not \"\(text)\"")
        }
    }

    /// The arguments that make another `posternd` with the same settings serve one connection.
    var forOneConnection: [String] {
        var arguments = ["--policy", policy, "--state", state] + hostKeys.flatMap { ["--host-key", $0] }
        switch verbosity {
        case .quiet: arguments.append("-q")
        case .normal: break
        case .verbose: arguments.append("-v")
        case .debug: arguments.append("-vv")
        }
        switch log {
        case .standardError: break
        case .syslog: arguments += ["--log", "syslog"]
        case .journal: arguments += ["--log", "journal"]
        case .file(let path): arguments += ["--log", path]
        }
        return arguments
    }
}
