internal import Linux
import Policy
import Sandbox

extension ArgumentRule {
    /// Which sockets may be made. Ports are Landlock's matter; here is what it does not see.
    static func sockets(_ network: Network) -> [ArgumentRule] {
        var rules = [
            ArgumentRule(
                name: "socket", clauses: allowed(network).map { Clause(checks: $0.checks, verdict: .allow) },
                otherwise: .notify, denial: .accessDenied, shown: 0)
        ]
        switch network {
        case .none:
            // A datagram pair could be connected anew, to any socket in the file system.
            rules.append(pairs([stream, sequence]))
        case .unix, .any:
            rules.append(pairs([stream, datagram, sequence]))
        case .tcp:
            rules.append(pairs([stream, sequence]))
            // TCP Fast Open connects without connect(2), and so without Landlock.
            rules += [("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)].map { name, flags in
                ArgumentRule(
                    name: name, clauses: [Clause(checks: [Check(argument: flags, mask: fastOpen, value: 0)], verdict: .allow)],
                    otherwise: .notify, shown: UInt8(flags))
            }
        }
        return rules
    }

    /// Calls that a sandbox with this network has besides its groups.
    static func calls(for network: Network) -> [String] {
        network == .none ? [] : SystemCalls.group("@network-io") ?? []
    }

    private struct Socket {
        let domain: UInt32
        var type: UInt32?
        var protocolNumber: UInt32?

        var checks: [Check] {
            var checks = [Check(argument: 0, value: domain)]
            // The rest of the type argument is SOCK_CLOEXEC and SOCK_NONBLOCK.
            if let type { checks.append(Check(argument: 1, mask: 0xf, value: type)) }
            if let protocolNumber { checks.append(Check(argument: 2, value: protocolNumber)) }
            return checks
        }
    }

    private static func allowed(_ network: Network) -> [Socket] {
        switch network {
        case .none: []
        case .unix: [Socket(domain: local)]
        case .any:
            // Netlink for the route family, which the resolver asks for addresses.
            // No raw sockets: without a capability the kernel refuses them too.
            [Socket(domain: local), Socket(domain: netlink, protocolNumber: 0)]
                + [internet, internet6].flatMap { domain in [stream, datagram, sequence].map { Socket(domain: domain, type: $0) } }
        case .tcp(_, let dns):
            // With its number spelt out: MPTCP and SCTP streams are not under Landlock's rules for TCP.
            [internet, internet6].flatMap { domain in
                [UInt32(0), 6].map { Socket(domain: domain, type: stream, protocolNumber: $0) }
                    + (dns ? [UInt32(0), 17].map { Socket(domain: domain, type: datagram, protocolNumber: $0) } : [])
            }
        }
    }

    private static func pairs(_ types: [UInt32]) -> ArgumentRule {
        let clauses = types.map { Clause(checks: Socket(domain: local, type: $0).checks, verdict: .allow) }
        return ArgumentRule(name: "socketpair", clauses: clauses, otherwise: .notify, denial: .accessDenied, shown: 1)
    }

    private static let local: UInt32 = 1
    private static let internet: UInt32 = 2
    private static let internet6: UInt32 = 10
    private static let netlink: UInt32 = 16
    private static let stream: UInt32 = 1
    private static let datagram: UInt32 = 2
    private static let sequence: UInt32 = 5
    private static let fastOpen: UInt32 = 0x2000_0000
}
