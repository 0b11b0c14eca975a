/// What stands on the command line of a remote scp.
public struct SCPOptions: Equatable, Sendable {
    /// `-r`
    public var isRecursive: Bool
    /// `-p`
    public var keepsTimes: Bool
    /// `-d`: the target must be a directory.
    public var targetIsDirectory: Bool

    public init(isRecursive: Bool = false, keepsTimes: Bool = false, targetIsDirectory: Bool = false) {
        self.isRecursive = isRecursive
        self.keepsTimes = keepsTimes
        self.targetIsDirectory = targetIsDirectory
    }
}
