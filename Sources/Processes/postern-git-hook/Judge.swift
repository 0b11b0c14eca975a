import Linux
import Policy
import Sandbox

/// Holds updates against the rules.
struct Judge {
    private let rules: [RefRule]

    init(_ rules: [RefRule]) { self.rules = rules }

    func refusals(_ updates: [RefUpdate]) throws(HookFault) -> [RefusedUpdate] {
        var refusals: [RefusedUpdate] = []
        for update in updates {
            if let act = try refusedAct(update) { refusals.append(RefusedUpdate(update: update, act: act)) }
        }
        return refusals
    }

    private func refusedAct(_ update: RefUpdate) throws(HookFault) -> RefRule.Act? {
        let act: RefRule.Act = update.isDeletion ? .delete : update.isCreation ? .create : .change
        let refs = [update.ref] + (try target(of: update.ref))
        for act in [.push, act] where !refs.allSatisfy({ RefRule.allows(act, on: $0, rules) }) { return act }
        guard act == .change, !refs.allSatisfy({ RefRule.allows(.force, on: $0, rules) }) else { return nil }
        return try isFastForward(update) ? nil : .force
    }

    /// What a symbolic ref stands for: whoever pushes to it changes that one. None of others.
    private func target(of ref: String) throws(HookFault) -> [String] {
        let null = try naming("/dev/null") { () throws(Errno) in try openFile("/dev/null", .readWrite) }
        let output = try naming("output") { () throws(Errno) in try memoryFile(named: "symbolic-ref") }
        switch try Child.run([GitService.program, "symbolic-ref", "-q", ref], input: null, output: output, error: null) {
        case 0: break
        case 1: return []
        case let status: throw HookFault("git symbolic-ref ended with \(status)")
        }
        var bytes = [UInt8](repeating: 0, count: Self.longestRef)
        let count = try naming("output") { () throws(Errno) in try output.read(at: 0, into: &bytes, bytes.indices) }
        return [String(decoding: bytes[..<count].split(separator: UInt8(ascii: "\n")).first ?? [], as: UTF8.self)]
    }

    /// In bytes; a longer one would be a path that no file has.
    private static let longestRef = 4096

    /// Whether the old commit is among the ancestors of the new one. Git is asked; what it cannot tell is none.
    private func isFastForward(_ update: RefUpdate) throws(HookFault) -> Bool {
        let null = try naming("/dev/null") { () throws(Errno) in try openFile("/dev/null", .readWrite) }
        let exit = try Child.run([GitService.program, "merge-base", "--is-ancestor", update.old, update.new], input: null, output: null, error: null)
        return exit == 0
    }
}

/// An update that a rule forbids.
struct RefusedUpdate {
    let update: RefUpdate
    let act: RefRule.Act

    /// Tells the client, and the monitor for the audit log.
    func tell(_ report: Descriptor) throws(HookFault) {
        try naming("report") { () throws(Errno) in
            try report.writeAll(Array("refused-\(act.rawValue) \(update.old) \(update.new) \(update.ref)\n".utf8))
            try Descriptor.standardError.writeAll(Array("postern: \(text)\n".utf8))
        }
    }

    private var text: String {
        let ref = VisibleText.of(update.ref)
        return switch act {
        case .push: "\"\(ref)\" is protected: you may not push to it"
        case .create: "\"\(ref)\" is not there, and you may not create it"
        case .change: "\"\(ref)\" is there already, and you may not change it"
        case .delete: "you may not delete \"\(ref)\""
        case .force: "this is no fast-forward of \"\(ref)\", and you may not rewrite it: fetch, then merge or rebase"
        }
    }
}
