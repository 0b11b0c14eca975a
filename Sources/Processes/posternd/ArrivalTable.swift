import Arrivals
import Linux
import Policy

/// Who is connected and how sources have behaved, which all processes of a gateway know in common (posternd(8), "Limits").
///
/// Whoever reads and changes it holds a lock on it for some microseconds. The owner of a place has locked a byte of it: when that process has
/// gone, however it went, the kernel has given up the lock, and the place is free for the next who finds none.
struct ArrivalTable {
    /// A connection's place, by which it is found again.
    struct Claim: Equatable {
        let index: Int
        let taken: UInt64
        var source: Source?
    }

    /// A connection that is turned away.
    struct TurnedAway: Error {
        let refusal: Door.Refusal
        /// How many of its source were since the last that was logged; nil when this one is not to be logged.
        let count: Int?
    }

    private let file: ArrivalFile

    /// How long a process may take to own a place that was found for it.
    private static let takeoverMilliseconds: UInt64 = 10_000
    /// How often all places are looked at.
    private static let sweepMilliseconds: UInt64 = 1000

    init(in directory: String) throws(Errno) { file = try ArrivalFile(in: directory) }

    private static var now: UInt64 { Clock.monotonic.wholeMilliseconds }

    // MARK: - Coming

    /// Finds a place for a connection.
    ///
    /// - Parameters:
    ///   - source: nil where no limits per source hold.
    ///   - offering: whether another process is to own the place; else this one does.
    ///   - held: a place that it has had while its source was not known. It is given up.
    func enter(
        _ source: Source?, _ gateway: Gateway, offering: Bool = false, instead held: Claim? = nil
    ) throws(Errno) -> Result<Claim, TurnedAway> {
        try file.locked { () throws(Errno) in
            var content = try file.read()
            if let held, content.places[held.index].taken == held.taken { try free(held.index, &content) }
            let now = Self.now
            let bucket = try source.map { (source) throws(Errno) in try file.bucket(of: source, seed: content.seed) }
            let found = source.flatMap { bucket?.conduct(of: $0, now: now) }
            let door = Door(gateway.arrivals, loginGrace: gateway.loginGrace, now: now)
            var answer = door.answer(source, found, content.places)
            if case .failure(let refusal) = answer, try sweep(refusal, source, &content, now: now) {
                answer = door.answer(source, found, content.places)
            }
            switch answer {
            case .success(let index):
                try file.write(Place(state: offering ? .offered : .unauthenticated, source: source, taken: now), at: index)
                if !offering { _ = try file.own(index) }
                return .success(Claim(index: index, taken: now, source: source))
            case .failure(let refusal):
                guard let source, let bucket else { return .failure(TurnedAway(refusal: refusal, count: 1)) }
                var conduct = found ?? Conduct(source: source)
                let count = conduct.countRefusal(now: now)
                try file.write(conduct, in: bucket, at: bucket.entry(for: source, now: now))
                return .failure(TurnedAway(refusal: refusal, count: count))
            }
        }
    }

    /// Frees those of the places in the way whose owners have gone without a word.
    ///
    /// - Returns: whether there were any.
    private func sweep(_ refusal: Door.Refusal, _ source: Source?, _ content: inout ArrivalFile.Content, now: UInt64) throws(Errno) -> Bool {
        if !refusal.isOfSource {
            guard content.swept > now || content.swept + Self.sweepMilliseconds <= now else { return false }
            try file.write(swept: now)
        }
        var hasFreed = false
        for index in content.places.standing(against: refusal, from: source) {
            let place = content.places[index]
            if place.state == .offered, place.taken <= now, place.taken + Self.takeoverMilliseconds > now { continue }
            if try file.isOwned(index) { continue }
            try free(index, &content)
            hasFreed = true
        }
        return hasFreed
    }

    private func free(_ index: Int, _ content: inout ArrivalFile.Content) throws(Errno) {
        content.places[index] = .free
        try file.write(.free, at: index)
    }

    // MARK: - Staying and going

    /// Takes over a place that a listener has offered.
    ///
    /// - Returns: false when it is another's by now.
    func own(_ claim: Claim) throws(Errno) -> Bool {
        try file.locked { () throws(Errno) in
            var place = try file.read(claim.index).place
            guard place.taken == claim.taken, place.state == .offered, try file.own(claim.index) else { return false }
            place.state = .unauthenticated
            try file.write(place, at: claim.index)
            return true
        }
    }

    /// Somebody has logged in on a connection.
    func logIn(_ claim: Claim, _ gateway: Gateway) throws(Errno) {
        try file.locked { () throws(Errno) in
            let (place, seed) = try file.read(claim.index)
            guard place.taken == claim.taken else { return }
            try file.write(Place(state: .authenticated, source: claim.source, taken: claim.taken), at: claim.index)
            try change(claim.source, seed) { $0.logIn(gateway.arrivals.penalties, now: Self.now) }
        }
    }

    /// A connection is over. A place that is another's by now stays what it is.
    func leave(_ claim: Claim, _ offence: Offence?, _ gateway: Gateway) throws(Errno) {
        try file.locked { () throws(Errno) in
            let (place, seed) = try file.read(claim.index)
            if place.taken == claim.taken { try file.write(.free, at: claim.index) }
            guard let offence else { return }
            try change(claim.source, seed) { $0.commit(offence, gateway.arrivals.penalties, now: Self.now) }
        }
    }

    private func change(_ source: Source?, _ seed: [UInt8], _ body: (inout Conduct) -> Void) throws(Errno) {
        guard let source else { return }
        let bucket = try file.bucket(of: source, seed: seed)
        let now = Self.now
        var conduct = bucket.conduct(of: source, now: now) ?? Conduct(source: source)
        body(&conduct)
        try file.write(conduct, in: bucket, at: bucket.entry(for: source, now: now))
    }
}

extension ArrivalTable.Claim {
    /// As a text for the process that takes it over.
    var text: String { "\(index).\(taken)" }

    init?(_ text: String, source: Source?) {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let index = Int(parts[0]), ArrivalFile.placeIndices ~= index, let taken = UInt64(parts[1]) else { return nil }
        self.init(index: index, taken: taken, source: source)
    }
}

extension ArrivalFile.Bucket {
    fileprivate func conduct(of source: Source, now: UInt64) -> Conduct? {
        conduct(entry(for: source, now: now), now: now).flatMap { $0.source == source ? $0 : nil }
    }
}

extension Door {
    fileprivate func answer(_ source: Source?, _ conduct: Conduct?, _ places: Places) -> Result<Int, Refusal> {
        do throws(Refusal) {
            return .success(try admit(source, conduct, places))
        } catch {
            return .failure(error)
        }
    }
}
