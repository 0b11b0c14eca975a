import Linux
import Policy

/// Passes on what a command writes, up to its `output_limit`. The kernel moves the bytes from pipe to pipe: none is read here, and the
/// frontend, which reads them at the other end, has no say in how many there are.
struct OutputRelay {
    private struct Stream {
        /// Where the command's output is read.
        let source: Descriptor
        /// Where the frontend will find it.
        let sink: Descriptor
        /// There is something to move, but no room.
        var waitsForRoom = false
    }

    private var streams: [Stream]
    /// What may still be passed on, in bytes.
    private var remaining: UInt64
    /// The command wrote more than it may.
    private(set) var isOver = false

    /// More than a pipe holds.
    private static let mostAtOnce: UInt64 = 1 << 20

    init(_ pairs: [(source: Descriptor, sink: Descriptor)], limit: UInt64) {
        streams = pairs.map { Stream(source: $0.source, sink: $0.sink) }
        remaining = limit
    }

    /// Both streams have ended, or nobody reads them any more.
    var isDone: Bool { streams.isEmpty }

    /// Adds what it waits for.
    func wait(in poll: inout PollSet) {
        for stream in streams {
            if stream.waitsForRoom { poll.add(stream.sink, .writable, token: 0) } else { poll.add(stream.source, .readable, token: 0) }
        }
    }

    /// Moves what can be moved now, from each stream once. With more than the limit both end here.
    mutating func move() {
        var kept: [Stream] = []
        for var stream in streams where moves(&stream) { kept.append(stream) }
        streams = isOver ? [] : kept
    }

    /// - Returns: false at the stream's end.
    private mutating func moves(_ stream: inout Stream) -> Bool {
        do throws(Errno) {
            guard remaining > 0 else { return try isSilent(stream) }
            let count = try stream.source.splice(into: stream.sink, limit: Int(min(remaining, Self.mostAtOnce)))
            remaining -= UInt64(count ?? 0)
            stream.waitsForRoom = if count == nil { try stream.source.waitingBytes() > 0 } else { false }
            return count != 0
        } catch {
            // Nobody reads at the other end.
            return false
        }
    }

    /// With nothing left to give, one byte more is one too many.
    private mutating func isSilent(_ stream: Stream) throws(Errno) -> Bool {
        var byte: [UInt8] = [0]
        let count = try stream.source.read(into: &byte, byte.indices)
        if count == 1 { isOver = true }
        return count == nil
    }

    /// After the command has ended: whether it wrote more than it may. What it wrote within its limit is still passed on.
    mutating func settle() -> Bool {
        move()
        var waiting: UInt64 = 0
        for stream in streams {
            // A pipe that cannot be asked has nothing more to give.
            do throws(Errno) { waiting += UInt64(try stream.source.waitingBytes()) } catch {}
        }
        return isOver || waiting > remaining
    }
}
