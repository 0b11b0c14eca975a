/// A TOML value and where it stands.
struct Node: Sendable {
    enum Content: Sendable {
        case string(String)
        case integer(Int64)
        case boolean(Bool)
        case float(Double)
        case dateTime(Moment)
        /// A date or a time alone: nothing in a policy is one.
        case dateOrTime
        case array([Node])
        case table(Table)
    }
    var content: Content
    /// The value's bytes; for a table with a header, the header's.
    var region: Region

    /// What people call this kind of value.
    var kind: String {
        switch content {
        case .string: "a string"
        case .integer: "an integer"
        case .boolean: "a boolean"
        case .float: "a floating-point number"
        case .dateTime: "a date and time"
        case .dateOrTime: "a date or a time alone"
        case .array: "a list"
        case .table: "a table"
        }
    }
}

/// A TOML table, its entries in the order they were written.
struct Table: Sendable {
    struct Entry: Sendable {
        var key: Located<String>
        var node: Node
    }
    var entries: [Entry]
    var region: Region
}

/// A date and time of TOML.
struct Moment: Sendable {
    /// Seconds since 1970, taking the time as UTC if it has no offset.
    var seconds: Int64
    var hasOffset: Bool
}
