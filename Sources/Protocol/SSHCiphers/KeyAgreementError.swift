/// What can be wrong with the peer's share of a key agreement.
public enum KeyAgreementError: Error, Equatable, Sendable {
    /// The share has not the length that the method wants.
    case wrongLength(bytes: Int, expected: Int)
    /// The share is a point of small order, so the secret would be all zeros and known to everyone (RFC 8731 §3).
    case smallOrder
    /// The share has the right length, but is no public key of the method's mechanism (FIPS 203 §7.2).
    case noPublicKey
}

extension KeyAgreementError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongLength(let bytes, let expected): "the key share has \(bytes) bytes, not \(expected)"
        case .smallOrder: "the key share is a point of small order"
        case .noPublicKey: "the key share is no public key"
        }
    }
}
