import Glibc
import Linux
import Testing

@Suite("sd_listen_fds(3)") struct ListenDescriptorTests {
    @Test func `sockets of a service manager are taken over once`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            // So that 3 is not the listener's own number. Where Dispatch was faster and has it, taking it away would end the process.
            guard open("/dev/null", O_RDONLY) == 3 else { exitNow(0) }
            let listener = try Descriptor.listen(on: SocketAddress(host: "127.0.0.1", port: 0))
            guard dup2(listener.number, 3) == 3 else { exitNow(1) }
            setenv("LISTEN_PID", "\(processID)", 1)
            setenv("LISTEN_FDS", "1", 1)
            let taken = try takeListenDescriptors()
            guard try taken.map({ try $0.localAddress() }) == [try listener.localAddress()] else { exitNow(2) }
            withExtendedLifetime(taken) { guard taken[0].number == 3, fcntl(3, F_GETFD) == FD_CLOEXEC else { exitNow(3) } }
            guard try takeListenDescriptors().isEmpty, Environment.value(of: "LISTEN_FDS") == nil else { exitNow(4) }
            exitNow(0)
        }
    }

    static let others: [(pid: String, count: String)] = [("1", "1"), ("", "1"), ("x", "1")]

    @Test func `those of another process are left alone`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            for (pid, count) in ListenDescriptorTests.others {
                setenv("LISTEN_PID", pid, 1)
                setenv("LISTEN_FDS", count, 1)
                guard try takeListenDescriptors().isEmpty else { exitNow(1) }
            }
            exitNow(0)
        }
    }

    @Test func `a number that makes no sense is an error`() async {
        await #expect(processExitsWith: .exitCode(0)) {
            for count in ["-1", "x", "100000"] {
                setenv("LISTEN_PID", "\(processID)", 1)
                setenv("LISTEN_FDS", count, 1)
                do throws(Errno) {
                    _ = try takeListenDescriptors()
                    exitNow(1)
                } catch .invalidArgument {
                } catch { exitNow(2) }
            }
            exitNow(0)
        }
    }
}
