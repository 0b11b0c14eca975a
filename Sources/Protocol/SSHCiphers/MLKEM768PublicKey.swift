import Sodium

/// A public key of ``MLKEM768``, ready to encrypt to.
struct MLKEM768PublicKey: Sendable {
    let bytes: [UInt8]
    /// SHA3-256 of the bytes, which enters every secret.
    private let hash: [UInt8]
    /// Â by rows, and t̂: transforms.
    private let matrix: [[[Int16]]]
    private let t: [[Int16]]

    /// Nil where a coefficient is not below q: the check of FIPS 203 §7.2, which draft-ietf-sshm-mlkem-hybrid-kex asks for.
    ///
    /// - Parameter bytes: ``MLKEM768/publicKeyBytes`` bytes; the caller has checked the length.
    init?(_ bytes: [UInt8]) {
        precondition(bytes.count == MLKEM768.publicKeyBytes, "a public key of \(bytes.count) bytes")
        let values = MLKEMCoding.values(bytes.dropLast(MLKEM768.secretBytes), bits: 12)
        guard values.allSatisfy({ $0 < UInt16(MLKEMRing.q) }) else { return nil }
        let t = (0..<3).map { row in values[row * MLKEMRing.n..<(row + 1) * MLKEMRing.n].map { MLKEMRing.reduce(Int16($0)) } }
        self.init(bytes, matrix: Self.matrix(seed: Array(bytes.suffix(MLKEM768.secretBytes))), t: t)
    }

    private init(_ bytes: [UInt8], matrix: [[[Int16]]], t: [[Int16]]) {
        self.bytes = bytes
        self.matrix = matrix
        self.t = t
        hash = Keccak.hash(.sha3of256, [bytes], count: 32)
    }

    /// The public key of who knows `s`: t̂ is Â·ŝ + ê (FIPS 203 algorithm 13).
    ///
    /// - Parameters:
    ///   - seed: what the matrix is drawn from, 32 public bytes.
    ///   - s, e: transforms.
    init(seed: [UInt8], s: [[Int16]], e: [[Int16]]) {
        let matrix = Self.matrix(seed: seed)
        let t = (0..<3).map { row in MLKEMRing.sum(MLKEMRing.restore(Self.product(matrix[row], s)), e[row]) }
        self.init(t.flatMap { MLKEMCoding.bytes($0) } + seed, matrix: matrix, t: t)
    }

    /// Hides a message, and makes a secret of it (FIPS 203 algorithm 17).
    ///
    /// - Parameter message: 32 bytes, which nobody else may know.
    func encrypt(_ message: [UInt8]) -> (secret: SecretBytes, ciphertext: [UInt8]) {
        var parts = Keccak.hash(.sha3of512, [message, hash], count: 64)
        var coins = Array(parts[32...])
        defer {
            wipe(&parts)
            wipe(&coins)
        }
        return (SecretBytes(copying: parts[..<32]), ciphertext(message, coins))
    }

    /// K-PKE's encryption (FIPS 203 algorithm 14): u = Âᵀ·ŷ + e1 and v = t̂·ŷ + e2 + message.
    private func ciphertext(_ message: [UInt8], _ coins: [UInt8]) -> [UInt8] {
        var y = MLKEMRing.smallVector(seed: coins, first: 0)
        for index in 0..<3 { MLKEMRing.transform(&y[index]) }
        var noise = MLKEMRing.smallVector(seed: coins, first: 3)
        noise.append(MLKEMRing.small(seed: coins, number: 6))
        var content = MLKEMCoding.polynomial(message: message)
        var ciphertext: [UInt8] = []
        for column in 0..<3 {
            var u = Self.product((0..<3).map { matrix[$0][column] }, y)
            MLKEMRing.transformBack(&u)
            ciphertext += MLKEMCoding.compressed(MLKEMRing.sum(u, noise[column]), bits: MLKEM768.vectorBits)
            wipe(&u)
        }
        var v = Self.product(t, y)
        MLKEMRing.transformBack(&v)
        var sum = MLKEMRing.sum(MLKEMRing.sum(v, noise[3]), content)
        ciphertext += MLKEMCoding.compressed(sum, bits: MLKEM768.scalarBits)
        wipe(&v)
        wipe(&sum)
        wipe(&content)
        for index in y.indices { wipe(&y[index]) }
        for index in noise.indices { wipe(&noise[index]) }
        return ciphertext
    }

    /// The sum of the products of transforms, divided by 2^16.
    static func product(_ first: [[Int16]], _ second: [[Int16]]) -> [Int16] {
        var sum = [Int16](repeating: 0, count: MLKEMRing.n)
        for (a, b) in zip(first, second) { MLKEMRing.add(&sum, a, b) }
        for index in sum.indices { sum[index] = MLKEMRing.reduce(sum[index]) }
        return sum
    }

    private static func matrix(seed: [UInt8]) -> [[[Int16]]] {
        (0..<3).map { row in (0..<3).map { column in MLKEMRing.uniform(seed: seed, column: column, row: row) } }
    }
}
