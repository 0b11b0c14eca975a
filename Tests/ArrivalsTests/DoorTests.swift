import Arrivals
import Policy
import Testing

@Suite("posternd(8), Limits: who is let in") struct DoorTests {
    static let limits: ArrivalLimits = {
        var limits = ArrivalLimits()
        limits.connections = 10
        limits.unauthenticated = 8
        limits.perSource = 2
        return limits
    }()
    let door = Door(Self.limits, loginGrace: .seconds(20), now: 100_000)

    private func source(_ host: String) throws -> Source { try #require(Source(host: host, Self.limits)) }

    private func places(_ hosts: [(String, Place.State)], taken: UInt64 = 95_000) -> Places {
        var places = Places(count: 12)
        for (index, (host, state)) in hosts.enumerated() { places[index] = Place(state: state, source: Source(host: host, Self.limits), taken: taken) }
        return places
    }

    private func refusal(_ host: String, _ conduct: Conduct? = nil, _ places: Places) throws -> Door.Refusal? {
        do {
            _ = try door.admit(try source(host), conduct, places)
            return nil
        } catch let refusal as Door.Refusal {
            return refusal
        }
    }

    @Test func `the first free place is given`() throws {
        #expect(try door.admit(try source("192.0.2.1"), nil, places([])) == 0)
        #expect(try door.admit(try source("192.0.2.1"), nil, places([("192.0.2.2", .authenticated), ("192.0.2.3", .unauthenticated)])) == 2)
    }

    @Test func `of one source only so many wait to log in`() throws {
        let two = places([("192.0.2.1", .unauthenticated), ("192.0.2.1", .unauthenticated)])
        #expect(try refusal("192.0.2.1", two) == Door.Refusal(.perSource(limit: 2), seconds: 15))
        #expect(try refusal("192.0.2.2", two) == nil)
        #expect(try refusal("192.0.2.1", places([("192.0.2.1", .unauthenticated), ("192.0.2.1", .authenticated)])) == nil)
    }

    private func refusal(_ host: String, _ places: Places) throws -> Door.Refusal? { try refusal(host, nil, places) }

    @Test func `a source that logged in lately may have twice as many, and the rest of the places`() throws {
        var known = Conduct(source: try source("192.0.2.1"))
        known.logIn(Self.limits.penalties, now: 50_000)
        let three = places(Array(repeating: ("192.0.2.1", .unauthenticated), count: 3))
        #expect(try refusal("192.0.2.1", known, three) == nil)
        #expect(try refusal("192.0.2.1", known, places(Array(repeating: ("192.0.2.1", .unauthenticated), count: 4)))?.reason == .perSource(limit: 4))
        let flood = places((1...6).map { ("198.51.100.\($0)", .unauthenticated) })
        #expect(try refusal("192.0.2.2", flood)?.reason == .unauthenticated(limit: 6))
        #expect(try refusal("192.0.2.1", known, flood) == nil)
    }

    @Test func `all together are limited, logged in or not`() throws {
        let full = places((1...10).map { ("192.0.2.\($0)", .authenticated) })
        #expect(try refusal("192.0.2.99", full) == Door.Refusal(.connections(limit: 10), seconds: nil))
        #expect(throws: Door.Refusal(.connections(limit: 10), seconds: nil)) { try door.admit(nil, nil, full) }
    }

    @Test func `who is exempt has no limit of its own`() throws {
        #expect(try door.admit(nil, nil, places(Array(repeating: ("unknown", .unauthenticated), count: 4))) == 4)
    }

    @Test func `the text says why, and when to try again`() {
        let texts: [(Door.Refusal, String)] = [
            (Door.Refusal(.penalty(.failed), seconds: 14), "connections from your address are refused after logins that failed; try again in 14 seconds"),
            (Door.Refusal(.perSource(limit: 32), seconds: 1), "32 connections from your address have not logged in yet; try again in 1 second"),
            (Door.Refusal(.connections(limit: 512), seconds: nil), "there are too many connections; try again later"),
        ]
        for (refusal, text) in texts { #expect(refusal.description == text) }
    }

    @Test func `what stands against a refusal is what would make room`() throws {
        let table = places([("192.0.2.1", .unauthenticated), ("192.0.2.2", .unauthenticated), ("192.0.2.1", .authenticated)])
        let mine = try source("192.0.2.1")
        #expect(table.standing(against: Door.Refusal(.perSource(limit: 2), seconds: 1), from: mine) == [0])
        #expect(table.standing(against: Door.Refusal(.unauthenticated(limit: 2), seconds: 1), from: mine) == [0, 1])
        #expect(table.standing(against: Door.Refusal(.connections(limit: 2), seconds: 1), from: mine) == [0, 1, 2])
        #expect(table.standing(against: Door.Refusal(.penalty(.failed), seconds: 1), from: mine).isEmpty)
    }
}

@Suite("posternd(8), Limits: what is remembered of a source") struct ConductTests {
    let limits = ArrivalLimits()
    var penalties: Penalties { limits.penalties }

    private func conduct() throws -> Conduct { Conduct(source: try #require(Source(host: "192.0.2.1", limits))) }

    @Test func `penalties add up, and count from the threshold on until they are over`() throws {
        var conduct = try conduct()
        for _ in 0..<2 { conduct.commit(.failed, penalties, now: 1000) }
        #expect(conduct.secondsLeft(now: 1000) == nil)
        conduct.commit(.failed, penalties, now: 1000)
        #expect(conduct.secondsLeft(now: 1000) == 15)
        #expect(conduct.secondsLeft(now: 15_001) == 1)
        #expect(conduct.secondsLeft(now: 16_000) == nil)
        conduct.commit(.silent, penalties, now: 16_000)
        #expect(conduct.secondsLeft(now: 16_000) == nil, "what is over counts no more")
    }

    @Test func `they run out with time`() throws {
        var conduct = try conduct()
        for second in 0..<60 { conduct.commit(.silent, penalties, now: UInt64(second * 2000)) }
        #expect(conduct.secondsLeft(now: 120_000) == nil)
    }

    @Test func `they have an end`() throws {
        var conduct = try conduct()
        for _ in 0..<100 { conduct.commit(.violation, penalties, now: 1000) }
        #expect(conduct.secondsLeft(now: 1000) == 600)
    }

    @Test func `a login forgives, and for a while what people do by mistake is none`() throws {
        var conduct = try conduct()
        for _ in 0..<9 { conduct.commit(.failed, penalties, now: 1000) }
        conduct.logIn(penalties, now: 2000)
        #expect(conduct.secondsLeft(now: 2000) == nil)
        for _ in 0..<9 { conduct.commit(.failed, penalties, now: 3000) }
        #expect(conduct.secondsLeft(now: 3000) == nil)
        conduct.commit(.violation, penalties, now: 3000)
        #expect(conduct.secondsLeft(now: 3000) == 90)
        #expect(!conduct.isKnown(now: 2000 + 86_400_000))
    }

    @Test func `zero is no penalty`() throws {
        var conduct = try conduct()
        var none = penalties
        none.violation = .zero
        conduct.commit(.violation, none, now: 1000)
        #expect(conduct.secondsLeft(now: 1000) == nil)
    }

    @Test func `refusals are told once a second, with their number`() throws {
        var conduct = try conduct()
        let told = [5000, 5100, 5999, 6000, 6100].map { conduct.countRefusal(now: $0) }
        #expect(told == [1, nil, nil, 3, nil])
    }

    @Test func `stands in the table, and what is damaged there turns nobody away for long`() throws {
        var conduct = try conduct()
        conduct.commit(.violation, penalties, now: 7000)
        _ = conduct.countRefusal(now: 7000)
        let bytes = conduct.bytes
        #expect(bytes.count == Conduct.length)
        #expect(Conduct(bytes: bytes[...], now: 7000) == conduct)
        #expect(Conduct(bytes: [UInt8](repeating: 0, count: Conduct.length)[...], now: 7000) == nil)
        var damaged = bytes
        for index in 24..<56 { damaged[index] = 0xff }
        #expect(Conduct(bytes: damaged[...], now: 7000)?.secondsLeft(now: 7000) == nil)
        #expect(Conduct(bytes: damaged[...], now: 7000)?.isKnown(now: 7000) == false)
    }
}

@Suite("posternd(8), Limits: sources and the table") struct SourceTests {
    @Test func `is an address of IPv4 and a network of IPv6, unless the policy says otherwise`() {
        let usual = ArrivalLimits()
        var wide = ArrivalLimits()
        (wide.ipv4Prefix, wide.ipv6Prefix) = (24, 48)
        let cases: [(String, String, ArrivalLimits, Bool)] = [
            ("192.0.2.1", "192.0.2.2", usual, false), ("192.0.2.1", "::ffff:192.0.2.1", usual, true),
            ("192.0.2.1", "192.0.2.254", wide, true), ("192.0.2.1", "192.0.3.1", wide, false),
            ("2001:db8::1", "2001:db8::ffff:1", usual, true), ("2001:db8::1", "2001:db8:0:1::1", usual, false),
            ("2001:db8::1", "2001:db8:0:1::1", wide, true), ("fe80::1%eth0", "fe80::2", usual, true),
        ]
        for (one, other, limits, isSame) in cases {
            #expect((Source(host: one, limits) == Source(host: other, limits)) == isSame, "\(one) and \(other)")
        }
        #expect(Source(host: "unknown", usual) == nil)
    }

    @Test func `a place stands in the table as it is`() {
        for host in ["192.0.2.1", "2001:db8::1", "unknown"] {
            let place = Place(state: .authenticated, source: Source(host: host, ArrivalLimits()), taken: 0x0102_0304_0506_0708)
            #expect(place.bytes.count == Place.length)
            #expect(Place(bytes: place.bytes[...]) == place)
        }
        #expect(Place(bytes: [UInt8](repeating: 0xff, count: Place.length)[...]) == .free)
    }

    @Test func `a table that ends in the middle of an entry is read up to it`() {
        #expect(Places(bytes: [UInt8](repeating: 1, count: 100)).indices == 0..<3)
    }

    @Test func `an empty list exempts nobody`() throws {
        var limits = ArrivalLimits()
        #expect(!limits.exempts("127.0.0.1"))
        limits.exempt = [try AddressPattern(parsing: "127.0.0.0/8"), try AddressPattern(parsing: "!127.0.0.3")]
        #expect(limits.exempts("127.0.0.1"))
        #expect(!limits.exempts("127.0.0.3"))
        #expect(!limits.exempts("unknown"))
    }
}
