/// What is legal but unwise (DESIGN §3.6); the raw value is the name in `allow_warnings`.
enum Warning: String, CaseIterable {
    /// The program, or a directory above it, can be written by others or by the user it runs as.
    case writableProgram = "writable-program"
    /// The program is not there, or cannot be executed.
    case missingProgram = "missing-program"
    /// A command of another user than the one whose gateway this is to be.
    case foreignUser = "foreign-user"
    /// An interpreter as program, with an argument that the client chooses in the place of its script.
    case interpreter = "interpreter"
    /// A free argument right after a flag that takes a value.
    case argumentAfterFlag = "argument-after-flag"
    /// `usage = "*"`.
    case anyLine = "any-line"
    /// `network = "any"` or `"unix"`.
    case wideNetwork = "wide-network"
    case expiredKey = "expired-key"
    /// A command that no key may run.
    case unusedCommand = "unused-command"
    /// A sandbox that no command is in and no other builds on.
    case unusedSandbox = "unused-sandbox"
    /// An argument of the usage that `run` never passes on.
    case unusedArgument = "unused-argument"
    /// A path of a sandbox that is not there.
    case missingPath = "missing-path"
    /// The PROXY protocol is believed from this machine's own loopback.
    case trustedLoopback = "trusted-loopback"
}
