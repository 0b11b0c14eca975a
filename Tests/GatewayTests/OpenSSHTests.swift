import Linux
import Testing

@Suite("OpenSSH's client runs commands") struct OpenSSHTests {
    @Test func `T23: standard output and standard error arrive apart`() throws {
        try Gateway.serving { gateway in
            let outcome = try gateway.script("echo one; echo two >&2; echo three; echo four >&2")
            #expect(outcome.output == "one\nthree\n")
            #expect(outcome.errors == "two\nfour\n")
            #expect(outcome.code == 0)
        }
    }

    @Test func `T24: exit statuses are the command's own`() throws {
        try Gateway.serving { gateway in
            for status in [0, 1, 77, 255] {
                let outcome = try gateway.script("exit \(status)")
                #expect(outcome.code == status, "\(outcome)")
                #expect(outcome.output.isEmpty && outcome.errors.isEmpty)
            }
        }
    }
}
