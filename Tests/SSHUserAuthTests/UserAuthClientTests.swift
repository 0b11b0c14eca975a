import SSHWire
import Testing

@testable import SSHUserAuth

@Suite("RFC 4252: user authentication, the client's side") struct UserAuthClientTests {
    enum Stage: String, CaseIterable, Sendable {
        case idle = "before authentication"
        case expectAccept = "authentication: waiting for the service"
        case expectAnswer = "authentication: waiting for an answer"
        case ready = "authentication: between attempts"
        case granted = "after authentication"
    }

    static let probe = UserAuthRequest.Method.publicKey(algorithm: "ssh-ed25519", key: [1], signature: nil)
    static let accept = ServiceAccept(service: "ssh-userauth").payload
    static let failure = UserAuthFailure(methodsThatCanContinue: ["publickey"], partialSuccess: false).payload

    static func client(_ stage: Stage, _ method: UserAuthRequest.Method = .none) throws -> UserAuthClient {
        var client = UserAuthClient()
        if stage == .idle { return client }
        _ = client.attempt(user: "alice", method: method)
        if stage == .expectAccept { return client }
        _ = try receive(&client, accept)
        if stage == .expectAnswer { return client }
        _ = try receive(&client, stage == .ready ? failure : UserAuthSuccess().payload)
        return client
    }

    static func receive(_ client: inout UserAuthClient, _ payload: [UInt8]) throws(UserAuthError) -> [UserAuthClient.Output] {
        try client.receive(MessageNumber(rawValue: payload[0]), payload: payload)
    }

    @Test func `asks for the service once and goes from attempt to attempt`() throws {
        var client = UserAuthClient()
        let first = client.attempt(user: "alice", method: .none)
        #expect(first == [.send(ServiceRequest(service: "ssh-userauth").payload)])
        #expect(!client.isReady)
        #expect(try Self.receive(&client, UserAuthBanner(message: "hi").payload) == [.banner("hi")])
        let none = UserAuthRequest(user: "alice", service: "ssh-connection", method: .none).payload
        #expect(try Self.receive(&client, Self.accept) == [.send(none)])
        #expect(try Self.receive(&client, Self.failure) == [.refused(methods: ["publickey"], partialSuccess: false)])
        #expect(client.isReady)
        let second = client.attempt(user: "bob", method: Self.probe)
        #expect(second == [.send(UserAuthRequest(user: "bob", service: "ssh-connection", method: Self.probe).payload)])
        #expect(try Self.receive(&client, UserAuthPublicKeyOK(algorithm: "ssh-ed25519", key: [1]).payload) == [.probeAccepted])
        _ = client.attempt(user: "bob", method: Self.probe)
        #expect(try Self.receive(&client, UserAuthSuccess().payload) == [.granted])
        let user = client.finish()
        #expect(user.name == "bob")
    }

    static let accepted: [Stage: [UInt8]] = [.idle: [], .expectAccept: [6, 53], .expectAnswer: [51, 52, 53, 60], .ready: [53], .granted: []]

    @Test(arguments: Stage.allCases) func `refuses every other message number`(stage: Stage) throws {
        for number in UInt8.min...UInt8.max where Self.accepted[stage]?.contains(number) == false {
            var client = try Self.client(stage)
            #expect(throws: UserAuthError.unexpected(MessageNumber(rawValue: number), during: stage.rawValue)) {
                try Self.receive(&client, [number])
            }
        }
    }

    @Test func `refuses another service than it asked for`() throws {
        var client = try Self.client(.expectAccept)
        #expect(throws: UserAuthError.unknownService("ssh-connection")) {
            try Self.receive(&client, ServiceAccept(service: "ssh-connection").payload)
        }
    }

    static let wrongAnswers: [(UserAuthRequest.Method, UserAuthPublicKeyOK)] = [
        (.none, UserAuthPublicKeyOK(algorithm: "ssh-ed25519", key: [1])), (probe, UserAuthPublicKeyOK(algorithm: "ssh-ed25519", key: [2])),
        (probe, UserAuthPublicKeyOK(algorithm: "ssh-rsa", key: [1])),
        (.publicKey(algorithm: "ssh-ed25519", key: [1], signature: [1]), UserAuthPublicKeyOK(algorithm: "ssh-ed25519", key: [1])),
    ]

    @Test(arguments: wrongAnswers) func `refuses a PK_OK for what it did not probe`(method: UserAuthRequest.Method, answer: UserAuthPublicKeyOK) throws {
        var client = try Self.client(.expectAnswer, method)
        #expect(throws: UserAuthError.unexpected(.userAuthPublicKeyOK, during: Stage.expectAnswer.rawValue)) {
            try Self.receive(&client, answer.payload)
        }
    }
}
