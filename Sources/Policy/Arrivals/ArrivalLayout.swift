import Policy

/// Where things stand in the file in which the processes of a gateway keep who is connected, and how sources have behaved: a header, places for
/// connections, and a hash table of what is remembered of sources.
public enum ArrivalLayout {
    /// What the file begins with.
    public static let magic = Array("PosternA".utf8) + [1, 0, 0, 0, 0, 0, 0, 0]
    /// Of the header, in bytes.
    public static let headerBytes = 64
    public static let placeCount = 1024
    public static let bucketCount = 1024
    /// Of sources. The oldest makes room for the next.
    public static let bucketEntries = 8
    /// Of a bucket.
    public static let bucketBytes = bucketEntries * Conduct.length
    /// Where the first bucket stands.
    public static let bucketsStart = headerBytes + placeCount * Place.length
    /// Of all of it.
    public static let fileBytes = bucketsStart + bucketCount * bucketBytes

    /// Where a place stands. Whoever has it has locked the first byte of it.
    public static func offset(ofPlace index: Int) -> Int { headerBytes + index * Place.length }
}

/// Who has not logged in yet and who is turned away, as the file has it at one moment.
public struct ArrivalSnapshot: Equatable, Sendable {
    /// A connection on which nobody has logged in.
    public struct Waiting: Equatable, Sendable {
        /// Its place, whose owner may have gone without a word.
        public let place: Int
        /// Nil where no limit per source holds for it.
        public let source: Source?
        /// Since it was accepted.
        public let seconds: Int
    }

    /// A source that gets no place.
    public struct TurnedAway: Equatable, Sendable {
        public let source: Source
        public let offence: Offence
        /// Until it is let in again.
        public let secondsLeft: Int
    }

    /// The oldest first.
    public let waiting: [Waiting]
    /// Those who wait longest first.
    public let turnedAway: [TurnedAway]

    public init(waiting: [Waiting], turnedAway: [TurnedAway]) { (self.waiting, self.turnedAway) = (waiting, turnedAway) }

    /// Reads the file's bytes; what is no such file has nobody in it.
    ///
    /// - Parameter now: milliseconds of the clock that the file goes by.
    public init(bytes: [UInt8], now: UInt64) {
        typealias Layout = ArrivalLayout
        guard bytes.starts(with: Layout.magic), bytes.count >= Layout.bucketsStart else {
            (waiting, turnedAway) = ([], [])
            return
        }
        let places = Places(bytes: Array(bytes[Layout.headerBytes..<Layout.bucketsStart]))
        waiting = places.indices.filter { places.state(at: $0).isWaiting }.map { index in
            let place = places[index]
            return Waiting(place: index, source: place.source, seconds: Int((now - min(place.taken, now)) / 1000))
        }.sorted { ($1.seconds, $0.place) < ($0.seconds, $1.place) }
        let entries = stride(from: Layout.bucketsStart, through: bytes.count - Conduct.length, by: Conduct.length)
        turnedAway = entries.compactMap { start -> TurnedAway? in
            guard let conduct = Conduct(bytes: bytes[start..<start + Conduct.length], now: now), let seconds = conduct.secondsLeft(now: now) else { return nil }
            return TurnedAway(source: conduct.source, offence: conduct.offence, secondsLeft: seconds)
        }.sorted { ($1.secondsLeft, $0.source.network.description) < ($0.secondsLeft, $1.source.network.description) }
    }
}
