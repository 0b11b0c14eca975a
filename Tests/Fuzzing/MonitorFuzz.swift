import MonitorProtocol
import SSHWire

enum MonitorFuzz {
    /// Each step is a message; the kind says which of them it is.
    static func run(_ bytes: [UInt8]) {
        var gate = RequestGate()
        for step in Script(bytes) {
            do throws(WireError) {
                switch step.kind % 5 {
                case 0: admit(try same(step.bytes, { (bytes) throws(WireError) in try FrontendMessage(bytes: bytes) }, \.bytes), &gate)
                case 1: _ = try same(step.bytes, { (bytes) throws(WireError) in try MonitorMessage(bytes: bytes) }, \.bytes)
                case 2: _ = try same(step.bytes, { (bytes) throws(WireError) in try FilesMessage(bytes: bytes) }, \.bytes)
                case 3: _ = try same(step.bytes, { (bytes) throws(WireError) in try CheckVerdict(bytes: bytes) }, \.bytes)
                default: _ = try same(step.bytes, { (bytes) throws(WireError) in try FilesSettings(bytes: bytes) }, \.bytes)
                }
            } catch {}
        }
    }

    /// What is understood is written so that it is understood the same.
    private static func same<Message: Equatable>(_ bytes: [UInt8], _ read: ([UInt8]) throws(WireError) -> Message, _ write: (Message) -> [UInt8]) throws(WireError) -> Message {
        let message = try read(bytes)
        let again = try read(write(message))
        precondition(again == message, "\(message) is written otherwise than it was read")
        return message
    }

    private static func admit(_ request: FrontendMessage, _ gate: inout RequestGate) {
        do throws(GateError) {
            try gate.admit(request, age: .zero, movedBytes: 0)
            if case .authenticate = request { gate.userIsAuthenticated() }
        } catch {}
    }
}
