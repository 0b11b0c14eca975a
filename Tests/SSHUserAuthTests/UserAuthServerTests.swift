import SSHWire
import Testing

@_spi(Passwords) @testable import SSHUserAuth

@Suite("RFC 4252: user authentication, the server's side") struct UserAuthServerTests {
    enum Stage: String, CaseIterable, Sendable {
        case expectService = "authentication: waiting for the service request"
        case expectRequest = "authentication: waiting for a request"
        case asked = "authentication: deciding a request"
        case granted = "after authentication"
    }

    static let service = ServiceRequest(service: "ssh-userauth").payload
    static func request(_ method: UserAuthRequest.Method, service: String = "ssh-connection") -> [UInt8] {
        UserAuthRequest(user: "alice", service: service, method: method).payload
    }
    static let probe = request(.publicKey(algorithm: "ssh-ed25519", key: [1], signature: nil))
    static let signed = request(.publicKey(algorithm: "ssh-ed25519", key: [1], signature: [2]))
    static let failure = UserAuthServer.Output.send(UserAuthFailure(methodsThatCanContinue: ["publickey"], partialSuccess: false).payload)

    static func server(_ stage: Stage, _ configuration: UserAuthServer.Configuration = .init()) throws -> UserAuthServer {
        var server = UserAuthServer(configuration: configuration)
        if stage == .expectService { return server }
        _ = try receive(&server, service)
        if stage == .expectRequest { return server }
        _ = try receive(&server, signed)
        if stage == .asked { return server }
        var outputs: [UserAuthServer.Output] = []
        _ = server.grant(output: &outputs)
        return server
    }

    static func receive(_ server: inout UserAuthServer, _ payload: [UInt8]) throws(UserAuthError) -> [UserAuthServer.Output] {
        try server.receive(MessageNumber(rawValue: payload[0]), payload: payload)
    }

    @Test func `goes from service to proof`() throws {
        var configuration = UserAuthServer.Configuration()
        configuration.banner = "hello"
        var server = UserAuthServer(configuration: configuration)
        #expect(
            try Self.receive(&server, Self.service) == [
                .send(ServiceAccept(service: "ssh-userauth").payload), .send(UserAuthBanner(message: "hello").payload),
            ])
        #expect(try Self.receive(&server, Self.request(.none)) == [Self.failure])
        #expect(try Self.receive(&server, Self.probe) == [.ask(.mayProbe(.init(user: "alice", algorithm: "ssh-ed25519", key: [1], hostKey: nil)))])
        #expect(server.awaitsAnswer)
        let welcome = server.answerProbe(true)
        #expect(welcome == [.send(UserAuthPublicKeyOK(algorithm: "ssh-ed25519", key: [1]).payload)])
        _ = try Self.receive(&server, Self.probe)
        let unwelcome = server.answerProbe(false, banner: "other")
        #expect(unwelcome == [.send(UserAuthBanner(message: "other").payload), Self.failure])
        _ = try Self.receive(&server, Self.signed)
        let refused = server.refuse()
        #expect(refused == [Self.failure])
        #expect(
            try Self.receive(&server, Self.signed) == [.ask(.verify(.init(user: "alice", algorithm: "ssh-ed25519", key: [1], signature: [2], hostKey: nil)))])
        var outputs: [UserAuthServer.Output] = []
        let user = server.grant(output: &outputs)
        #expect(user.name == "alice")
        #expect(outputs == [.send(UserAuthSuccess().payload)])
        #expect(!server.awaitsAnswer)
    }

    static let accepted: [Stage: [UInt8]] = [.expectService: [5], .expectRequest: [50], .asked: [], .granted: [50]]

    @Test(arguments: Stage.allCases) func `refuses every other message number`(stage: Stage) throws {
        for number in UInt8.min...UInt8.max where Self.accepted[stage]?.contains(number) == false {
            var server = try Self.server(stage)
            #expect(throws: UserAuthError.unexpected(MessageNumber(rawValue: number), during: stage.rawValue)) {
                try Self.receive(&server, [number])
            }
        }
    }

    @Test func `refuses other services`() throws {
        var server = try Self.server(.expectService)
        #expect(throws: UserAuthError.unknownService("ssh-connection")) {
            try Self.receive(&server, ServiceRequest(service: "ssh-connection").payload)
        }
        server = try Self.server(.expectRequest)
        #expect(throws: UserAuthError.unknownService("ssh-agent")) { try Self.receive(&server, Self.request(.none, service: "ssh-agent")) }
    }

    @Test func `ignores requests after success, whatever is in them`() throws {
        var server = try Self.server(.granted)
        #expect(try Self.receive(&server, Self.signed) == [])
        #expect(try Self.receive(&server, [50, 1, 2, 3]) == [])
    }

    @Test(arguments: [UserAuthRequest.Method.password("secret"), .other(name: "keyboard-interactive"), .other(name: ""), .none])
    func `fails methods that are not offered, without a question`(method: UserAuthRequest.Method) throws {
        var server = try Self.server(.expectRequest)
        #expect(try Self.receive(&server, Self.request(method)) == [Self.failure])
    }

    @Test func `asks about passwords where they are offered`() throws {
        var configuration = UserAuthServer.Configuration()
        configuration.takesPasswords = true
        var server = try Self.server(.expectRequest, configuration)
        #expect(try Self.receive(&server, Self.request(.password("p"))) == [.ask(.password(user: "alice", password: "p"))])
        var outputs: [UserAuthServer.Output] = []
        let user = server.grant(banner: "bye", output: &outputs)
        #expect(user.name == "alice")
        #expect(outputs.first == .send(UserAuthBanner(message: "bye").payload))
    }

    @Test func `lets six signatures through`() throws {
        var server = try Self.server(.expectRequest)
        for _ in 0..<6 {
            _ = try Self.receive(&server, Self.signed)
            _ = server.refuse()
        }
        let error = #expect(throws: UserAuthError.tooManyAttempts(limit: 6)) { try Self.receive(&server, Self.signed) }
        #expect(error?.disconnect.reason == .noMoreAuthMethods)
    }

    @Test(arguments: [UserAuthRequest.Method.none, .publicKey(algorithm: "a", key: [], signature: nil), .password("x"), .other(name: "hostbased")])
    func `lets 64 other requests through`(method: UserAuthRequest.Method) throws {
        var server = try Self.server(.expectRequest)
        for _ in 0..<64 {
            _ = try Self.receive(&server, Self.request(method))
            if server.awaitsAnswer { _ = server.answerProbe(true) }
        }
        #expect(throws: UserAuthError.tooManyAttempts(limit: 64)) { try Self.receive(&server, Self.request(method)) }
    }

    @Test func `refuses what does not parse`() throws {
        for payload in [Self.service, Self.probe, Self.signed] {
            let stage = payload[0] == 5 ? Stage.expectService : .expectRequest
            for count in 1..<payload.count {
                var server = try Self.server(stage)
                let error = #expect(throws: UserAuthError.self) { try Self.receive(&server, Array(payload.prefix(count))) }
                guard case .wire(.truncated) = error else {
                    Issue.record("cut at \(count): \(String(describing: error))")
                    continue
                }
            }
        }
    }
}
