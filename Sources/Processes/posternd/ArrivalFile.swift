import Arrivals
import Linux
import Policy
import Sodium

/// The file behind ``ArrivalTable``: a header, places for connections, and a hash table of what is remembered of sources.
///
/// It is small and of a fixed size, and is read and written in pieces, never mapped: a file that somebody shortens then ends no process.
struct ArrivalFile {
    private let file: Descriptor

    /// What was read under the lock.
    struct Content {
        var places: Places
        /// Spreads sources over the table, so that nobody can choose whom to push out of it.
        let seed: [UInt8]
        /// When all places were looked at last.
        let swept: UInt64
    }

    /// The part of the hash table that a source is in.
    struct Bucket {
        let offset: UInt64
        var bytes: [UInt8]
    }

    private static let seedRange = 16..<32
    private static let sweptRange = 32..<40
    static let placeIndices = 0..<ArrivalLayout.placeCount
    /// A process that holds the lock and is stopped does not stop us: so many tries, one each millisecond.
    private static let mostTries = 100

    /// Opens it, or makes it. A process does so once: see ``Descriptor/lockByte(at:)``.
    init(in directory: String) throws(Errno) {
        try StateDirectory.make(directory)
        file = try openFile("\(directory)/arrivals", [.readWrite, .create, .noFollow], mode: 0o600)
        let status = try file.status()
        guard status.kind == .file, status.uid == Users.currentUID, status.mode & 0o077 == 0 else { throw .accessDenied }
    }

    /// Runs `body` while nobody else changes the file.
    func locked<Value>(_ body: () throws(Errno) -> Value) throws(Errno) -> Value {
        var triesLeft = Self.mostTries
        while try !file.lock(waiting: false) {
            triesLeft -= 1
            guard triesLeft > 0 else { throw .wouldBlock }
            var nothing = PollSet()
            _ = try nothing.wait(timeout: .milliseconds(1))
        }
        defer {
            // It cannot fail for a file that is locked; if it did, the end of the process would do.
            do throws(Errno) { try file.unlock() } catch {}
        }
        return try body()
    }

    /// Reads the header and the places; a file that is none of ours, or damaged there, is made anew.
    func read() throws(Errno) -> Content {
        var bytes = [UInt8](repeating: 0, count: ArrivalLayout.bucketsStart)
        let count = try file.read(at: 0, into: &bytes, bytes.indices)
        if count < bytes.count || !bytes.starts(with: ArrivalLayout.magic) || bytes[Self.seedRange].allSatisfy({ $0 == 0 }) {
            let seed = randomBytes(count: Self.seedRange.count)
            bytes = ArrivalLayout.magic + seed + [UInt8](repeating: 0, count: ArrivalLayout.bucketsStart - ArrivalLayout.magic.count - seed.count)
            try file.setLength(0)
            try file.writeAll(bytes[...], at: 0)
            try file.setLength(UInt64(ArrivalLayout.fileBytes))
        }
        return Content(
            places: Places(bytes: Array(bytes[ArrivalLayout.headerBytes...])), seed: Array(bytes[Self.seedRange]),
            swept: bytes[Self.sweptRange].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }

    /// Reads one place, and what spreads sources.
    func read(_ index: Int) throws(Errno) -> (place: Place, seed: [UInt8]) {
        var header = [UInt8](repeating: 0, count: ArrivalLayout.headerBytes)
        _ = try file.read(at: 0, into: &header, header.indices)
        var bytes = [UInt8](repeating: 0, count: Place.length)
        _ = try file.read(at: offset(of: index), into: &bytes, bytes.indices)
        return (Place(bytes: bytes[...]), Array(header[Self.seedRange]))
    }

    func write(swept now: UInt64) throws(Errno) {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: now >> ($0 * 8)) }
        try file.writeAll(bytes[...], at: UInt64(Self.sweptRange.lowerBound))
    }

    func write(_ place: Place, at index: Int) throws(Errno) {
        try file.writeAll(place.bytes[...], at: offset(of: index))
    }

    /// Reads the bucket of a source; what lies behind the end of the file is empty.
    func bucket(of source: Source, seed: [UInt8]) throws(Errno) -> Bucket {
        let hash = SHA256.hash(seed + source.network.bytes)
        let index = Int(hash[0]) << 8 | Int(hash[1])
        let offset = UInt64(ArrivalLayout.bucketsStart + index % ArrivalLayout.bucketCount * ArrivalLayout.bucketBytes)
        var bytes = [UInt8](repeating: 0, count: ArrivalLayout.bucketBytes)
        _ = try file.read(at: offset, into: &bytes, bytes.indices)
        return Bucket(offset: offset, bytes: bytes)
    }

    func write(_ conduct: Conduct, in bucket: Bucket, at entry: Int) throws(Errno) {
        try file.writeAll(conduct.bytes[...], at: bucket.offset + UInt64(entry * Conduct.length))
    }

    // MARK: - Owners

    /// Says that this process owns a place, until it has gone.
    func own(_ index: Int) throws(Errno) -> Bool { try file.lockByte(at: offset(of: index)) }

    /// Whether another process owns it.
    func isOwned(_ index: Int) throws(Errno) -> Bool { try file.isByteLocked(at: offset(of: index)) }

    private func offset(of index: Int) -> UInt64 { UInt64(ArrivalLayout.offset(ofPlace: index)) }
}

extension ArrivalFile.Bucket {
    func conduct(_ entry: Int, now: UInt64) -> Conduct? {
        Conduct(bytes: bytes[entry * Conduct.length..<(entry + 1) * Conduct.length], now: now)
    }

    /// Where what is remembered of a source stands, or is to be put: in a free entry, or in that of the oldest.
    func entry(for source: Source, now: UInt64) -> Int {
        var oldest = (entry: 0, changed: UInt64.max)
        var free: Int?
        for entry in 0..<ArrivalLayout.bucketEntries {
            guard let conduct = conduct(entry, now: now) else {
                free = free ?? entry
                continue
            }
            if conduct.source == source { return entry }
            if conduct.changed < oldest.changed { oldest = (entry, conduct.changed) }
        }
        return free ?? oldest.entry
    }
}
