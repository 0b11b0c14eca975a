import MonitorProtocol
import Testing

@Suite("DESIGN §6: what a frontend may ask, and when") struct RequestGateTests {
    typealias Phase = RequestGate.Phase

    static let sign = FrontendMessage.sign(Samples.record)
    static let probe = FrontendMessage.probe(Samples.credential)
    static let authenticate = FrontendMessage.authenticate(Samples.credential, signature: [])
    static func start(_ request: UInt32) -> FrontendMessage { .start(request: request, .shell, environment: []) }

    static func gate(_ phase: Phase) throws -> RequestGate {
        var gate = RequestGate()
        if phase != .beforeKeys { try gate.admit(sign, age: .zero, movedBytes: 0) }
        if phase == .authenticated {
            try gate.admit(authenticate, age: .zero, movedBytes: 0)
            gate.userIsAuthenticated()
        }
        #expect(gate.phase == phase)
        return gate
    }

    static let refused: [(Phase, FrontendMessage)] = [
        (.beforeKeys, probe), (.beforeKeys, authenticate), (.beforeKeys, start(0)), (.beforeKeys, .signal(request: 0, name: "TERM")),
        (.beforeKeys, .closed(request: 0)), (.beforeKeys, .prove(hostKeys: [])), (.beforeAuthentication, .prove(hostKeys: [])),
        (.beforeAuthentication, sign), (.beforeAuthentication, start(0)), (.beforeAuthentication, .signal(request: 0, name: "TERM")),
        (.beforeAuthentication, .closed(request: 0)),
        (.authenticated, probe), (.authenticated, authenticate), (.authenticated, start(1)), (.authenticated, start(.max)),
    ]

    @Test(arguments: refused) func `refuses what the phase does not allow`(phase: Phase, request: FrontendMessage) throws {
        var gate = try Self.gate(phase)
        #expect(throws: GateError.outOfTurn(request: request.name, phase: phase.rawValue)) {
            try gate.admit(request, age: .seconds(1000), movedBytes: 1 << 40)
        }
    }

    @Test func `goes from keys to authentication to requests`() throws {
        var gate = RequestGate()
        try gate.admit(Self.sign, age: .zero, movedBytes: 0)
        try gate.admit(Self.probe, age: .zero, movedBytes: 0)
        try gate.admit(Self.authenticate, age: .zero, movedBytes: 0)
        gate.userIsAuthenticated()
        try gate.admit(Self.start(0), age: .zero, movedBytes: 0)
        try gate.admit(.signal(request: 0, name: "TERM"), age: .zero, movedBytes: 0)
        try gate.admit(Self.start(1), age: .zero, movedBytes: 0)
        try gate.admit(.closed(request: 0), age: .zero, movedBytes: 0)
        try gate.admit(Self.sign, age: .zero, movedBytes: 0)
        try gate.admit(.farewell("over"), age: .zero, movedBytes: 0)
        for request in [FrontendMessage.farewell("again"), .fault("after all"), Self.start(2), Self.sign] {
            #expect(throws: GateError.outOfTurn(request: request.name, phase: Phase.over.rawValue)) {
                try gate.admit(request, age: .zero, movedBytes: 0)
            }
        }
    }

    @Test func `host keys are proven once`() throws {
        var gate = try Self.gate(.authenticated)
        try gate.admit(.prove(hostKeys: []), age: .zero, movedBytes: 0)
        #expect(throws: GateError.tooMany(request: "prove", limit: 1)) { try gate.admit(.prove(hostKeys: []), age: .seconds(10_000), movedBytes: 1 << 40) }
    }

    @Test func `starts no request twice and leaves none out`() throws {
        var gate = try Self.gate(.authenticated)
        try gate.admit(Self.start(0), age: .zero, movedBytes: 0)
        for request in [0, 2] as [UInt32] {
            #expect(throws: GateError.outOfTurn(request: "start", phase: Phase.authenticated.rawValue)) {
                try gate.admit(Self.start(request), age: .zero, movedBytes: 0)
            }
        }
        for request in [FrontendMessage.signal(request: 1, name: "INT"), .closed(request: 1), .closed(request: .max)] {
            #expect(throws: GateError.outOfTurn(request: request.name, phase: "before its start")) {
                try gate.admit(request, age: .zero, movedBytes: 0)
            }
        }
    }

    @Test(arguments: [("probe", 64), ("authenticate", 6)]) func `counts attempts`(name: String, limit: Int) throws {
        let request = name == "probe" ? Self.probe : Self.authenticate
        var gate = try Self.gate(.beforeAuthentication)
        for _ in 0..<limit { try gate.admit(request, age: .zero, movedBytes: 0) }
        #expect(throws: GateError.tooMany(request: name, limit: limit)) { try gate.admit(request, age: .zero, movedBytes: 0) }
    }

    /// How many key exchanges a connection of this age and traffic may have had after authentication.
    static let exchanges: [(age: Duration, bytes: UInt64?, limit: Int)] = [
        (.zero, 0, 8), (.seconds(9), 0, 8), (.seconds(10), 0, 9), (.seconds(100), 0, 18), (.zero, 32 * 1024, 9), (.zero, 32 * 1024 - 1, 8),
        (.seconds(20), 1 << 20, 42), (.zero, nil, 2056), (.seconds(10), nil, 22537),
    ]

    @Test(arguments: exchanges) func `explains repeated key exchanges by time and bytes`(age: Duration, bytes: UInt64?, limit: Int) throws {
        var gate = try Self.gate(.authenticated)
        for _ in 0..<limit { try gate.admit(Self.sign, age: age, movedBytes: bytes) }
        #expect(throws: GateError.tooMany(request: "sign", limit: limit)) { try gate.admit(Self.sign, age: age, movedBytes: bytes) }
    }

    @Test func `no age and no count of bytes traps`() throws {
        for age in [Duration.seconds(Int64.max), .seconds(Int64.min), .zero] {
            for bytes in [0, UInt64.max, nil] {
                var gate = try Self.gate(.authenticated)
                _ = try? gate.admit(Self.sign, age: age, movedBytes: bytes)
            }
        }
    }
}
