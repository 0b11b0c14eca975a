import Linux

/// Why git cannot be started.
struct GitFault: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

func naming<Value>(_ what: String, _ body: () throws(Errno) -> Value) throws(GitFault) -> Value {
    do throws(Errno) { return try body() } catch { throw GitFault("\"\(what)\": \(error)") }
}
