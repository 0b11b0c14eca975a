/// A message number (RFC 4250 §4.1.2, RFC 5656 §7.1, RFC 8308 §2.3, OpenSSH PROTOCOL §1.9).
public struct MessageNumber: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let disconnect = MessageNumber(rawValue: 1)
    public static let ignore = MessageNumber(rawValue: 2)
    public static let unimplemented = MessageNumber(rawValue: 3)
    public static let debug = MessageNumber(rawValue: 4)
    public static let serviceRequest = MessageNumber(rawValue: 5)
    public static let serviceAccept = MessageNumber(rawValue: 6)
    public static let extInfo = MessageNumber(rawValue: 7)
    public static let kexInit = MessageNumber(rawValue: 20)
    public static let newKeys = MessageNumber(rawValue: 21)
    /// 30 to 49 belong to the key exchange method; all of ours use these two.
    public static let kexECDHInit = MessageNumber(rawValue: 30)
    public static let kexECDHReply = MessageNumber(rawValue: 31)
    public static let userAuthRequest = MessageNumber(rawValue: 50)
    public static let userAuthFailure = MessageNumber(rawValue: 51)
    public static let userAuthSuccess = MessageNumber(rawValue: 52)
    public static let userAuthBanner = MessageNumber(rawValue: 53)
    /// 60 to 79 belong to the authentication method; publickey has this one.
    public static let userAuthPublicKeyOK = MessageNumber(rawValue: 60)
    public static let globalRequest = MessageNumber(rawValue: 80)
    public static let requestSuccess = MessageNumber(rawValue: 81)
    public static let requestFailure = MessageNumber(rawValue: 82)
    public static let channelOpen = MessageNumber(rawValue: 90)
    public static let channelOpenConfirmation = MessageNumber(rawValue: 91)
    public static let channelOpenFailure = MessageNumber(rawValue: 92)
    public static let channelWindowAdjust = MessageNumber(rawValue: 93)
    public static let channelData = MessageNumber(rawValue: 94)
    public static let channelExtendedData = MessageNumber(rawValue: 95)
    public static let channelEOF = MessageNumber(rawValue: 96)
    public static let channelClose = MessageNumber(rawValue: 97)
    public static let channelRequest = MessageNumber(rawValue: 98)
    public static let channelSuccess = MessageNumber(rawValue: 99)
    public static let channelFailure = MessageNumber(rawValue: 100)
    public static let ping = MessageNumber(rawValue: 192)
    public static let pong = MessageNumber(rawValue: 193)

    /// The layer that a number belongs to (RFC 4250 §4.1.1).
    public enum Layer: Sendable { case transport, keyExchange, userAuth, connection, reserved }

    public var layer: Layer {
        switch rawValue {
        case 1...19, 192, 193: .transport
        case 20...49: .keyExchange
        case 50...79: .userAuth
        case 80...127: .connection
        default: .reserved
        }
    }

    public var description: String { "message \(rawValue)" }
}
