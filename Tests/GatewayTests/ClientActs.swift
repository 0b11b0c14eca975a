/// What clients of other libraries are made to do: a program of Python that does the same with each, and says what came of it.
enum ClientActs {
    /// After the words of ``PythonClients``: `LIBRARY ACT...`, an act being its name and its words.
    static let program = #"""
        import asyncio, hashlib, os, sys, tempfile, threading
        host, port, user, key, known, directory, library = sys.argv[1:8]
        port = int(port)

        def line(script): return "sh '" + script.replace("'", "'\\''") + "'"

        class Paramiko:
            def __init__(self, rekey):
                import paramiko
                self.keys = 0
                old = paramiko.Transport._set_K_H
                def counted(transport, k, h):
                    self.keys += 1
                    old(transport, k, h)
                paramiko.Transport._set_K_H = counted
                if rekey: paramiko.packet.Packetizer.REKEY_BYTES = rekey
                self.client = paramiko.SSHClient()
                self.client.load_host_keys(known)
                self.client.connect(host, port, user, key_filename=key, allow_agent=False, look_for_keys=False)
            def exchanges(self): return self.keys
            def open(self, script, window=None, packet=None):
                channel = self.client.get_transport().open_session(window, packet)
                channel.exec_command(line(script))
                return channel
            def write(self, channel, data):
                # Of what is left it makes a copy each time.
                for at in range(0, max(len(data), 1), 1 << 18): (channel.sendall if data else channel.send)(data[at:at + (1 << 18)])
            def end(self, channel): channel.shutdown_write()
            def finish(self, channel, data=b''):
                err = []
                threads = [threading.Thread(target=lambda: err.append(channel.makefile_stderr('rb').read()))]
                if data: threads.append(threading.Thread(target=lambda: (self.write(channel, data), self.end(channel))))
                for thread in threads: thread.start()
                out = channel.makefile('rb').read()
                for thread in threads: thread.join()
                return out, err[0], channel.recv_exit_status()

        class AsyncSSH:
            def __init__(self, rekey):
                import asyncssh
                self.keys = 0
                old = asyncssh.connection.SSHConnection.send_newkeys
                def counted(*words):
                    self.keys += 1
                    return old(*words)
                asyncssh.connection.SSHConnection.send_newkeys = counted
                self.loop = asyncio.new_event_loop()
                threading.Thread(target=self.loop.run_forever, daemon=True).start()
                options = {'rekey_bytes': rekey} if rekey else {}
                self.connection = self.wait(asyncssh.connect(
                    host, port, username=user, client_keys=[key], known_hosts=known, config=None, agent_path=None, **options))
            def exchanges(self): return self.keys
            def wait(self, act):
                async def awaited(): return await act
                return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result(300)
            def open(self, script, **sizes):
                names = {'window': 'window', 'packet': 'max_pktsize'}
                return self.wait(self.connection.create_process(line(script), encoding=None, **{names[name]: size for name, size in sizes.items()}))
            def write(self, process, data):
                async def act():
                    process.stdin.write(data)
                    await process.stdin.drain()
                self.wait(act())
            def end(self, process):
                async def act(): process.stdin.write_eof()
                self.wait(act())
            def finish(self, process, data=b''):
                out, err = self.wait(process.communicate(data) if data else process.communicate())
                return out, err, process.exit_signal[0] if process.exit_signal else process.exit_status

        class LibSSH:
            def __init__(self, rekey):
                from ssh import options, session
                from ssh.key import import_privkey_file
                self.session = s = session.Session()
                s.options_set(options.HOST, host); s.options_set_port(port); s.options_set(options.USER, user); s.options_set(options.KNOWNHOSTS, known)
                if rekey is not None:
                    # It says on standard error when there are new keys.
                    self.said = tempfile.TemporaryFile()
                    os.dup2(self.said.fileno(), 2)
                    s.options_set_int_val(options.LOG_VERBOSITY, 3)
                # An integer of eight bytes, as text.
                if rekey: s.options_set(options.REKEY_DATA, rekey.to_bytes(8, 'little').decode())
                s.connect()
                s.userauth_publickey(import_privkey_file(key))
            def exchanges(self):
                self.said.seek(0)
                return self.said.read().count(b'SSH_MSG_NEWKEYS sent')
            def open(self, script):
                channel = self.session.channel_new()
                channel.open_session()
                channel.request_exec(line(script))
                return channel
            def write(self, channel, data): channel.write(data)
            def end(self, channel): channel.send_eof()
            def finish(self, channel, data=b''):
                from ssh.exceptions import EOF
                def read(wait, is_stderr=False):
                    try: return channel.read_timeout(wait, 1 << 20, is_stderr)[1]
                    except EOF: return b''
                # It is for one thread: what is written and what is read take turns.
                out, err, at = bytearray(), bytearray(), 0
                while not channel.is_eof():
                    if at < len(data):
                        room = min(channel.window_size(), 32768)
                        if room: at += channel.write(data[at:at + room])[1]
                        if at == len(data): channel.send_eof()
                    out += read(0 if at < len(data) else 10)
                    err += read(0, True)
                while not channel.is_closed(): channel.poll_timeout(10)
                status, signal, _ = channel.get_exit_state()
                return bytes(out), bytes(err), signal.decode() if signal else status

        def client(rekey=None): return {'paramiko': Paramiko, 'asyncssh': AsyncSSH, 'libssh': LibSSH}[library](rekey)
        shared = None
        def one():
            global shared
            shared = shared or client()
            return shared

        def status(script): return one().finish(one().open(script))[2]
        def carried(size, by, script='exec cat'):
            data = os.urandom(size)
            out, err, status = by.finish(by.open(script), data)
            same = hashlib.sha256(out).digest() == hashlib.sha256(data).digest()
            return same and err == b'' and status == 0
        def fed(channel, *pieces):
            for piece in pieces: one().write(channel, piece)
            one().end(channel)
            return one().finish(channel)

        def streams(): return fed(one().open('cat; printf err >&2; exit 9'), b'in')
        def statuses(first, last): return all(status(f'exit {n}') == n for n in range(int(first), int(last) + 1))
        def signal(): return status('kill -KILL $$')
        def bulk(size): return carried(int(size), one())
        def halfclose(): return fed(one().open('cat; echo then; echo said >&2'), b'heard\n')
        def deaf():
            channel = one().open('exec 0<&-; sleep 0.05; echo deaf')
            one().write(channel, b'lost')
            return one().finish(channel)
        def channels(count):
            opened = [one().open(f'cat; exit {n}') for n in range(int(count))]
            for n, channel in enumerate(opened): one().write(channel, b'%d' % n)
            for channel in opened: one().end(channel)
            return all(one().finish(channel) == (b'%d' % n, b'', n) for n, channel in enumerate(opened))
        def sessions(count): return all(status(f'exit {n % 256}') == n % 256 for n in range(int(count)))
        def writes(ones, huge):
            channel = one().open('wc -c')
            one().write(channel, b'')
            for n in range(int(ones)): one().write(channel, b'x')
            one().write(channel, b'')
            return int(one().finish(channel, b'y' * int(huge))[0]) == int(ones) + int(huge)
        def windows(*sizes):
            def came(lines, window, packet): return one().finish(one().open(f'seq {lines}', window=int(window), packet=int(packet)))[0]
            return all(came(*size.split('/')) == b''.join(b'%d\n' % n for n in range(1, int(size.split('/')[0]) + 1)) for size in sizes)
        def rekeys(size, of_client, least):
            by = client(int(of_client))
            # Paramiko waits for itself, 30 s, when the channel is closed while it wants new keys: with any server.
            return carried(int(size), by, 'cat; sleep 1') and by.exchanges() > int(least)
        def leave(mark):
            one().open(f'sleep {mark}')
            print('gone', flush=True)
            os._exit(0)

        for act in sys.argv[8:]:
            name, *words = act.split()
            print(act, globals()[name](*words), sep=': ', flush=True)
        # Threads of the clients do not keep it.
        os._exit(0)
        """#
}
