import Files
import Peers
import SCP
import SFTP

enum FilesFuzz {
    /// Each step is bytes of the client, whole packets or not.
    static func sftp(_ bytes: [UInt8]) {
        let files = MemoryFiles()
        files.state.files[MemoryFiles.path("/a")] = [1, 2, 3]
        files.state.longest = 1 << 20
        serve(SFTPServer(files: files, now: 1_700_000_000), Script(bytes).map(\.bytes))
    }

    /// The first byte says which side and options, the others are the client's.
    static func scp(_ bytes: [UInt8]) {
        var script = Script(bytes)
        let flags = script.byte()
        let options = SCPOptions(isRecursive: flags & 1 != 0, keepsTimes: flags & 2 != 0, targetIsDirectory: flags & 4 != 0)
        let files = MemoryFiles()
        files.state.longest = 1 << 20
        files.state.files[MemoryFiles.path("/a")] = [1, 2, 3]
        let path = MemoryFiles.path(flags & 16 != 0 ? "/a" : "/")
        if flags & 8 != 0 {
            serve(SCPSource(files: files, path: path, options: options), script.map(\.bytes))
        } else {
            serve(SCPSink(files: files, target: path, options: options), script.map(\.bytes))
        }
    }

    private static func serve(_ service: some FileService, _ pieces: [[UInt8]]) {
        var service = service
        var unread: [UInt8] = []
        do throws(ServiceError) {
            for piece in pieces {
                unread += piece
                var taken = 0
                repeat {
                    taken = try service.receive(unread, unread.indices)
                    precondition(taken <= unread.count, "more was taken than came")
                    unread.removeFirst(taken)
                    service.advance()
                    precondition(service.output.count <= ServiceLimit.output + ServiceLimit.packet, "output without a limit")
                    service.didSendOutput()
                    _ = service.takeNotes()
                    if service.status != nil { return }
                } while taken > 0 && !unread.isEmpty
                if unread.count > 2 * ServiceLimit.packet { return }
            }
        } catch {}
        _ = service.end()
    }
}
