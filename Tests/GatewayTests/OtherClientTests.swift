import Foundation
import Linux
import Testing

/// Dropbear's client with an ed25519 key of its own make, called `dropbear` in the policy once it is allowed.
struct DropbearClient {
    private let gateway: Gateway

    init(_ gateway: Gateway) throws {
        self.gateway = gateway
        let made = try GatewayTests.run(["/usr/bin/dropbearkey", "-t", "ed25519", "-f", "\(gateway.directory)/dropbear"])
        guard let line = made.output.split(separator: "\n").first(where: { $0.hasPrefix("ssh-ed25519 ") }) else { throw Trouble("dropbearkey: \(made)") }
        try String(line).write(toFile: "\(gateway.directory)/dropbear.pub", atomically: false, encoding: .utf8)
    }

    func run(_ line: [String], login: String? = nil, input: Input = .nothing) throws -> Outcome {
        let options = ["-y", "-y", "-T", "-i", "\(gateway.directory)/dropbear", "-p", "\(gateway.port)", "-l", login ?? gateway.user.name]
        return try GatewayTests.run(["/usr/bin/dbclient"] + options + ["127.0.0.1"] + line, environment: ["HOME=\(gateway.directory)"], input: input)
    }
}

@Suite("M1: other clients run commands") struct OtherClientTests {
    private static let script = "echo out; cat; echo err >&2; exit 9"

    @Test func `Dropbear's`() throws {
        try Gateway.serving { gateway in
            let client = try DropbearClient(gateway)
            try gateway.apply(TestPolicy(keys: [.init(name: "dropbear", lines: "may = ['sh']")]))
            let outcome = try client.run([Gateway.line(Self.script)], input: .bytes(Array("in\n".utf8)))
            #expect(outcome.output == "out\nin\n")
            #expect(outcome.errors.hasSuffix("err\n"), "\(outcome)")
            #expect(outcome.code == 9)
        }
    }

    @Test func `PuTTY's`() throws {
        try Gateway.serving { gateway in
            let (directory, key) = (gateway.directory, "\(gateway.directory)/putty.ppk")
            let made = try run(["/usr/bin/puttygen", "-t", "ed25519", "-o", key, "--new-passphrase", "/dev/null", "-q"], environment: ["HOME=\(directory)"])
            #expect(made.code == 0, "\(made)")
            let line = try run(["/usr/bin/puttygen", "-L", key], environment: ["HOME=\(directory)"]).output
            try line.write(toFile: "\(directory)/putty.pub", atomically: false, encoding: .utf8)
            try gateway.apply(TestPolicy(keys: [.init(name: "putty", lines: "may = ['sh']")]))
            let fingerprint = try run(["/usr/bin/ssh-keygen", "-l", "-f", "\(directory)/host.pub"]).output.split(separator: " ")[1]
            let options = ["-batch", "-ssh", "-noagent", "-hostkey", String(fingerprint), "-i", key, "-P", "\(gateway.port)", "-l", gateway.user.name]
            let words = ["/usr/bin/plink"] + options + ["127.0.0.1", Gateway.line(Self.script)]
            let outcome = try run(words, environment: ["HOME=\(directory)"], input: .bytes(Array("in\n".utf8)))
            #expect(outcome.output == "out\nin\n", "\(outcome)")
            #expect(outcome.errors.hasSuffix("err\n"))
            #expect(outcome.code == 9)
        }
    }

    /// What OpenSSH's client cannot be made to send.
    private static let program = """
        import asyncio, asyncssh, sys
        host, port, user, key, hostkey = sys.argv[1:]

        class Session(asyncssh.SSHClientSession): pass

        async def main():
            options = dict(port=int(port), username=user, known_hosts=([asyncssh.read_public_key(hostkey)], [], []), config=None, agent_path=None)
            # A password is refused; only keys may go on.
            try:
                async with asyncssh.connect(host, password='secret', client_keys=None, preferred_auth='password', **options): print('password taken')
            except asyncssh.PermissionDenied as error: print('password refused')
            async with asyncssh.connect(host, client_keys=[key], **options) as connection:
                # A listed signal arrives; one that is not listed does not.
                async with connection.create_process("sh 'trap \\"echo got TERM; exit 4\\" TERM; trap \\"echo got INT\\" INT; echo up; while :; do sleep 0.05; done'") as process:
                    print(await process.stdout.readline(), end='')
                    process.send_signal('INT')
                    process.send_signal('TERM')
                    result = await process.wait()
                    print(result.stdout, end='')
                    print('status', result.exit_status)
                # Death by a signal has its name.
                result = await connection.run("sh 'kill -KILL $$'")
                print('signal', result.exit_signal[0], result.exit_status)
                # A second program on the same channel is refused, and the first goes on.
                channel, _ = await connection.create_session(Session, "sh 'cat; exit 6'")
                again = await channel._make_request(b'exec', asyncssh.packet.String("sh 'echo second'"))
                print('second', again)
                channel.write_eof()
                await channel.wait_closed()
                print('first', channel.get_exit_status())
                # Forwarding is refused both ways, and the connection goes on.
                try:
                    await connection.open_connection('127.0.0.1', int(port))
                    print('forwarded')
                except asyncssh.ChannelOpenError as error: print('channel refused')
                try:
                    await connection.forward_remote_port('', 0, '127.0.0.1', 1)
                    print('listening')
                except asyncssh.ChannelListenError as error: print('listening refused')
                result = await connection.run("sh 'echo last'")
                print(result.stdout, end='')
        asyncio.run(asyncio.wait_for(main(), 30))
        """

    @Test func `asyncssh: signals, a second program, a password, forwarding`() throws {
        let commands = TestPolicy.command(
            "sh", usage: "sh <script>", run: ["/bin/sh", "-c", "<script>"], lines: "args = { script = { match = '.*' } }\nsignals = ['TERM']")
        try Gateway.serving(.init(commands: commands)) { gateway in
            let (directory, script) = (gateway.directory, "\(gateway.directory)/client.py")
            try Self.program.write(toFile: script, atomically: false, encoding: .utf8)
            let words = ["127.0.0.1", "\(gateway.port)", gateway.user.name, "\(directory)/alice", "\(directory)/host.pub"]
            let outcome = try run(["/usr/bin/python3", "-W", "ignore", script] + words, environment: ["HOME=\(directory)"])
            #expect(
                outcome.output == """
                    password refused
                    up
                    got TERM
                    status 4
                    signal KILL -1
                    second False
                    first 6
                    channel refused
                    listening refused
                    last

                    """, "\(outcome)")
        }
    }
}
