import Linux
import Sandbox
import Testing

extension Hostile {
    @Suite("A listener outlives all its frontends") struct Listening {
        @Test(arguments: Role.available)
        func `two hundred hostile connections leave no process and no descriptor`(role: Role) throws {
            let site = try Site.shared.get()
            let log = try memoryFile(named: "log")
            let listener = try Victim.start(site, role, "policy", "hostile", connection: try openFile("/dev/null"), log: log, ["--listen", "127.0.0.1:0"])
            defer { do { try listener.sendSignal(.kill) } catch {} }
            let address = try listeningAddress(log)
            try one(address, 0)
            try expectEventually { children(of: listener).isEmpty }
            // But for those to the processes that wait.
            func ownDescriptors() -> Int { descriptors(of: listener).count - waiting(below: listener).count }
            let descriptorsBefore = ownDescriptors()
            for number in 1...200 { try one(address, number) }
            try expectEventually { children(of: listener).isEmpty }
            // One that was about to wait when they were counted may have been among them.
            try expectEventually { ownDescriptors() <= descriptorsBefore }
            try listener.sendSignal(.terminate)
            #expect(try waitForExit(listener).status == .exited(0))
            #expect(leftovers(site, "none") == [])
        }

        /// A client that makes its frontend break a rule, go, or stop in the middle, and waits for the end.
        private func one(_ address: SocketAddress, _ number: Int) throws {
            let connection = try Descriptor.connect(to: address)
            let orders: [[UInt8]] = [[1, 0, 0, 0, 1, 0], [7, 0, 0, 0, 0], [6, 0, 0, 0, 0], [8, 0, 0, 0, 0], [2, 0, 0, 0, 5, 7, 0, 0, 0, 0], [3, 0, 0, 0, 0]]
            try connection.writeAll(orders[number % orders.count])
            var buffer = [UInt8](repeating: 0, count: 4096)
            while try wait(for: connection, .readable) {
                if try readOnce(connection, &buffer) == 0 { return }
            }
            Issue.record("connection \(number) does not end")
        }

        private func listeningAddress(_ log: Descriptor) throws -> SocketAddress {
            let deadline = Clock.monotonic + Victim.patience
            while Clock.monotonic < deadline {
                let text = String(decoding: try readFile("/proc/self/fd/\(log.number)", limit: 1 << 20), as: UTF8.self)
                if let line = text.split(separator: "\n").first(where: { $0.contains("listening on ") }), let word = line.split(separator: " ").last,
                    let address = SocketAddress(String(word))
                {
                    return address
                }
            }
            throw Victim.Fault.silence
        }

        private func expectEventually(_ condition: () throws -> Bool) throws {
            let deadline = Clock.monotonic + .seconds(10)
            while try !condition() {
                guard Clock.monotonic < deadline else {
                    Issue.record("it does not come true")
                    return
                }
            }
        }
    }
}

/// The processes that a process has started and that are still there, by number, without those that wait for a connection to come.
private func children(of process: ChildProcess) -> [String] { allChildren(of: process).filter { !isWaiting($0) } }

/// Those that wait for one.
private func waiting(below process: ChildProcess) -> [String] { allChildren(of: process).filter(isWaiting) }

private func isWaiting(_ pid: String) -> Bool { read("/proc/\(pid)/comm") == "postern-waiting\n" }

private func allChildren(of process: ChildProcess) -> [String] {
    read("/proc/\(process.pid)/task/\(process.pid)/children").split(separator: " ").map(String.init)
}

/// Nothing, where the process has gone.
private func read(_ path: String) -> String {
    do { return String(decoding: try readFile(path, limit: 1 << 16), as: UTF8.self) } catch { return "" }
}
