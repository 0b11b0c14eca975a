/// SSH_MSG_USERAUTH_REQUEST (RFC 4252 §5).
public struct UserAuthRequest: WireMessage {
    public static let number = MessageNumber.userAuthRequest

    public enum Method: Equatable, Sendable {
        case none
        /// RFC 4252 §7; without a signature it asks whether the key would be acceptable. With the server's host key it is
        /// publickey-hostbound-v00@openssh.com (OpenSSH PROTOCOL §3.1): the signature covers that too.
        case publicKey(algorithm: String, key: [UInt8], signature: [UInt8]?, hostKey: [UInt8]? = nil)
        /// RFC 4252 §8.
        case password(String)
        case other(name: String)

        public var name: String {
            switch self {
            case .none: "none"
            case .publicKey(_, _, _, let hostKey): hostKey == nil ? "publickey" : UserAuthRequest.hostboundName
            case .password: "password"
            case .other(let name): name
            }
        }
    }

    /// A client uses it where the server names ``hostboundExtension``.
    private static let hostboundName = "publickey-hostbound-v00@openssh.com"
    /// The extension (RFC 8308) that offers it, version 0.
    public static let hostboundExtension = ExtInfo.Extension(name: "publickey-hostbound@openssh.com", value: [UInt8(ascii: "0")])

    public var user: String
    public var service: String
    public var method: Method

    public init(user: String, service: String, method: Method) {
        self.user = user
        self.service = service
        self.method = method
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        user = try reader.text(limit: WireLimit.user)
        service = try reader.text(limit: WireLimit.name)
        switch try reader.text(limit: WireLimit.name) {
        case "none":
            method = .none
        case let name where name == "publickey" || name == Self.hostboundName:
            let isSigned = try reader.boolean()
            let algorithm = try reader.text(limit: WireLimit.name)
            let key = try reader.string(limit: WireLimit.blob)
            let hostKey = name == Self.hostboundName ? try reader.string(limit: WireLimit.blob) : nil
            let signature = isSigned ? try reader.string(limit: WireLimit.blob) : nil
            method = .publicKey(algorithm: algorithm, key: key, signature: signature, hostKey: hostKey)
        case "password":
            guard try !reader.boolean() else { throw .badValue("a password change that was not asked for") }
            method = .password(try reader.text(limit: WireLimit.user))
        case let name:
            method = .other(name: name)
            _ = reader.rest()
        }
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.text(user)
        writer.text(service)
        writer.text(method.name)
        switch method {
        case .none, .other: break
        case .publicKey(let algorithm, let key, let signature, let hostKey):
            writer.boolean(signature != nil)
            writer.text(algorithm)
            writer.string(key)
            if let hostKey { writer.string(hostKey) }
            if let signature { writer.string(signature) }
        case .password(let password):
            writer.boolean(false)
            writer.text(password)
        }
    }
}

/// SSH_MSG_USERAUTH_FAILURE (RFC 4252 §5.1).
public struct UserAuthFailure: WireMessage {
    public static let number = MessageNumber.userAuthFailure
    public var methodsThatCanContinue: [String]
    public var partialSuccess: Bool

    public init(methodsThatCanContinue: [String], partialSuccess: Bool) {
        self.methodsThatCanContinue = methodsThatCanContinue
        self.partialSuccess = partialSuccess
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        methodsThatCanContinue = try reader.nameList()
        partialSuccess = try reader.boolean()
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.nameList(methodsThatCanContinue)
        writer.boolean(partialSuccess)
    }
}

/// SSH_MSG_USERAUTH_SUCCESS (RFC 4252 §5.1).
public struct UserAuthSuccess: EmptyMessage {
    public static let number = MessageNumber.userAuthSuccess

    public init() {}
}

/// SSH_MSG_USERAUTH_BANNER (RFC 4252 §5.4).
public struct UserAuthBanner: WireMessage {
    public static let number = MessageNumber.userAuthBanner
    public var message: String

    public init(message: String) { self.message = message }

    public init(fields reader: inout WireReader) throws(WireError) {
        message = String(decoding: try reader.string(limit: WireLimit.text), as: UTF8.self)
        _ = try reader.stringRange(limit: WireLimit.name)
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.text(message)
        writer.text("")
    }
}

/// SSH_MSG_USERAUTH_PK_OK (RFC 4252 §7): a signature by this key would be accepted.
public struct UserAuthPublicKeyOK: WireMessage {
    public static let number = MessageNumber.userAuthPublicKeyOK
    public var algorithm: String
    public var key: [UInt8]

    public init(algorithm: String, key: [UInt8]) {
        self.algorithm = algorithm
        self.key = key
    }

    public init(fields reader: inout WireReader) throws(WireError) {
        algorithm = try reader.text(limit: WireLimit.name)
        key = try reader.string(limit: WireLimit.blob)
    }

    public func writeFields(to writer: inout WireWriter) {
        writer.text(algorithm)
        writer.string(key)
    }
}
