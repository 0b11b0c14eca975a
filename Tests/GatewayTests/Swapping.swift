/// A local user that without end puts the directory `real` beneath `root` in the place of `d`, takes it away, and puts a link to `outside` there.
func startSwapping(in root: String, with outside: String) throws -> RunningProgram {
    try RunningProgram([
        "/usr/bin/python3", "-c",
        """
        import os, sys
        os.chdir(sys.argv[1])
        os.rmdir('d')
        while True:
            try:
                os.rename('real', 'd'); os.rename('d', 'real')
                os.symlink(sys.argv[2], 'd'); os.unlink('d')
            except OSError: pass
        """, root, outside,
    ])
}
