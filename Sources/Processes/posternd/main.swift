// posternd: accepts connections, or serves the one on its standard input (DESIGN §2, §6).
import Linux

private let exitTemporary: Int32 = 111
private let exitUsage: Int32 = 100
private let version = "0.1"
private let software = "Postern_\(version)"

private func stop(_ text: String, _ status: Int32) -> Never {
    Log.complain(text)
    exitNow(status)
}

private func serve(_ arrival: Arrival, _ options: Options, _ prepared: Preparation) throws {
    var monitor = try Monitor(options, arrival, prepared)
    try monitor.run()
    if !monitor.endedWell { exitNow(exitTemporary) }
}

private func serve(_ options: Options) -> Never {
    do {
        ignoreBrokenPipes()
        let log = try Log(options)
        let listeners = try takeListenDescriptors()
        if options.listen.isEmpty && listeners.isEmpty {
            guard Descriptor.standardInput.isSocket else {
                stop("standard input is no connection; use --listen, or see posternd(8)", exitUsage)
            }
            if options.isWaiting {
                // Started by a listener, mostly before there is a client.
                let prepared = try Preparation(options)
                guard let handOver = try prepared.waitForConnection(on: .standardInput) else { exitNow(0) }
                try serve(try Arrival(handOver, options, log, software: software), options, prepared)
            } else {
                // The client has its first line before the rest is prepared.
                let arrival = try Arrival(HandOver(.standardInput), options, log, software: software)
                Preparation.enterGroup(log)
                try serve(arrival, options, try Preparation(options))
            }
        } else {
            var listener = try Listener(options, sockets: listeners, log: log, software: software)
            try listener.run()
        }
        exitNow(0)
    } catch is Arrival.TurnedAway {
        exitNow(0)
    } catch let fault as Fault {
        stop(fault.text, fault.isTemporary ? exitTemporary : exitUsage)
    } catch {
        stop("\(error)", exitTemporary)
    }
}

do throws(Options.Fault) {
    switch try Options.parse(Array(CommandLine.arguments.dropFirst())) {
    case .printVersion: print("posternd \(version)")
    case .printUsage: print(Options.usage, terminator: "")
    case .run(let options): serve(options)
    }
} catch {
    Log.complain(error.text)
    for line in Options.usage.split(separator: "\n") { Log.complain(String(line)) }
    exitNow(exitUsage)
}
