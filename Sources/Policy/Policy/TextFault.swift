/// A fault in a text that somebody wrote, and the byte where it is.
///
/// `description` says what is wrong, as a phrase without a full stop; whoever has the text can put a caret under ``offset``.
public protocol TextFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// In bytes from the start of the text's UTF-8; the count of its bytes when something is missing at the end.
    var offset: Int { get }
}
