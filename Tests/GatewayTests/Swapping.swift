/// A local user that without end puts the directory `real` beneath `root` in the place of `d`, takes it away, and puts a link to `outside` there.
///
/// - Parameter words: what this is run by, such as setpriv(1).
func startSwapping(in root: String, with outside: String, by words: [String] = []) throws -> RunningProgram {
    try RunningProgram(words + [
        "/usr/bin/python3", "-c",
        """
        import os, sys
        os.chdir(sys.argv[1])
        asides = 0
        while True:
            try:
                os.rename('real', 'd'); os.rename('d', 'real')
                os.symlink(sys.argv[2], 'd'); os.unlink('d')
            except OSError:
                # Somebody has made a directory of this name.
                asides += 1
                try: os.rename('d', f'aside{asides}')
                except OSError: pass
        """, root, outside,
    ])
}
