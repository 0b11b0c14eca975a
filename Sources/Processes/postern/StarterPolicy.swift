/// The policy that `postern init` writes.
enum StarterPolicy {
    /// - Parameters:
    ///   - user: the unix user of the commands.
    ///   - publicKey: `type base64` of the first client key.
    static func text(user: String, publicKey: String) -> String {
        """
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
        may    = ["greet", "date"]

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

        [command.date]
        as      = "\(user)"
        summary = "tell the time"
        usage   = "date [--utc]"
        run     = ["/bin/date", "[--utc]"]
        stdin   = "none"
        timeout = "10s"

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

        """
    }
}
