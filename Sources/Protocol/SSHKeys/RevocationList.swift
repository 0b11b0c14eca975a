import SSHWire
import Sodium

/// A key revocation list as `ssh-keygen -k` makes it (OpenSSH PROTOCOL.krl).
///
/// Signatures in it are passed over, as OpenSSH does since 9.4: who may write the file is what counts. What is not understood is refused,
/// since what it revokes would go on.
public struct RevocationList: Equatable, Sendable {
    /// Certificates of one authority, or of all.
    public struct Certificates: Equatable, Sendable {
        /// The SHA-256 fingerprint of the authority's key; nil: of every authority.
        public var authority: [UInt8]?
        /// In the order of the file; they may overlap.
        public var serials: [ClosedRange<UInt64>] = []
        /// What the authority called whom they identify.
        public var keyIDs: [String] = []
    }

    /// SHA-256 fingerprints of keys, 32 bytes each.
    public private(set) var keys: [[UInt8]] = []
    /// Certificates by number and name.
    public private(set) var certificates: [Certificates] = []

    /// The largest file: some million serials.
    public static let limitBytes = 64 << 20
    private static let magic = Array("SSHKRL\n\0".utf8)
    private static let formatVersion: UInt32 = 1

    /// Whether a file is such a list, be it sound or not.
    public static func isList(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

    /// What stands for a key id in a table of SHA-256 hashes: no key has such a fingerprint.
    ///
    /// - Parameter authority: the fingerprint of the key that signed.
    public static func digest(ofKeyID keyID: String, authority: [UInt8]) -> [UInt8] {
        var writer = WireWriter()
        writer.text("key id of a certificate by")
        writer.string(authority)
        writer.text(keyID)
        return SHA256.hash(writer.bytes)
    }

    /// Parses a file.
    ///
    /// - Throws: ``KeyError/malformed(_:)``, and ``KeyError/unknownRevocation(_:)`` for what it revokes in a way that is not known here.
    public init(bytes: [UInt8]) throws(KeyError) {
        guard Self.isList(bytes) else { throw .malformed(.badValue("revocation list")) }
        var reader = WireReader(bytes, in: Self.magic.count..<bytes.count)
        let version = try reading { () throws(WireError) in try reader.uint32() }
        guard version == Self.formatVersion else { throw .unknownRevocation("format version \(version)") }
        try reading { () throws(WireError) in
            // Its version, when it was made, flags, a reserved field, a comment.
            for _ in 0..<3 { _ = try reader.uint64() }
            for _ in 0..<2 { _ = try reader.stringRange(limit: Self.limitBytes) }
        }
        while reader.remaining > 0 { try readSection(&reader) }
    }

    private mutating func readSection(_ reader: inout WireReader) throws(KeyError) {
        let type = try reading { () throws(WireError) in try reader.byte() }
        let data = try reading { () throws(WireError) in try reader.string(limit: Self.limitBytes) }
        var section = WireReader(data)
        switch type {
        case 1: try readCertificates(&section)
        case 2:
            while section.remaining > 0 {
                let blob = try reading { () throws(WireError) in try section.string(limit: WireLimit.blob) }
                keys.append(PublicKey.fingerprint(ofBlob: blob))
            }
        case 3: throw .unknownRevocation("SHA-1 fingerprints")
        case 4:
            // What stands before is a signature's key; the signature follows.
            _ = try reading { () throws(WireError) in try reader.stringRange(limit: Self.limitBytes) }
        case 5:
            while section.remaining > 0 {
                let hash = try reading { () throws(WireError) in try section.string(limit: SHA256.count) }
                guard hash.count == SHA256.count else { throw .malformed(.badValue("SHA-256 fingerprint")) }
                keys.append(hash)
            }
        case 255: try Self.passOver(&section)
        default: throw .unknownRevocation("section \(type)")
        }
    }

    private mutating func readCertificates(_ reader: inout WireReader) throws(KeyError) {
        let authority = try reading { () throws(WireError) in
            let authority = try reader.string(limit: WireLimit.blob)
            _ = try reader.stringRange(limit: WireLimit.blob)
            return authority
        }
        var entry = Certificates(authority: authority.isEmpty ? nil : PublicKey.fingerprint(ofBlob: authority))
        while reader.remaining > 0 {
            let type = try reading { () throws(WireError) in try reader.byte() }
            let data = try reading { () throws(WireError) in try reader.string(limit: Self.limitBytes) }
            var section = WireReader(data)
            switch type {
            case 0x20:
                while section.remaining > 0 {
                    let serial = try reading { () throws(WireError) in try section.uint64() }
                    entry.serials.append(try Self.range(serial, serial))
                }
            case 0x21:
                let ends = try reading { () throws(WireError) in
                    let ends = (try section.uint64(), try section.uint64())
                    try section.finish()
                    return ends
                }
                entry.serials.append(try Self.range(ends.0, ends.1))
            case 0x22: entry.serials += try Self.bitmap(&section)
            case 0x23:
                while section.remaining > 0 {
                    entry.keyIDs.append(try reading { () throws(WireError) in try section.text(limit: WireLimit.user) })
                }
            case 0x39: try Self.passOver(&section)
            default: throw .unknownRevocation("certificate section \(type)")
            }
        }
        certificates.append(entry)
    }

    /// A number from which on each bit stands for the next; ranges of bits become ranges of serials.
    private static func bitmap(_ reader: inout WireReader) throws(KeyError) -> [ClosedRange<UInt64>] {
        let (first, bits) = try reading { () throws(WireError) in
            let fields = (try reader.uint64(), try reader.unsignedInteger(limit: limitBytes))
            try reader.finish()
            return fields
        }
        var ranges: [ClosedRange<UInt64>] = []
        var start: UInt64?
        for position in 0..<UInt64(bits.count) * 8 {
            let isSet = bits[bits.count - 1 - Int(position / 8)] & 1 << UInt8(position % 8) != 0
            let (serial, overflows) = first.addingReportingOverflow(position)
            guard !overflows else {
                guard !isSet else { throw .malformed(.badValue("serial")) }
                break
            }
            if isSet, start == nil { start = serial }
            if !isSet, let begun = start {
                ranges.append(try range(begun, serial - 1))
                start = nil
            }
        }
        if let start { ranges.append(try range(start, first &+ UInt64(bits.count) * 8 &- 1)) }
        return ranges
    }

    /// Serial 0 is no serial (PROTOCOL.certkeys).
    private static func range(_ low: UInt64, _ high: UInt64) throws(KeyError) -> ClosedRange<UInt64> {
        guard low > 0, low <= high else { throw .malformed(.badValue("serial")) }
        return low...high
    }

    /// An extension: a name, whether it must be understood, and its contents.
    private static func passOver(_ reader: inout WireReader) throws(KeyError) {
        let (name, isCritical) = try reading { () throws(WireError) in (try reader.text(limit: WireLimit.name), try reader.boolean()) }
        if isCritical { throw .unknownRevocation("extension \(name)") }
    }
}
