/// The policy that `postern init` writes.
public enum StarterPolicy {
    /// Where the repositories and the inboxes are, in the policy's directory.
    public static let (repositories, inboxes) = ("git", "drop")

    /// A policy for one key, with comments and tests: two harmless commands, a root of git repositories and a drop account.
    ///
    /// - Parameters:
    ///   - user: the unix user of the commands.
    ///   - publicKey: `type base64` of the first client key.
    ///   - directory: the policy's, absolute; ``repositories`` and ``inboxes`` are the user's there.
    public static func text(user: String, publicKey: String, directory: String) -> String {
        let path = directory.replacing("\\", with: #"\\"#).replacing("\"", with: #"\""#)
        return """
        # Who may run what on this host. Change it, then:
        #
        #   postern check      says what is wrong, and runs the tests at the end
        #   postern apply      makes it live
        #   postern explain --key me --login \(user) greet world
        #
        version = 1

        # ---- who: each key has a name, and the commands it may run ----

        [key.me]
        public = "\(publicKey)"
        may    = ["greet", "date", "repositories", "inbox"]

        # A key can be bound to places and times:
        #
        # [key.ci]
        # public  = "ssh-ed25519 AAAA…"
        # may     = ["greet"]
        # from    = ["192.0.2.0/24", "2001:db8::/32"]
        # expires = 2030-01-01T00:00:00Z

        # ---- what: each command is one program with arguments that are checked; no shell takes part ----

        [command.greet]
        as      = "\(user)"                # the unix user it runs as
        summary = "say hello to somebody"
        usage   = "greet <name>"           # what the client writes
        args    = { name = { match = '[A-Za-z][A-Za-z -]{0,39}' } }
        run     = ["/bin/echo", "hello,", "<name>"]
        stdin   = "none"
        timeout = "10s"
        directory = "/"                    # the user's home by default

        [command.date]
        as      = "\(user)"
        summary = "tell the time"
        usage   = "date [--utc]"
        run     = ["/bin/date", "[--utc]"]
        stdin   = "none"
        timeout = "10s"
        directory = "/"

        # git clone \(user)@gateway:team/app.git; the first push makes the repository

        [command.repositories]
        as      = "\(user)"
        summary = "work on what the team has"
        git     = { root = "\(path)/\(repositories)", repositories = ["team/**"], access = "write", create = true, refs = [{ match = "**", force = false }] }

        # scp report.csv \(user)@gateway:, or sftp; a file is there when it is whole, and nobody who sends can look

        [command.inbox]
        as      = "\(user)"
        summary = "send us reports"
        drop    = { root = "\(path)/\(inboxes)/<key>", max_file = "100MiB", quota = "1GiB", max_files = 1000, names = ["*.csv", "*.pdf", "*.txt"] }

        # ---- how: without "sandbox" a command runs in "tool", which reads the system's programs and nothing else.
        #      Give a command more by a sandbox of your own:
        #
        # [sandbox.app]
        # base  = "tool"
        # read  = ["/srv/app"]
        # write = ["/srv/app/data"]

        # ---- what must stay so: "check" and "apply" refuse a policy whose tests fail ----

        [[test]]
        key     = "me"
        login   = "\(user)"
        command = "greet world"
        expect  = "allow"
        argv    = ["/bin/echo", "hello,", "world"]

        [[test]]
        key     = "me"
        login   = "\(user)"
        command = "greet world; id"
        expect  = "refuse"
        reason  = "syntax"

        [[test]]
        key     = "me"
        login   = "\(user)"
        command = "greet --help"
        expect  = "refuse"
        reason  = "wrong-argument"

        [[test]]
        key     = "me"
        login   = "\(user)"
        command = "git-receive-pack 'team/app.git'"
        expect  = "allow"

        [[test]]
        key     = "me"
        login   = "\(user)"
        command = "git-upload-pack 'secret/plan.git'"
        expect  = "refuse"
        reason  = "no-repository"

        [[test]]
        key     = "me"
        login   = "\(user)"
        command = "scp -t ."
        expect  = "allow"

        [[test]]
        key     = "me"
        login   = "\(user)"
        command = "scp -f report.csv"
        expect  = "refuse"
        reason  = "drop"

        """
    }
}
