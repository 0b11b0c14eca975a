import ArgumentParser
import Dispatch

/// Where `postern` begins. Commands run on the first thread, since those that handle signals must be alone; what waits for the network is a task.
@main enum Main {
    static func main() {
        do {
            var command = try Postern.parseAsRoot()
            guard command is any AsyncParsableCommand else { return try command.run() }
            Task {
                await Postern.main()
                Postern.exit()
            }
            dispatchMain()
        } catch {
            Postern.exit(withError: error)
        }
    }
}
