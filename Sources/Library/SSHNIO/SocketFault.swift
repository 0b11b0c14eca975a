import Linux
internal import NIOCore
import NIOPosix

/// Why no socket came about, in a few words: SwiftNIO's own text has every type on the way.
func reason(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
        let reasons = error.connectionErrors.map { reason($0.error) }
        // The same of each of its addresses is one reason.
        return reasons.isEmpty ? "its name has no address" : reasons.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }.joined(separator: ", ")
    case let error as IOError: return "\(Errno(error.errnoCode))"
    case ChannelError.connectTimeout: return "it does not answer"
    case is SocketAddressError: return "its name has no address"
    default: return "\(error)"
    }
}
