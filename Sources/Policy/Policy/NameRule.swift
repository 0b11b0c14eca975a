/// What can name keys, commands, sandboxes, authorities, arguments, and whoever a certificate identifies (DESIGN §3).
public enum NameRule {
    /// `[a-z0-9][a-z0-9._-]{0,63}`
    public static func accepts(_ name: some Collection<UInt8>) -> Bool {
        guard let first = name.first, name.count <= 64, isAlphanumeric(first) else { return false }
        return name.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
