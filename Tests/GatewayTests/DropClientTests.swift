import Foundation
import Linux
import Testing

@Suite("Drop accounts: other clients") struct DropClientTests {
    @Test func `PuTTY's pscp and psftp`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let (directory, gateway) = (account.gateway.directory, account.gateway)
            let key = "\(directory)/putty.ppk"
            let made = try run(["/usr/bin/puttygen", "-t", "ed25519", "-o", key, "--new-passphrase", "/dev/null", "-q"], environment: ["HOME=\(directory)"])
            #expect(made.code == 0, "\(made)")
            let line = try run(["/usr/bin/puttygen", "-L", key], environment: ["HOME=\(directory)"]).output
            try line.write(toFile: "\(directory)/alice.pub", atomically: false, encoding: .utf8)
            try gateway.apply(gateway.policy)
            let fingerprint = try run(["/usr/bin/ssh-keygen", "-l", "-f", "\(directory)/host.pub"]).output.split(separator: " ")[1]
            let options = ["-batch", "-noagent", "-hostkey", String(fingerprint), "-i", key, "-P", "\(gateway.port)", "-l", gateway.user.name]
            let bytes = try noise(200_000)
            let path = try account.file("a b.csv", bytes)
            for (mode, name) in [("-sftp", "x y"), ("-scp", "z")] {
                let sent = try run(["/usr/bin/pscp", "-p", mode] + options + [path, "127.0.0.1:\(name)"], environment: ["HOME=\(directory)"])
                #expect(sent.code == 0, "\(sent)")
                #expect(try account.received(name) == bytes)
            }
            let fetched = try run(["/usr/bin/pscp", "-scp"] + options + ["127.0.0.1:z", "\(path).back"], environment: ["HOME=\(directory)"])
            #expect(fetched.code == 0, "\(fetched)")
            #expect(try readFile("\(path).back", limit: 1 << 20) == bytes)
            let batch = try account.file("batch", Array("put \"\(path)\" c\nls\nmv c d\nget d \(directory)/d.back\nrm d\nquit\n".utf8))
            let outcome = try run(["/usr/bin/psftp", "-b", batch] + options + ["127.0.0.1"], environment: ["HOME=\(directory)"])
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try readFile("\(directory)/d.back", limit: 1 << 20) == bytes)
            #expect(try account.names == ["x y", "z"])
        }
    }

    @Test func `lftp`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let (directory, gateway) = (account.gateway.directory, account.gateway)
            let bytes = try noise(200_000)
            let path = try account.file("a.csv", bytes)
            let connect = "ssh -a -x -F \(directory)/ssh_config -i \(directory)/alice"
            let script = "set sftp:connect-program '\(connect)'; open -u \(gateway.user.name),none sftp://gateway; put \(path); ls; get a.csv -o \(path).back; mv a.csv b.csv; bye"
            let outcome = try run(["/usr/bin/lftp", "--norc", "-c", script], environment: ["HOME=\(directory)"])
            #expect(outcome.code == 0, "\(outcome)")
            #expect(try readFile("\(path).back", limit: 1 << 20) == bytes)
            #expect(try account.received("b.csv") == bytes)
        }
    }

    @Test(.enabled(if: PythonClients.areThere, PythonClients.whyNot)) func `a file may come from its end, and nothing that is written is nothing`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let outcome = try PythonClients.run("""
                import paramiko, paramiko.sftp as p, sys
                host, port, user, key, known, directory = sys.argv[1:]
                c = paramiko.SSHClient(); c.load_host_keys(known)
                c.connect(host, int(port), user, key_filename=key, allow_agent=False, look_for_keys=False)
                s = c.open_sftp()
                def write(f, offset, data): s._request(p.CMD_WRITE, f.handle, p.int64(offset), data)
                f = s.open('late', 'w')
                for i in range(1, 1500): write(f, i * 10, b'0123456789')
                write(f, 0, b'0123456789')
                f.close()
                f = s.open('backwards', 'w')
                for i in reversed(range(1500)): write(f, i * 10, b'0123456789')
                f.close()
                f = s.open('empty', 'w')
                write(f, 2000000, b'')
                f.close()
                print([s.stat(n).st_size for n in ('late', 'backwards', 'empty')])
                c.close()
                """, account.gateway)
            #expect(outcome.output == "[15000, 15000, 0]\n", "\(outcome)")
            let whole = Array(String(repeating: "0123456789", count: 1500).utf8)
            #expect(try account.received("late") == whole && account.received("backwards") == whole)
            #expect(try account.gateway.record("received") { $0["path"] == "empty" }.number("size") == 0)
        }
    }

    @Test(.enabled(if: PythonClients.areThere, PythonClients.whyNot)) func `a renamed directory is neither too deep nor being sent into, nor what a file stands for`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let outcome = try PythonClients.run("""
                import paramiko, sys
                host, port, user, key, known, directory = sys.argv[1:]
                c = paramiko.SSHClient(); c.load_host_keys(known)
                c.connect(host, int(port), user, key_filename=key, allow_agent=False, look_for_keys=False)
                s = c.open_sftp()
                def tried(what, *words):
                    try: return what(*words)
                    except IOError as error: return str(error)
                s.mkdir('a'); f = s.open('a/b', 'w'); f.write('content')
                print(tried(s.posix_rename, 'a', 'z'))
                f.close()
                print(tried(s.posix_rename, 'a', 'z'), s.listdir(), s.listdir('z'))
                # One below the other until no more go.
                path, depth = 'deep', 1
                s.mkdir(path)
                while tried(s.mkdir, path + '/d') is None: path += '/d'; depth += 1
                s.mkdir('z/y'); s.mkdir('z/y/x')
                print(depth, tried(s.posix_rename, 'z', path + '/z'), tried(s.posix_rename, 'deep/d', 'z/y/x/d'), tried(s.posix_rename, 'deep/d', 'half'))
                with s.open('file', 'w') as f: f.write('content')
                print(tried(s.posix_rename, 'half', 'file'), tried(s.posix_rename, 'half/', 'file/'), s.stat('file').st_size)
                c.close()
                """, account.gateway)
            #expect(outcome.output == """
                Failure: a file is being sent into it
                None ['z'] ['b']
                64 Bad message: the path has too many parts Failure: what is in it would be too deep None
                [Errno 2] No such file [Errno 2] No such file 7

                """, "\(outcome)")
        }
    }

    @Test func `asyncssh, by SFTP and scp`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let bytes = try noise(1 << 20)
            _ = try account.file("a", bytes)
            let outcome = try PythonClients.run("""
                import asyncio, asyncssh, sys
                host, port, user, key, known, directory = sys.argv[1:]
                async def main():
                    async with asyncssh.connect(host, port=int(port), username=user, known_hosts=known, client_keys=[key], config=None, agent_path=None) as c:
                        async with c.start_sftp_client() as sftp:
                            await sftp.put(directory + '/a', 'x')
                            await sftp.get('x', directory + '/x')
                            print(await sftp.listdir('.'), (await sftp.stat('x')).size, await sftp.getcwd())
                            await sftp.makedirs('d/e'); await sftp.posix_rename('x', 'd/e/y')
                            try: await sftp.symlink('/etc/passwd', 'l')
                            except asyncssh.SFTPError as error: print('symlink', error.code)
                            try: await sftp.link('d/e/y', 'l')
                            except asyncssh.SFTPError as error: print('link', error.code)
                            try: await sftp.open('d/e/y', 'a')
                            except asyncssh.SFTPError as error: print('append', error.code)
                        await asyncssh.scp(directory + '/a', (c, 'z'))
                        await asyncssh.scp((c, 'z'), directory + '/z')
                asyncio.run(main())
                """, account.gateway)
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.output.contains("'x'") && outcome.output.contains(" 1048576 /\nsymlink 8\nlink 8\nappend 8\n"), "\(outcome)")
            for path in ["x", "z"] { #expect(try readFile("\(account.gateway.directory)/\(path)", limit: 1 << 21) == bytes) }
            #expect(try account.received("d/e/y") == bytes)
        }
    }

    @Test(.enabled(if: PythonClients.areThere, PythonClients.whyNot)) func `paramiko`() throws {
        try DropAccount.serving(DropAccount.everything) { account throws in
            let bytes = try noise(1 << 20)
            _ = try account.file("a", bytes)
            let outcome = try PythonClients.run("""
                import paramiko, sys
                host, port, user, key, known, directory = sys.argv[1:]
                c = paramiko.SSHClient(); c.load_host_keys(known)
                c.connect(host, int(port), user, key_filename=key, allow_agent=False, look_for_keys=False)
                sftp = c.open_sftp()
                sftp.put(directory + '/a', 'x')
                sftp.get('x', directory + '/x')
                print(sftp.listdir(), sftp.stat('x').st_size, sftp.normalize('.'))
                with sftp.open('new', 'w') as f: f.write('hello')
                with sftp.open('new') as f: print(f.read())
                sftp.utime('new', (5, 6)); print(sftp.stat('new').st_mtime)
                try: sftp.truncate('new', 1)
                except IOError as error: print('truncate', error.errno)
                sftp.remove('new'); sftp.rename('x', 'y'); c.close()
                """, account.gateway)
            #expect(outcome.code == 0, "\(outcome)")
            #expect(outcome.output == "['x'] 1048576 /\nb'hello'\n6\ntruncate 13\n", "\(outcome)")
            #expect(try readFile("\(account.gateway.directory)/x", limit: 1 << 21) == bytes)
            #expect(try account.received("y") == bytes)
        }
    }
}
