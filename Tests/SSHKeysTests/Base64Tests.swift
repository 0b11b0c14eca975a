import Sodium
import Testing

@Suite("RFC 4648 §10: base64") struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]) func `encodes and decodes`(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test(arguments: ["Zg", "Zg=", "Zh==", "Zm9", "Zm9v\n", " Zm9v", "Zm 9v", "Zm9-", "Zm_v", "=", "Zg==Zg==", "Zm9vé"])
    func `refuses everything else`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func `every byte survives`() {
        let bytes = Array(UInt8.min...UInt8.max)
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
}
