import Arrivals
import Linux
import Policy

/// What the table of connections says beside the sessions: who has not logged in yet, and who is turned away.
///
/// It is read without its lock: whoever asks holds nobody up.
struct ArrivalAnswer {
    private let snapshot: ArrivalSnapshot

    /// - Parameter state: the directory that posternd was given as `--state`.
    init(in state: String) throws(Failure) {
        do throws(Errno) {
            let file = try openFile("\(state)/arrivals", [.noFollow])
            var bytes = [UInt8](repeating: 0, count: ArrivalLayout.fileBytes)
            let count = try file.read(at: 0, into: &bytes, bytes.indices)
            let all = ArrivalSnapshot(bytes: Array(bytes[..<count]), now: Clock.monotonic.wholeMilliseconds)
            var owned: Set<Int> = []
            for one in all.waiting where try file.isByteLocked(at: UInt64(ArrivalLayout.offset(ofPlace: one.place))) { owned.insert(one.place) }
            snapshot = ArrivalSnapshot(waiting: all.waiting.filter { owned.contains($0.place) }, turnedAway: all.turnedAway)
        } catch .notFound where Machine.isDirectory(state) {
            snapshot = ArrivalSnapshot(waiting: [], turnedAway: [])
        } catch .notFound {
            throw Failure("\"\(state)\" is not there, so no gateway has its state in it", hint: "is it running, and as which user? \"--state\" names the directory that posternd was given")
        } catch {
            throw Failure("\"\(state)/arrivals\": \(error)", hint: error == .accessDenied ? "ask as root, or as the user who runs the gateway" : nil)
        }
    }

    /// A line for each source.
    var text: String {
        let waiting = Dictionary(grouping: snapshot.waiting) { $0.source }.sorted { $0.value[0].seconds > $1.value[0].seconds }.map { source, those in
            let count = "\(those.count) connection\(those.count == 1 ? "" : "s")"
            return "          \(count) from \(Self.name(source)) not logged in, for \(those[0].seconds)s"
        }
        let turnedAway = snapshot.turnedAway.map { "          \(Self.name($0.source)) turned away \($0.offence.cause), for \($0.secondsLeft)s more" }
        return (waiting + turnedAway).map { $0 + "\n" }.joined()
    }

    /// A JSON object on a line for each connection, and for each source that is turned away.
    var lines: [String] {
        let waiting = snapshot.waiting.map { one -> JSONText in
            ["state": "unauthenticated", "source": one.source.map { .string("\($0.network)") } ?? .null, "seconds": .integer(Int64(one.seconds))]
        }
        let turnedAway = snapshot.turnedAway.map { one -> JSONText in
            ["state": "turned_away", "source": .string("\(one.source.network)"), "reason": .string("\(one.offence)"), "seconds_left": .integer(Int64(one.secondsLeft))]
        }
        return (waiting + turnedAway).map(\.description)
    }

    private static func name(_ source: Source?) -> String { source.map { "\($0.network)" } ?? "exempt addresses" }
}
