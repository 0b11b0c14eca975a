/// Why a packet was not accepted.
public enum CipherError: Error, Equatable, Sendable {
    /// The tag is not the one of these bytes under this key and sequence number.
    case badTag(sequence: UInt32)
}

extension CipherError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badTag(let sequence): "packet \(sequence) was damaged or forged"
        }
    }
}
