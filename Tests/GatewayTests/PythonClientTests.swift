import Testing

@Suite("M1: clients of other libraries", .enabled(if: PythonClients.areThere, PythonClients.whyNot)) struct PythonClientTests {
    private func expect(_ expected: String, of program: String) throws {
        try Gateway.serving { gateway in
            let outcome = try PythonClients.run("import sys\nhost, port, user, key, known, directory = sys.argv[1:]\n" + program, gateway)
            #expect(outcome.output == expected, "\(outcome)")
            #expect(outcome.code == 0, "\(outcome)")
        }
    }

    @Test func `asyncssh: mlkem768x25519-sha256`() throws {
        try expect("post-quantum 3\n", of: """
            import asyncio, asyncssh
            async def main():
                options = dict(port=int(port), username=user, known_hosts=None, config=None, agent_path=None)
                async with asyncssh.connect(host, client_keys=[key], kex_algs=['mlkem768x25519-sha256'], **options) as connection:
                    result = await connection.run("sh 'cat; exit 3'", input='post-quantum')
                    print(result.stdout, result.exit_status)
            asyncio.run(asyncio.wait_for(main(), 30))
            """)
    }

    @Test func `paramiko: streams apart, status, ten channels, new keys`() throws {
        try expect("in b'err' 9\n10\n6\n", of: """
            import paramiko
            def connect():
                c = paramiko.SSHClient(); c.load_host_keys(known)
                c.connect(host, int(port), user, key_filename=key, allow_agent=False, look_for_keys=False)
                return c
            c = connect()
            i, o, e = c.exec_command("sh 'cat; printf err >&2; exit 9'")
            i.write('in'); i.channel.shutdown_write()
            print(o.read().decode(), e.read(), o.channel.recv_exit_status())
            many = [c.exec_command("sh 'cat; exit %d'" % n) for n in range(10)]
            for n, (i, o, e) in enumerate(many): i.write(str(n)); i.channel.shutdown_write()
            print(sum(o.read().decode() == str(n) and o.channel.recv_exit_status() == n for n, (i, o, e) in enumerate(many)))
            c.close()
            # paramiko waits for itself when a channel closes meanwhile: here there is none yet.
            c = connect()
            c.get_transport().renegotiate_keys()
            i, o, e = c.exec_command("sh 'exit 6'")
            print(o.channel.recv_exit_status())
            c.close()
            """)
    }

    @Test func `asyncssh: outputs that have ended are told while the command goes on`() throws {
        try expect("b'hi\\n' b'' then 3\n", of: """
            import asyncio, asyncssh
            async def main():
                options = dict(port=int(port), username=user, known_hosts=None, config=None, agent_path=None)
                async with asyncssh.connect(host, client_keys=[key], **options) as connection:
                    process = await connection.create_process("sh 'echo hi; exec >&- 2>&-; cat >/dev/null; exit 3'", encoding=None)
                    out, err = await process.stdout.read(), await process.stderr.read()
                    # Only now does its input end.
                    process.stdin.write_eof()
                    await process.wait_closed()
                    print(out, err, 'then', process.exit_status)
            asyncio.run(asyncio.wait_for(main(), 30))
            """)
    }

    @Test func `paramiko: a channel that is open, and no more, keeps no connection`() throws {
        try Gateway.serving(.init(gateway: "idle_timeout = '1s'\nkeepalive = '30s'")) { gateway in
            let outcome = try PythonClients.run("""
                import paramiko, sys, time
                host, port, user, key, known, directory = sys.argv[1:]
                c = paramiko.SSHClient(); c.load_host_keys(known)
                c.connect(host, int(port), user, key_filename=key, allow_agent=False, look_for_keys=False)
                t = c.get_transport()
                channel = t.open_session()
                for _ in range(100):
                    if not t.is_active(): break
                    time.sleep(0.1)
                print(t.is_active())
                """, gateway)
            #expect(outcome.output == "False\n", "\(outcome)")
        }
    }

    @Test func `libssh: streams apart, status, half-close`() throws {
        try expect("b'in' b'err' 9\n", of: """
            from ssh.session import Session
            from ssh import options
            from ssh.key import import_privkey_file
            s = Session()
            s.options_set(options.HOST, host); s.options_set_port(int(port)); s.options_set(options.USER, user); s.options_set(options.KNOWNHOSTS, known)
            s.connect()
            s.userauth_publickey(import_privkey_file(key))
            c = s.channel_new(); c.open_session()
            c.request_exec("sh 'cat; printf err >&2; exit 9'")
            c.write(b'in'); c.send_eof()
            out, err = b'', b''
            while not c.is_eof():
                out += c.read()[1]; err += c.read(is_stderr=True)[1]
            print(out, err, c.get_exit_status())
            """)
    }

    /// It warns of curve25519 since there are post-quantum ones; DESIGN §5 offers it behind them, for clients that have no others.
    @Test func `ssh-audit warns of nothing but a curve alone`() throws {
        try Gateway.serving { gateway in
            let warnings = try Self.warnings(of: gateway)
            #expect(warnings.allSatisfy { $0.contains("curve25519-sha256") && $0.contains("post-quantum") } && warnings.count == 2, "\(warnings)")
        }
    }

    @Test func `with post-quantum methods alone nothing is left to warn of, and a client without them is told`() throws {
        try Gateway.serving(.init(gateway: "key_exchange = 'post-quantum'")) { gateway in
            #expect(try Self.warnings(of: gateway) == [])
            let welcome = try gateway.ssh("help", options: ["-v", "-o", "KexAlgorithms=sntrup761x25519-sha512@openssh.com"])
            #expect(welcome.code == 0 && welcome.errors.contains("kex: algorithm: sntrup761x25519-sha512@openssh.com"), "\(welcome)")
            let refused = try gateway.ssh("help", options: ["-o", "KexAlgorithms=curve25519-sha256", "-o", "LogLevel=INFO"])
            #expect(refused.code == 255)
            let offer = "mlkem768x25519-sha256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,ext-info-s"
            #expect(refused.errors.contains("no matching key exchange method found. Their offer: \(offer)"), "\(refused)")
            _ = try gateway.record("disconnect") { $0["reason"].hasPrefix("no common key exchange algorithm; theirs are curve25519-sha256,") }
        }
    }

    /// What ssh-audit warns of, or worse.
    private static func warnings(of gateway: Gateway) throws -> [String] {
        let outcome = try PythonClients.run(tool: "ssh-audit", ["--skip-rate-test", "-b", "-p", "\(gateway.port)", "127.0.0.1"], gateway)
        #expect(outcome.output.contains("(kex) mlkem768x25519-sha256") && outcome.output.contains("(key) ssh-ed25519"), "\(outcome)")
        return outcome.output.split(separator: "\n").map(String.init).filter { $0.contains("[warn]") || $0.contains("[fail]") }
    }
}
