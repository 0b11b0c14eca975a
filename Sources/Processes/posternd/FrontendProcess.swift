import Linux
import MonitorProtocol
import Policy
import SSHWire
import Sandbox

/// The frontend of a connection: a process of its own that has nothing but the channel to us, and then the connection, which comes through that.
struct FrontendProcess {
    let process: ChildProcess
    let channel: Descriptor

    private static let program = "postern-frontend"
    /// Descriptors it may have: its four, three for each of 64 channels, and what is on its way.
    private static let mostDescriptors: UInt64 = 256

    /// Starts it: as root under a user of its own, in an empty root directory and without any capability.
    static func start(asRoot: Bool) throws(Fault) -> FrontendProcess {
        let (ours, theirs) = try naming("socket pair", isTemporary: true) { () throws(Errno) in try Descriptor.socketPair() }
        try naming("socket pair", isTemporary: true) { () throws(Errno) in
            try ours.setNonBlocking()
            try theirs.setNonBlocking()
        }
        let file = try helper(program, asRoot: asRoot)
        // All three are the channel: what a trap would print to standard error is no request, and ends both.
        var plan = ProcessPlan(
            program: .descriptor(file), arguments: [program], environment: swiftEnvironment, input: theirs, output: theirs, error: theirs)
        plan.limits += [ResourceLimit(.openFiles, mostDescriptors), ResourceLimit(.fileSize, 0)]
        plan.parentDeathSignal = .kill
        if asRoot {
            plan.identity = try identity()
            plan.rootDirectory = try emptyDirectory()
        }
        let process = try naming(program, isTemporary: true) { () throws(LaunchError) in try launch(plan) }
        return FrontendProcess(process: process, channel: ours)
    }

    /// Sends a message. It never waits: a frontend that does not read its answers is broken, and is ended.
    func send(_ message: MonitorMessage, descriptors: [Descriptor] = []) throws(Violation) {
        let isSent: Bool
        do throws(Errno) {
            isSent = try channel.send(message.bytes, descriptors: descriptors)
        } catch .brokenPipe, .connectionReset {
            // It has gone. What it said before is still to be read, and then its end.
            return
        } catch {
            throw .gone
        }
        if !isSent { throw .deaf }
    }

    /// The next request; nil when there is none now.
    func receive() throws(Violation) -> FrontendMessage? {
        let datagram: Datagram?
        do throws(DatagramError) {
            datagram = try channel.receive(limit: FrontendMessage.longest)
        } catch {
            throw .datagram(error)
        }
        guard let datagram else { return nil }
        if datagram.isEnd { throw .gone }
        do throws(WireError) {
            return try FrontendMessage(bytes: datagram.bytes)
        } catch {
            throw .malformed(error)
        }
    }

    /// The helper `name`, which stands beside this program, or where `make install` puts it; never looked up in `$PATH`.
    static func helper(_ name: String, asRoot: Bool) throws(Fault) -> Descriptor {
        let path = try helperPath(name)
        return try naming("helper") { () throws(TrustError) in try TrustedPath.open(path, trusting: asRoot ? nil : Users.currentUID) }
    }

    /// Where a helper is.
    static func helperPath(_ name: String) throws(Fault) -> String {
        let own = try naming("own program") { () throws(Errno) in try executablePath() }
        let directory = parent(of: own)
        let isInstalled = directory.hasSuffix("/sbin") || directory.hasSuffix("/bin")
        return (isInstalled ? "\(parent(of: directory))/libexec/postern" : directory) + "/\(name)"
    }

    /// The user `postern`, which `make install` makes; else `nobody`.
    private static func identity() throws(Fault) -> ProcessPlan.Identity {
        let user = try naming("user of the frontend") { () throws(Errno) in try Users.local(named: ["postern", "nobody"]) }
        guard let user, user.uid != 0 else { throw Fault("there is neither a user \"postern\" nor \"nobody\" for the frontend") }
        return ProcessPlan.Identity(uid: user.uid, gid: user.gid, groups: [])
    }

    private static func emptyDirectory() throws(Fault) -> Descriptor {
        let path = "/run/postern/empty"
        for directory in ["/run/postern", path] {
            try naming("directory \"\(directory)\"") { () throws(Errno) in try makeMissingDirectory(directory, mode: 0o755) }
        }
        return try naming("directory \"\(path)\"") { () throws(TrustError) in try TrustedPath.open(path, .directory) }
    }
}

/// What our own programs find in their environment: the Swift runtime looks for its files, of which a static program has none, and ends a
/// program in an empty root because it finds no path; and it starts no debugger.
let swiftEnvironment = ["SWIFT_ROOT=/", "SWIFT_BACKTRACE=enable=no"]

/// Why the monitor ends a frontend: what it did, or that it has gone.
enum Violation: Error, CustomStringConvertible {
    /// It has closed the channel: the normal end.
    case gone
    /// It does not read what it is told.
    case deaf
    case datagram(DatagramError)
    case malformed(WireError)
    case gate(GateError)
    case unknownMethod(String)
    /// A host key algorithm that was not offered.
    case unknownHostKey(String)
    /// It has not authenticated anybody, and not ended the connection either.
    case slow

    var description: String {
        switch self {
        case .gone: "the frontend has ended"
        case .deaf: "the frontend does not read"
        case .datagram(let error): "a bad message: \(error)"
        case .malformed(let error): "a malformed request: \(error)"
        case .gate(.outOfTurn(let request, let phase)): "\"\(request)\" \(phase)"
        case .gate(.tooMany(let request, let limit)): "more than \(limit) times \"\(request)\""
        case .slow: "nobody was authenticated in time"
        case .unknownHostKey(let name): "an unknown host key algorithm \(JSONText.string(name))"
        case .unknownMethod(let name): "an unknown key exchange method \(JSONText.string(name))"
        }
    }
}
