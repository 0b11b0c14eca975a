import ArgumentParser
import Linux
import Policy
import PolicySource
import SSHKeys
import SandboxCompiler
import Sodium

/// `postern diff`: what a change of a policy newly allows and newly refuses.
struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a change of a policy newly allows and newly refuses.",
        discussion: """
            Each policy is a source or a compiled one. Exit status 0: nothing changed. 1: nothing new is allowed. 2: access grows, or \
            might. 100: one of them is not sound.
            """)

    @Argument(help: "The policy before.", completion: .file())
    var old: String
    @Argument(help: "The policy after.", completion: .file())
    var new: String
    @OptionGroup var place: PlaceOptions
    @Flag(help: "Answer in JSON.")
    var json = false

    func run() throws {
        Sodium.initialize()
        let surroundings = place.surroundings
        let before = try PolicyFile.read(old, surroundings, orExit: Self.trouble)
        let after = try PolicyFile.read(new, surroundings, orExit: Self.trouble)
        let isHere = !place.elsewhere
        let difference = PolicyDifference(
            from: before, to: after, destination: { isHere ? Machine.destination($0) : $0 }, systemCalls: SystemCalls.group)
        try Console.reporting { () throws(Failure) in
            try Console.write(json ? difference.json.description + "\n" : difference.text, to: .standardOutput)
        }
        if difference.status != 0 { throw ExitCode(difference.status) }
    }

    private static let trouble: Int32 = 100
}

extension PolicyDifference {
    /// Of `postern diff`.
    var status: Int32 { shift.allows ? 2 : changes.isEmpty ? 0 : 1 }

    /// A paragraph for each key and command, a line for each change, and a summary.
    var text: String {
        var text = ""
        var subject: Change.Subject?
        for change in changes {
            if change.subject != subject { text += (subject == nil ? "" : "\n") + change.subject.text + "\n" }
            subject = change.subject
            text += "  \(change.shift.mark) \(change.what): \(change.values)\n"
        }
        return text + (changes.isEmpty ? "" : "\n") + summary + "\n"
    }

    private var summary: String {
        switch (shift.allows, shift.refuses) {
        case (false, false): changes.isEmpty ? "nothing changes" : "nobody's access changes"
        case (false, true): "access shrinks"
        case (true, false): "access grows"
        case (true, true): "access grows here and shrinks there"
        }
    }

    var json: JSONText {
        [
            "access_grows": .bool(shift.allows),
            "access_shrinks": .bool(shift.refuses),
            "changes": .array(changes.map(\.json)),
        ]
    }
}

extension PolicyDifference.Change {
    fileprivate var values: String {
        switch (old, new) {
        case (let old?, let new?): "\(VisibleText.of(old)) → \(VisibleText.of(new))"
        case (let old, let new): VisibleText.of(new ?? old ?? "")
        }
    }

    fileprivate var json: JSONText {
        var members: [JSONText.Member] = []
        switch subject {
        case .gateway: members.append(.init("about", "gateway"))
        case .key(let name, let fingerprint):
            members += [
                .init("about", "key"), .init("key", .string(name)), .init("fingerprint", .string(PublicKey.fingerprintText(fingerprint))),
            ]
        case .authority(let name, let fingerprint):
            members += [
                .init("about", "authority"), .init("authority", .string(name)), .init("fingerprint", .string(PublicKey.fingerprintText(fingerprint))),
            ]
        case .principal(let principal, let name, let fingerprint):
            members += [
                .init("about", "principal"), .init("principal", .string(principal)), .init("authority", .string(name)),
                .init("fingerprint", .string(PublicKey.fingerprintText(fingerprint))),
            ]
        case .certificates: members.append(.init("about", "certificates"))
        case .command(let name, let keys):
            members += [.init("about", "command"), .init("command", .string(name)), .init("keys", .array(keys.map { .string($0) }))]
        }
        members += [
            .init("what", .string(what)), .init("allows", .bool(shift.allows)), .init("refuses", .bool(shift.refuses)),
            .init("old", old.map { .string($0) } ?? .null), .init("new", new.map { .string($0) } ?? .null),
        ]
        return .object(members)
    }
}

extension PolicyDifference.Change.Subject {
    fileprivate var text: String {
        switch self {
        case .gateway: "gateway"
        case .key(let name, let fingerprint): "key \(name), \(PublicKey.fingerprintText(fingerprint))"
        case .authority(let name, let fingerprint): "authority \(name), \(PublicKey.fingerprintText(fingerprint))"
        case .principal(let principal, let name, _): "authority \(name), principal \(VisibleText.of(principal))"
        case .certificates: "certificates of any authority"
        case .command(let name, let keys): "command \(name), of \(Self.list(keys))"
        }
    }

    /// The first few names, and how many more there are.
    private static func list(_ names: [String]) -> String {
        let most = 5
        return names.prefix(most).joined(separator: ", ") + (names.count > most ? " and \(names.count - most) more" : "")
    }
}

extension Shift {
    /// Two columns.
    fileprivate var mark: String {
        switch (allows, refuses) {
        case (true, true): "+-"
        case (true, false): "+ "
        case (false, true): "- "
        case (false, false): "~ "
        }
    }
}
