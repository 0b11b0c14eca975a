import Linux
import Testing

@Suite("DESIGN §3: files that others can change are refused") struct TrustedPathTests {
    private let scratch: Scratch
    private let me = Users.currentUID

    init() throws {
        scratch = try Scratch()
        try makeDirectory(scratch.path + "/dir")
        try createFile(scratch.path + "/dir/file", [1], mode: 0o644)
    }

    private func open(_ path: String, _ kind: TrustedPath.Kind = .file) throws(TrustError) -> Descriptor {
        try TrustedPath.open(path.hasPrefix("/") || path.isEmpty ? path : scratch.path + "/" + path, kind, trusting: me)
    }

    @Test func `a file of ours below /tmp is fine, since /tmp is sticky`() throws {
        #expect(try open("dir/file").readAll(limit: 9) == [1])
        #expect(try open("dir/../dir/./file").readAll(limit: 9) == [1])
        _ = try open("dir", .directory)
        #expect(try TrustedPath.open("/etc/passwd").status().kind == .file)
    }

    static let modes: [(mode: UInt32, isFine: Bool)] = [
        (0o600, true), (0o644, true), (0o755, true), (0o664, false), (0o620, false), (0o602, false), (0o666, false),
    ]

    @Test(arguments: modes) func `a file that others write is refused`(mode: UInt32, isFine: Bool) throws {
        try setMode(scratch.path + "/dir/file", mode)
        if isFine {
            _ = try open("dir/file")
        } else {
            #expect(throws: TrustError.writable(path: scratch.path + "/dir/file", mode: mode)) { try open("dir/file") }
        }
    }

    @Test(arguments: [UInt32(0o775), 0o757, 0o777]) func `a directory above that others write is refused`(mode: UInt32) throws {
        try setMode(scratch.path + "/dir", mode)
        #expect(throws: TrustError.writable(path: scratch.path + "/dir", mode: mode)) { try open("dir/file") }
        // Sticky: what we own in it stays ours.
        try setMode(scratch.path + "/dir", mode | 0o1000)
        _ = try open("dir/file")
    }

    @Test func `symbolic links are walked, not believed`() throws {
        try makeLink(scratch.path + "/link", to: "dir/../dir/file")
        #expect(try open("link").readAll(limit: 9) == [1])
        try makeLink(scratch.path + "/absolute", to: scratch.path + "/link")
        #expect(try open("absolute").readAll(limit: 9) == [1])
        try makeDirectory(scratch.path + "/open")
        try setMode(scratch.path + "/open", 0o777)
        try createFile(scratch.path + "/open/file", [2])
        try makeLink(scratch.path + "/out", to: "open/file")
        #expect(throws: TrustError.writable(path: scratch.path + "/open", mode: 0o777)) { try open("out") }
        // Also when the way back leads out of it again.
        try makeLink(scratch.path + "/back", to: "open/../dir/file")
        #expect(throws: TrustError.writable(path: scratch.path + "/open", mode: 0o777)) { try open("back") }
        try makeLink(scratch.path + "/loop", to: "loop")
        #expect(throws: TrustError.tooManyLinks(path: scratch.path + "/loop")) { try open("loop") }
    }

    @Test func `what is not there or of another kind is said so`() throws {
        #expect(throws: TrustError.notAbsolute(path: "")) { try open("") }
        #expect(throws: TrustError.missing(path: scratch.path + "/dir/none")) { try open("dir/none") }
        #expect(throws: TrustError.wrongKind(path: scratch.path + "/dir/file")) { try open("dir/file/x") }
        #expect(throws: TrustError.wrongKind(path: scratch.path + "/dir/file")) { try open("dir/file", .directory) }
        #expect(throws: TrustError.wrongKind(path: scratch.path + "/dir")) { try open("dir") }
        #expect(throws: TrustError.wrongKind(path: "/usr/bin")) { try TrustedPath.open("/usr/bin") }
    }

    @Test(.enabled(if: Users.currentUID == 0, "only root gives files away")) func `a file of another is refused`() throws {
        try setOwner(scratch.path + "/dir/file", 12345)
        #expect(throws: TrustError.owned(path: scratch.path + "/dir/file", uid: 12345)) { try open("dir/file") }
        _ = try TrustedPath.open(scratch.path + "/dir/file", trusting: 12345)
        try setOwner(scratch.path + "/dir", 12345)
        #expect(throws: TrustError.owned(path: scratch.path + "/dir", uid: 12345)) { try open("dir/file") }
        // A link in a sticky directory that another made leads where they like.
        try makeLink("/tmp/postern-link-\(processID)", to: "/etc/passwd")
        defer { try? removeFile("/tmp/postern-link-\(processID)") }
        try setOwner("/tmp/postern-link-\(processID)", 12345)
        #expect(throws: TrustError.owned(path: "/tmp/postern-link-\(processID)", uid: 12345)) {
            try TrustedPath.open("/tmp/postern-link-\(processID)")
        }
    }
}
