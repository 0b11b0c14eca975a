@testable import Sodium
import Testing

@Suite("Sodium: secrets") struct SecretBytesTests {
    @Test(arguments: [0, 1, 32, 128, 129, 4096]) func `holds what was copied into it`(count: Int) {
        let bytes = randomBytes(count: count)
        let secret = SecretBytes(copying: bytes)
        #expect(secret.count == count)
        #expect(secret.disclosed() == bytes)
        #expect(secret.withSpan { span in span.indices.allSatisfy { span[$0] == bytes[$0] } })
        #expect(SecretBytes(count: count).disclosed() == [UInt8](repeating: 0, count: count))
    }

    @Test func `is equal only to the same bytes`() {
        let secret = SecretBytes(copying: [1, 2, 3])
        #expect(secret.equals(SecretBytes(copying: [1, 2, 3])))
        #expect(!secret.equals(SecretBytes(copying: [1, 2, 4])))
        #expect(!secret.equals(SecretBytes(copying: [1, 2])))
        #expect(!SecretBytes.random(count: 32).equals(.random(count: 32)))
    }

    @Test func `prints no content`() {
        struct Holder { let secret: SecretBytes }
        let secret = SecretBytes(copying: Array("hunter2".utf8))
        var dumped = ""
        dump(Holder(secret: secret), to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\(Holder(secret: secret))", dumped] {
            #expect(text.contains("secret of 7 bytes"))
            // As an array would print it; a single number could be part of an address.
            #expect(!text.contains("104, 117"))
            #expect(!text.contains("hunter2"))
        }
    }

    @Test func `more secrets than the pool has slots are as good`() {
        let secrets = (0..<200).map { SecretBytes(copying: [UInt8](repeating: UInt8($0), count: 100)) }
        for (index, secret) in secrets.enumerated() {
            #expect(secret.disclosed() == [UInt8](repeating: UInt8(index), count: 100))
        }
    }

    @Test func `a failing fill leaves no secret`() {
        enum Refusal: Error { case always }
        #expect(throws: Refusal.always) {
            _ = try SecretBytes(count: 8) { (_: inout MutableSpan<UInt8>) throws(Refusal) in throw .always }
        }
    }

    @Test func `slots are given out once, wiped when they come back, and then given out again`() throws {
        let pool = SecretPool()
        var slots: [Int] = []
        while let slot = pool.claim() { slots.append(slot) }
        #expect(slots == Array(0..<63))

        let slot = try #require(slots.last)
        let address = pool.address(of: slot)
        address.update(repeating: 0xff, count: SecretPool.slotBytes)
        pool.release(slot)
        #expect((0..<SecretPool.slotBytes).allSatisfy { address[$0] == 0 })
        #expect(pool.claim() == slot)
        #expect(pool.claim() == nil)
    }

    @Test func `secrets made and dropped by many tasks never share memory`() async {
        await withTaskGroup(of: Bool.self) { group in
            for task in UInt8(0)..<8 {
                group.addTask {
                    (0..<2000).allSatisfy { _ in
                        let bytes = [UInt8](repeating: task, count: 64)
                        let secrets = (0..<3).map { _ in SecretBytes(copying: bytes) }
                        return secrets.allSatisfy { $0.disclosed() == bytes }
                    }
                }
            }
            for await isSound in group { #expect(isSound) }
        }
    }
}

@Suite("Sodium: bytes") struct BytesTests {
    @Test func `random bytes have the count asked for and differ`() {
        var random = SystemRandom()
        #expect(random.bytes(count: 0) == [])
        #expect(random.bytes(count: 32) != random.bytes(count: 32))
        #expect(random.secret(count: 33).count == 33)
    }

    @Test func `constant-time comparison compares`() {
        #expect(constantTimeEquals([], []))
        #expect(constantTimeEquals([1, 2], [1, 2]))
        #expect(!constantTimeEquals([1, 2], [1, 3]))
        #expect(!constantTimeEquals([1, 2], [1, 2, 3]))
    }

    @Test func `wiping leaves zeros`() {
        var bytes: [UInt8] = [1, 2, 3]
        wipe(&bytes)
        #expect(bytes == [0, 0, 0])
    }

    @Test func `starting twice is harmless`() {
        Sodium.initialize()
        Sodium.initialize()
    }
}
