import Foundation
import Linux
import Policy

/// What a session told of itself.
struct SessionAnswer {
    /// As it was told: one line of JSON, in which nothing can move a cursor.
    let line: String
    /// The process that serves it.
    let process: Int32
    private let id: String
    /// Nil: said by a version that says it otherwise.
    private let content: Content?

    private struct Content: Decodable {
        var key: String?
        var login: String?
        var peer: String
        var proxy: String?
        var seconds: Int
        var bytes: UInt64
        var state: String
        var commands: [Command]
    }

    private struct Command: Decodable {
        var request: String
        var command: String
        var user: String
        var seconds: Int?
        var waits_for: String?
    }

    private static let longest = 128 * 1024
    /// A process that is stopped does not stop us.
    private static let patience: Duration = .seconds(2)

    static func isID(_ text: String) -> Bool { text.utf8.count == 8 && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 } }

    /// All sessions there are, the oldest first.
    static func all(in directory: String) throws(Failure) -> [SessionAnswer] {
        do throws(Errno) {
            let names = try openDirectory(directory).names().map { String(decoding: $0, as: UTF8.self) }.filter(isID)
            var answers: [SessionAnswer] = []
            for name in names { if let answer = try ask(name, in: directory) { answers.append(answer) } }
            return answers.sorted { ($1.seconds, $0.id) < ($0.seconds, $1.id) }
        } catch .notFound {
            return []
        } catch {
            throw Failure("\"\(directory)\": \(error)", hint: error == .accessDenied ? "ask as root, or as the user who runs the gateway" : nil)
        }
    }

    /// Asks one session; nil when it has gone.
    static func ask(_ id: String, in directory: String) throws(Errno) -> SessionAnswer? {
        let path = "\(directory)/\(id)"
        let socket: Descriptor
        do throws(Errno) {
            socket = try Descriptor.connectLocally(to: path)
        } catch .connectionRefused {
            // Its process was killed.
            try removeFile(path)
            return nil
        } catch .notFound {
            return nil
        }
        let process = try socket.peerProcess()
        var poll = PollSet()
        poll.add(socket, .readable, token: 0)
        guard try !poll.wait(timeout: patience).isEmpty else { return nil }
        do throws(DatagramError) {
            guard let datagram = try socket.receive(limit: longest), !datagram.isEnd else { return nil }
            return SessionAnswer(line: String(decoding: datagram.bytes, as: UTF8.self), process: process, id: id, content: decoded(datagram.bytes))
        } catch {
            return nil
        }
    }

    private static func decoded(_ bytes: [UInt8]) -> Content? {
        do { return try JSONDecoder().decode(Content.self, from: Data(bytes)) } catch { return nil }
    }

    private var seconds: Int { content?.seconds ?? 0 }

    /// A line for it, and one for each of its commands.
    var text: String {
        guard let content else { return "\(id)  answers in words of another version; \"--json\" shows them\n" }
        let who = [content.key, content.login.map { "as \($0)" }].compactMap(\.self).joined(separator: " ")
        let place = content.peer + (content.proxy.map { " by \($0)" } ?? "")
        let state = content.state == "open" ? "" : "  (\(content.state))"
        let head = "\(id)  \(who) from \(place)  \(Self.time(content.seconds))  \(Self.size(content.bytes))\(state)"
        let commands = content.commands.map { command in
            let time = command.seconds.map(Self.time) ?? "waits for the lock \"\(command.waits_for ?? "")\""
            return "          \(command.request)  \(command.command) as \(command.user)  \(time)"
        }
        return ([head] + commands).map { VisibleText.shortened(Array($0.utf8), limit: 400) + "\n" }.joined()
    }

    /// In its two largest units.
    private static func time(_ seconds: Int) -> String {
        switch seconds {
        case ..<60: "\(seconds)s"
        case ..<3600: "\(seconds / 60)m\(seconds % 60)s"
        case ..<86_400: "\(seconds / 3600)h\(seconds / 60 % 60)m"
        default: "\(seconds / 86_400)d\(seconds / 3600 % 24)h"
        }
    }

    private static func size(_ bytes: UInt64) -> String {
        let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        for (unit, shift) in units where bytes >> shift > 0 {
            let tenths = ((bytes >> (shift - 10)) * 10) >> 10
            return "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        return "\(bytes) B"
    }
}
