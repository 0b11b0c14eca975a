import Sodium

/// The key encapsulation mechanisms of hybrid methods: who has a public key can make a secret and a ciphertext that hides it from all
/// but the key's owner.
enum KEM: CaseIterable, Sendable {
    case mlkem768
    case sntrup761

    var publicKeyBytes: Int {
        switch self {
        case .mlkem768: MLKEM768.publicKeyBytes
        case .sntrup761: SNTRUP761.publicKeyBytes
        }
    }

    var ciphertextBytes: Int {
        switch self {
        case .mlkem768: MLKEM768.ciphertextBytes
        case .sntrup761: SNTRUP761.ciphertextBytes
        }
    }

    /// - Parameter publicKey: ``publicKeyBytes`` bytes; the caller has checked that.
    func encapsulate(
        to publicKey: [UInt8], random: inout some RandomSource
    ) throws(KeyAgreementError) -> (ciphertext: [UInt8], secret: SecretBytes) {
        switch self {
        case .mlkem768:
            guard let answer = MLKEM768.encapsulate(to: publicKey, random: &random) else { throw .noPublicKey }
            return answer
        case .sntrup761: return SNTRUP761.encapsulate(to: publicKey, random: &random)
        }
    }

    /// The owner of a public key.
    enum KeyPair: Sendable {
        case mlkem768(MLKEM768KeyPair)
        case sntrup761(SNTRUP761KeyPair)

        init(_ kem: KEM, random: inout some RandomSource) {
            switch kem {
            case .mlkem768: self = .mlkem768(MLKEM768KeyPair(random: &random))
            case .sntrup761: self = .sntrup761(SNTRUP761KeyPair(random: &random))
            }
        }

        var publicKey: [UInt8] {
            switch self {
            case .mlkem768(let pair): pair.publicKey
            case .sntrup761(let pair): pair.publicKey
            }
        }

        /// - Parameter ciphertext: as long as the mechanism's are; the caller has checked that.
        func decapsulate(_ ciphertext: [UInt8]) -> SecretBytes {
            switch self {
            case .mlkem768(let pair): pair.decapsulate(ciphertext)
            case .sntrup761(let pair): pair.decapsulate(ciphertext)
            }
        }
    }
}
