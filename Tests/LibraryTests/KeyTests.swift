import Linux
import SSHClient
import Testing

@Suite("M3: keys and their files") struct KeyTests {
    @Test func `a new key is one that OpenSSH reads, and the other way round`() async throws {
        let place = try Workplace()
        let shown = try await program(["/usr/bin/ssh-keygen", "-y", "-f", place.path("key")])
        #expect(shown.output == place.key.publicKey.line(comment: "a test's") + "\n")
        let listed = try await program(["/usr/bin/ssh-keygen", "-l", "-f", place.path("key.pub")])
        #expect(listed.output.contains(place.key.publicKey.fingerprint))
        _ = try await program(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "theirs", "-f", place.path("theirs")])
        let theirs = try SSHPrivateKey(contentsOf: place.path("theirs"))
        #expect(theirs.comment == "theirs")
        #expect(try SSHPublicKey(line: try place.read("theirs.pub")) == theirs.publicKey)
    }

    @Test func `another type, a passphrase and a wrong file are errors that say so`() async throws {
        let place = try Workplace()
        _ = try await program(["/usr/bin/ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", place.path("rsa")])
        _ = try await program(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", place.path("locked")])
        for (name, word) in [("rsa", "ssh-rsa"), ("locked", "passphrase"), ("key.pub", "no private key"), ("none", "no such file")] {
            do {
                _ = try SSHPrivateKey(contentsOf: place.path(name))
                Issue.record("\(name) was read")
            } catch {
                #expect("\(error)".contains(word), "\(error)")
            }
        }
        let line = try place.read("rsa.pub")
        #expect(throws: SSHFailure.self) { _ = try SSHPublicKey(line: line) }
        #expect(throws: SSHFailure.self) { try place.key.write(to: place.path("key")) }
    }

    @Test func `a secret is not in what is printed`() {
        let key = SSHPrivateKey.generate()
        #expect("\(key)" == "private half of \(key.publicKey)")
    }
}
