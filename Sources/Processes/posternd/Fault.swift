/// Why `posternd` cannot go on, in words for its administrator.
struct Fault: Error {
    let text: String
    /// True: another try may work (exit 111); false: something must be mended first (exit 100).
    let isTemporary: Bool

    init(_ text: String, isTemporary: Bool = false) {
        self.text = text
        self.isTemporary = isTemporary
    }
}

/// Runs `body`, naming what it was for when it fails.
func naming<Value, Failure: Error>(_ what: String, isTemporary: Bool = false, _ body: () throws(Failure) -> Value) throws(Fault) -> Value {
    do {
        return try body()
    } catch {
        throw Fault("\(what): \(error)", isTemporary: isTemporary)
    }
}
