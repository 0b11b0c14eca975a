package import SSH
package import SSHConnection

/// Either end of a connection, as the ``Driver`` drives it.
package protocol DrivenEnd: Endpoint {
    associatedtype Event: Sendable
    mutating func next(now: Duration) throws(SSHError) -> Event?
    /// What an event says of channels, where it does.
    static func channelEvent(of event: Event) -> Connection.Event?
}

extension ClientConnection: DrivenEnd {
    package static func channelEvent(of event: Event) -> Connection.Event? {
        if case .channel(let event) = event { event } else { nil }
    }
}

extension ServerConnection: DrivenEnd {
    package static func channelEvent(of event: Event) -> Connection.Event? {
        if case .channel(let event) = event { event } else { nil }
    }
}
