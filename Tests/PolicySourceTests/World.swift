import Policy
import PolicySource

/// A machine made of tables: what a policy's reader may ask for.
struct World {
    struct File {
        var text: String
        var owner: UInt32 = 0
        /// Where it is no text.
        var bytes: [UInt8]?
    }
    /// By path as the policy names it.
    var files: [String: File]
    var uid: UInt32 = 0
    /// 2026-07-01T00:00:00Z
    var now: Int64 = 1_782_864_000

    static let accounts: [String: UInt32] = ["root": 0, "deploy": 1001, "git": 1002, "drop": 1003, "files": 1004]
    static let programs: [String: Program] = [
        "/srv/app/bin/release": .executable(writer: nil), "/bin/sh": .executable(writer: nil),
        "/bin/echo": .executable(writer: nil), "/bin/date": .executable(writer: nil),
        "/usr/bin/id": .executable(writer: nil), "/usr/bin/tar": .executable(writer: nil),
        "/usr/bin/timeout": .executable(writer: nil), "/usr/bin/env": .executable(writer: nil), "/usr/bin/xargs": .executable(writer: nil),
        "/usr/bin/nice": .executable(writer: nil), "/usr/bin/python3.11": .executable(writer: nil), "/usr/lib/openssh/sftp-server": .executable(writer: nil),
        "/srv/open/tool": .executable(writer: "\"/srv/open\" is owned by deploy"), "/etc/passwd": .notExecutable,
    ]
    static let paths: Set<String> = [
        "/srv/app", "/srv/app/releases", "/srv/app/bin", "/usr/bin", "/srv/data", "/", "/home/deploy", "/home/git", "/home/files", "/srv", "/srv/drop", "/srv/git",
    ]

    var surroundings: Surroundings {
        Surroundings(
            now: now, uid: uid,
            read: { path, owners, limit throws(Objection) in try self.read(path, owners, limit) },
            entries: { path, _ throws(Objection) in
                let inside = self.files.keys.filter { $0.hasPrefix(path + "/") }.map { String($0.dropFirst(path.count + 1)) }
                return inside.isEmpty || self.files[path] != nil ? nil : inside.reversed()
            },
            account: { name throws(Objection) in
                Self.accounts[name].map {
                    Account(name: name, uid: $0, gid: $0, groups: [$0], home: "/home/\(name)", shell: "/bin/sh")
                }
            },
            program: { path, _ in Self.programs[path] ?? .missing },
            exists: { Self.paths.contains($0) },
            publicKey: { line throws(Objection) in try Self.publicKey(String(decoding: line, as: UTF8.self)) },
            revokedKey: { line throws(Objection) in
                let text = String(decoding: line, as: UTF8.self)
                if text.hasPrefix("SHA256:") { return try Self.publicKey("ssh-ed25519 \(text.dropFirst(7))").fingerprint }
                return try Self.publicKey(text).fingerprint
            },
            revocationList: { bytes throws(Objection) in
                guard bytes.starts(with: "KRL".utf8) else { return nil }
                guard bytes.count == 4 else { throw Objection("the revocation list has something new, which would not be enforced") }
                let ofOne = RevokedByList.Certificates(authority: try Self.publicKey("ssh-ed25519 AAAA9").fingerprint, serials: [5...9], keyIDs: ["mallory"])
                return RevokedByList(keys: [[UInt8](repeating: 7, count: 32)], certificates: [ofOne, .init(authority: nil, serials: [1...1], keyIDs: [])])
            },
            keyIDDigest: { Array(([1] + Array($0.utf8) + $1).prefix(32)) },
            predefined: ["tool", "git-read", "git-write", "drop", "service"].map { name in
                var plan = SandboxPlan(name: name)
                if name == "service" { plan.network = .any }
                return plan
            },
            compile: { plan throws(Objection) in
                if let call = (plan.allowedCalls + plan.deniedCalls).first(where: { $0 == "frobnicate" }) {
                    throw Objection("there is no system call \"\(call)\"")
                }
                return CallFilter(program: Array("filter of \(plan.name)".utf8))
            })
    }

    private func read(_ path: String, _ owners: [UInt32], _ limit: Int) throws(Objection) -> [UInt8] {
        guard let file = files[path] else { throw Objection("\"\(path)\" is not there") }
        guard owners.contains(file.owner) else { throw Objection("\"\(path)\" is owned by \(file.owner)", hint: "let root own it") }
        guard file.text.utf8.count <= limit else { throw Objection("\"\(path)\" is too long") }
        return file.bytes ?? Array(file.text.utf8)
    }

    /// The key's text stands for its hash.
    private static func publicKey(_ line: String) throws(Objection) -> ParsedKey {
        let words = line.split(separator: " ").map(String.init)
        guard words.count >= 2, let type = words.first else { throw Objection("this is no public key") }
        guard type.hasPrefix("ssh-") || type.hasPrefix("sk-ssh-") else { throw Objection("the key has options, which would not be enforced") }
        guard ["ssh-ed25519", "sk-ssh-ed25519@openssh.com"].contains(type) else { throw Objection("\"\(type)\" is not supported, use ssh-ed25519") }
        let fingerprint = Array((Array(words[1].utf8.suffix(32)) + Array(repeating: 0, count: 32)).prefix(32))
        return ParsedKey(fingerprint: fingerprint, comment: words.dropFirst(2).joined(separator: " "), isSecurityKey: type.hasPrefix("sk-"))
    }
}
