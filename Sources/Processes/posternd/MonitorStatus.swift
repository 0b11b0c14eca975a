import Linux
import Policy
import SSHKeys

/// What this session tells those who ask: who, from where, since when, and what runs.
extension Monitor {
    var status: JSONText {
        var members: [JSONText.Member] = [.init("id", .string(connectionID))]
        if case .authenticated(let user, _) = progress {
            members += [
                .init("key", .string(user.keyName)), .init("login", .string(user.login)), .init("fingerprint", .string(user.identity.key.fingerprintText)),
            ]
        }
        members += [.init("peer", .string(peer.host)), .init("port", .integer(Int64(peer.port)))]
        if let proxy = arrival.proxy { members.append(.init("proxy", .string(proxy))) }
        let now = Clock.monotonic
        members += [
            .init("since", .string(Clock.rfc3339(unix: Clock.unix - (now - started)))), .init("seconds", .integer((now - started).components.seconds)),
            .init("bytes", .integer(Int64(clamping: movedBytes))), .init("state", .string(state)),
            .init("commands", .array(commandsInOrder(now))),
        ]
        return .object(members)
    }

    private var state: String {
        if isClientGone { return "client gone" }
        return isDraining ? "draining" : "open"
    }

    private func commandsInOrder(_ now: Duration) -> [JSONText] {
        let running = commands.values.sorted { $0.request < $1.request }.map { running in
            JSONText.object([
                .init("request", .string(running.requestID)), .init("command", .string(running.command.name)),
                .init("user", .string(running.command.account.name)), .init("pid", .integer(Int64(running.process.pid))),
                .init("seconds", .integer((now - running.started).components.seconds)),
            ])
        }
        let waiting = waiting.sorted { $0.key < $1.key }.map(\.value).map { waiting in
            JSONText.object([
                .init("request", .string(waiting.session.requestID)), .init("command", .string(waiting.launch.command.name)),
                .init("user", .string(waiting.launch.command.account.name)), .init("waits_for", .string(waiting.launch.command.lock ?? "")),
            ])
        }
        return running + waiting
    }
}
