/// An audit record as one sentence for people: what `posternd -v` logs beside it, and `postern log` shows.
///
/// It begins with the event's name, and is the same for the same record in all releases of a version. What a client sent stands in quotes,
/// escaped as in JSON and shortened.
public enum AuditSentence {
    /// - Parameter members: those of the record, in any order; what is not known is passed over.
    public static func text(_ event: String, _ members: [JSONText.Member]) -> String {
        let record = Members(members)
        let sentence =
            switch event {
            case "connect": "to \(record.plain("local"))"
            case "authentication": authentication(record)
            case "decision": decision(record)
            case "finished": finished(record)
            case "failed": "\(record.whose("command")): \(record.plain("step"))\(record.has("detail") ? ": \(record.plain("detail"))" : "")"
            case "received": "\(record.quoted("path"))\(record.ofKey), \(record.plain("size")) bytes"
            case "checked": "\(record.plain("program")) of \(record.quoted("path")): \(record.ending)\(record.after)"
            case "ref": "\(record.plain("result")) \(record.quoted("ref"))\(record.ofKey)"
            case "violation": record.plain("reason")
            case "disconnect": "\(record.plain("reason"))\(record.after)"
            case "suppressed": "\(record.plain("count")) more refused requests\(record.ofKey)"
            case "refused": "\(record.plain("times")) of this address: \(record.plain("reason"))"
            case "lost": "\(record.plain("count")) records could not be written"
            default: record.all
            }
        return "\(VisibleText.shortened(Array(event.utf8))): \(sentence)"
    }

    private static func authentication(_ record: Members) -> String {
        let who = "\(record.quoted("login")) with \(record.plain("fingerprint"))"
        return record.text("result") == "granted"
            ? "granted to \(record.plain("key")) as \(who)" : "refused to \(who): \(record.plain("reason"))"
    }

    private static func decision(_ record: Members) -> String {
        let what = "\(record.plain("verdict"))\(record.has("command") ? " \(record.plain("command"))" : "")"
        let why = record.has("reason") ? ": \(record.plain("reason"))" : ""
        return "\(what) for \(record.plain("key")) as \(record.quoted("login")), asked \(record.quoted("asked"))\(why)"
    }

    private static func finished(_ record: Members) -> String {
        let cause = record.has("ended_by") ? ", ended by \(record.plain("ended_by"))" : ""
        let denied = record.has("denied") ? ", denied \(record.plain("denied"))" : ""
        return "\(record.whose("command")): \(record.ending)\(record.after)\(cause)\(denied)"
    }

    /// The members of a record, as they are shown.
    private struct Members {
        private let members: [JSONText.Member]

        init(_ members: [JSONText.Member]) { self.members = members }

        private subscript(name: String) -> JSONText? { members.first { $0.name == name }?.value }

        func has(_ name: String) -> Bool { ![nil, "", .null].contains(self[name]) }

        func text(_ name: String) -> String {
            if case .string(let text) = self[name] { text } else { self[name]?.description ?? "" }
        }

        /// Of ours, or known to be harmless; made visible all the same.
        func plain(_ name: String) -> String {
            has(name) ? VisibleText.shortened(Array(text(name).utf8), limit: Self.longest) : "?"
        }

        /// Of a client's, in quotes.
        func quoted(_ name: String) -> String {
            guard let value = self[name] else { return "?" }
            let short = value.abridged(to: Self.longest)
            return short.description + (short == value ? "" : "…")
        }

        var ofKey: String { has("key") ? " of \(plain("key"))" : "" }
        func whose(_ name: String) -> String { plain(name) + ofKey }
        var ending: String { has("signal") ? "signal \(plain("signal"))" : "status \(plain("status"))" }
        var after: String { has("duration_ms") ? " after \(plain("duration_ms")) ms" : "" }

        /// Of an event that has no sentence of its own.
        var all: String {
            members.map { "\(VisibleText.shortened(Array($0.name.utf8)))=\(quoted($0.name))" }.joined(separator: " ")
        }

        /// In columns, or bytes.
        private static let longest = 400
    }
}
