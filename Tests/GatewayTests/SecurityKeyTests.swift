import Testing

@Suite("DESIGN §3.1: security keys") struct SecurityKeyTests {
    private static let policy = TestPolicy(
        keys: [
            .init(name: "touched", lines: "may = ['sh']", isSecurityKey: true),
            .init(name: "resting", lines: "may = ['sh']\ntouch = false", isSecurityKey: true),
            .init(name: "known", lines: "may = ['sh']\npin = true", isSecurityKey: true),
            .init(name: "knowing", lines: "may = ['sh']\ntouch = false\npin = true", isSecurityKey: true),
        ])

    /// A key of the policy, what the device says of its use, and why it is refused; nil: it is not. 1: touched; 4: its user was verified.
    static let cases: [(key: String, flags: UInt8, reason: String?)] = [
        ("touched", 1, nil), ("touched", 5, nil), ("touched", 0, "the security key was not touched"), ("touched", 4, "the security key was not touched"),
        ("resting", 0, nil), ("resting", 1, nil),
        ("known", 5, nil), ("known", 1, "the security key did not verify its user"), ("known", 4, "the security key was not touched"),
        ("knowing", 4, nil), ("knowing", 0, "the security key did not verify its user"), ("knowing", 0xfb, "the security key did not verify its user"),
    ]

    @Test func `open what they may when they are used as the policy wants`() throws {
        try Gateway.serving(Self.policy) { gateway in
            for (key, flags, reason) in Self.cases {
                let outcome = try gateway.ssh(Gateway.line("echo in"), key: key, options: try SoftwareSecurityKey.options, environment: SoftwareSecurityKey.saying(flags))
                let record = try #require(try gateway.records("authentication").last)
                #expect(outcome.output == (reason == nil ? "in\n" : ""), "\(key) with \(flags): \(outcome)")
                #expect(record["reason"] == reason ?? "" && record["result"] == (reason == nil ? "granted" : "refused"), "\(key) with \(flags): \(record["reason"])")
                #expect(record["stage"] == (reason == nil ? "" : "signature"))
            }
        }
    }

    @Test func `what the client itself asks of the device is enough`() throws {
        try Gateway.serving(Self.policy) { gateway in
            let outcome = try gateway.ssh(Gateway.line("echo $POSTERN_KEY"), key: "touched", options: try SoftwareSecurityKey.options)
            #expect(outcome.output == "touched\n", "\(outcome)")
        }
    }
}
