import SSHTransport
import SSHWire

enum WireFuzz {
    private static let messages: [any WireMessage.Type] = [
        Disconnect.self, Unimplemented.self, ServiceRequest.self, ServiceAccept.self, ExtInfo.self, KexInit.self, NewKeys.self,
        KexECDHInit.self, KexECDHReply.self, UserAuthRequest.self, UserAuthFailure.self, UserAuthSuccess.self, UserAuthBanner.self,
        UserAuthPublicKeyOK.self, GlobalRequest.self, RequestSuccess.self, RequestFailure.self, ChannelOpen.self, ChannelOpenConfirmation.self,
        ChannelOpenFailure.self, ChannelWindowAdjust.self, ChannelData.self, ChannelExtendedData.self, ChannelEOF.self, ChannelClose.self,
        ChannelRequest.self, ChannelSuccess.self, ChannelFailure.self, Ping.self, Pong.self,
    ]

    static func run(_ bytes: [UInt8]) {
        for message in messages where message.number.rawValue == bytes.first { parse(message, bytes) }
        do throws(IdentificationError) { _ = try Identification(parsing: bytes) } catch {}
    }

    /// What is understood is written so that it is understood the same.
    private static func parse<Message: WireMessage>(_ type: Message.Type, _ bytes: [UInt8]) {
        do throws(WireError) {
            let message = try Message(payload: bytes)
            let written = message.payload
            let again = try Message(payload: written)
            precondition(again == message && again.payload == written, "\(type) is written otherwise than it was read")
        } catch {}
    }
}
