/// Why something was not done to a file. What stands in it the client may know.
public struct FileError: Error, Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case noSuchFile
        case permissionDenied
        /// The name is taken.
        case exists
        /// What was asked for is not understood, as a name that is too long.
        case badMessage
        case unsupported
        case failure
    }

    public let kind: Kind
    /// In words, as "the quota is used up"; empty: the kind says it all.
    public let reason: String

    public init(_ kind: Kind, _ reason: String = "") {
        self.kind = kind
        self.reason = reason
    }

    /// The reason, or else what OpenSSH's programs say of the kind.
    public var text: String {
        if !reason.isEmpty { return reason }
        return switch kind {
        case .noSuchFile: "No such file or directory"
        case .permissionDenied: "Permission denied"
        case .exists: "File exists"
        case .badMessage: "Bad message"
        case .unsupported: "Operation unsupported"
        case .failure: "Failure"
        }
    }
}
