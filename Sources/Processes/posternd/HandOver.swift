import Linux

/// A connection on its way from the listener to a monitor; or one that a monitor had from the beginning.
struct HandOver {
    let connection: Descriptor
    /// The place that was found for it, in the words of ``ArrivalTable/Claim``; nil: it has none yet.
    let claim: String?
    /// The compiled policy that the listener uses, should there be no other; nil: there is no listener.
    let policy: Descriptor?

    init(_ connection: Descriptor, _ claim: ArrivalTable.Claim? = nil, _ policy: Descriptor? = nil) {
        (self.connection, self.claim, self.policy) = (connection, claim?.text, policy)
    }

    /// Takes it from the listener.
    ///
    /// - Returns: nil when there is none.
    init?(from channel: Descriptor) throws(DatagramError) {
        guard let datagram = try channel.receive(limit: Self.longest, maxDescriptors: 2), datagram.descriptors.count == 2 else { return nil }
        let text = String(decoding: datagram.bytes, as: UTF8.self)
        (connection, claim, policy) = (datagram.descriptors[0], text == Self.unclaimed ? nil : text, datagram.descriptors[1])
    }

    /// - Returns: false when whoever waited has gone.
    func send(to channel: Descriptor) -> Bool {
        do throws(Errno) {
            return try channel.send(Array((claim ?? Self.unclaimed).utf8), descriptors: [connection] + [policy].compactMap(\.self))
        } catch {
            return false
        }
    }

    private static let unclaimed = "-"
    private static let longest = 64
}
