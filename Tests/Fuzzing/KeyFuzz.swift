import SSHKeys
import Sodium

enum KeyFuzz {
    static func run(_ bytes: [UInt8]) {
        Sodium.initialize()
        guard let kind = bytes.first else { return }
        let rest = Array(bytes.dropFirst())
        do throws(KeyError) {
            switch kind % 7 {
            case 0:
                let key = try PublicKey(blob: rest)
                precondition(key.blob == rest, "a key is its blob")
            case 1: _ = try Certificate(blob: rest)
            case 2: _ = try Certificate(line: String(decoding: rest, as: UTF8.self))
            case 3: _ = try PrivateKeyFile(text: rest)
            case 4: _ = try PublicKeyLine(parsing: String(decoding: rest, as: UTF8.self))
            case 5: _ = try RevocationList(bytes: rest)
            default: _ = try SignatureBlob(blob: rest)
            }
        } catch {}
    }
}
