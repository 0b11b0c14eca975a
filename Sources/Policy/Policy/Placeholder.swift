// Placeholders until the files Usage, ArgumentType, Matcher and AddressPattern are written.
public struct Usage: Equatable, Sendable {}
public struct ArgumentType: Equatable, Sendable {}
public struct Matcher: Equatable, Sendable {}
public struct AddressPattern: Equatable, Sendable {}
