import SSHCiphers
import Sodium
import Testing

/// Expected values from Python's hashlib: k = h(K+H+X+sid); while len(k) < n: k += h(K+H+k).
@Suite("RFC 4253 §7.2: keys") struct KeyDerivationTests {
    func derivation(_ hash: HashFunction) -> KeyDerivation {
        KeyDerivation(
            hash: hash, secret: SecretBytes(copying: [0, 0, 0, 33, 0] + Array(0x80..<0xa0)),
            exchangeHash: Array(0x20..<0x40), sessionIdentifier: Array(0x40..<0x60))
    }

    @Test(arguments: [
        (KeyDerivation.Purpose.ivClientToServer, "bdf1d6d764485b983059c059"),
        (.ivServerToClient, "1fff353009904dbeb37220482aeb7666871617150f075bcbe2bd886d26602016"),
        (
            .encryptionClientToServer,
            "e5ed6479e986e05b67eba365a748d10399cda4c21d1d8b786e32bf873214df7e"
                + "20e22fce3fd4dfaa0bd5b8313e3acf4d2a084544881d906c8ab945545cf84cb8"
        ),
        (
            .encryptionServerToClient,
            "2e219225f2e4c3a67366a87447143cb9a33f145dc663a3d6b734f41e4676865d"
                + "0e8b842ca14c1d556ef4e6698e54f9953093166a662699d288021acf5cddc0b8"
        ),
        (
            .integrityClientToServer,
            "0f8ee2f56dd0c589835c8a7719f17744aeb9aee2d710642b4acb71f7e742b745"
                + "de60699aeaf837044fd1c3e3682cfd17121ee3abdd71d192204ef5511f36d7fa"
                + "e79da2496a5090f64296aa10df30152cc04c2d412bf24caf174aa8141a95c0377bad2c6e"
        ),
        (.integrityServerToClient, "117bfa016d9e3c1ab9756567d591ffa6"),
    ]) func `are made with SHA-256, over one hash and beyond`(purpose: KeyDerivation.Purpose, expected: String) {
        let key = hex(expected)
        #expect(derivation(.sha256).key(for: purpose, count: key.count).disclosed() == key)
    }

    @Test(arguments: [
        (KeyDerivation.Purpose.ivClientToServer, "bd51b2472b4089e76d1e827b"),
        (
            .encryptionClientToServer,
            "85297daf40515fa849ee227c77bf69c28fb1932a6236fdd7f9a0ee6154695a05"
                + "03ef153018d53dfdc3365a84c959f3236498b93ee4d6c69e53fb8ca57ce530c7"
        ),
        (
            .integrityClientToServer,
            "be3948fbf183bdf1a36f638cf537a32130c582e5721df5832917b27930f539bd"
                + "3eaab25b8bac7c092f7f1aa7b36333d3cfbecb69f6f3a90dfac7a6708fcf0f30"
                + "0a021bb072bcdeca0c6905db3e1c56862da8be29abfa3e5bc6c2d8c33dcbdaa208f4e9c6"
        ),
    ]) func `are made with SHA-512, over one hash and beyond`(purpose: KeyDerivation.Purpose, expected: String) {
        let key = hex(expected)
        #expect(derivation(.sha512).key(for: purpose, count: key.count).disclosed() == key)
    }

    @Test func `none is needed for a cipher without IV`() {
        #expect(derivation(.sha256).key(for: .ivClientToServer, count: 0).count == 0)
    }
}
