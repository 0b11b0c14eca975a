// The drop account's file server: it runs as the target user in a sandbox of its own, in the directory that a client is shown as `/`.
//
// Standard input and output are the client's; descriptor 3 goes to the monitor, which is told of each file that is whole.
import Linux
import SCP
import SFTP
import Files

ignoreBrokenPipes()
// When the client goes its input ends, and what is on its way is given up in order. One that is stuck is killed a moment later.
ignoreTermination()
setFileCreationMask(0)
do throws(Settings.Fault) {
    let reporter = Reporter()
    let settings = try Settings(arguments: try reporter.settings())
    let files = try Inbox(settings, reporter)
    exitNow(serve(files, settings.program))
} catch {
    say(error.text)
    exitNow(125)
}

private func serve(_ files: Inbox, _ program: Settings.Program) -> Int32 {
    switch program {
    case .sftp: return run(SFTPServer(files: files, now: Clock.unixSeconds))
    case .sink(let path, let options): return run(SCPSink(files: files, target: path, options: options))
    case .source(let path, let options): return run(SCPSource(files: files, path: path, options: options))
    }
}

private func run(_ service: some FileService) -> Int32 {
    var loop = ServiceLoop(service: service)
    return loop.run()
}

/// Writes a line for the client's standard error.
func say(_ text: String) {
    // Nobody may hear it any more.
    do throws(Errno) { try Descriptor.standardError.writeAll(Array("postern: \(text)\n".utf8)) } catch {}
}
