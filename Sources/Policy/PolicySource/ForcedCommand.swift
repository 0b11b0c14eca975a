import Policy

/// What the options of one line of an authorized_keys file come to.
struct ForcedCommand: Hashable {
    var argv: [String]
    var environment: [EnvironmentVariable] = []

    /// A variable that the command finds.
    struct EnvironmentVariable: Hashable {
        var name: String
        var value: String
    }
}

/// What a line of an authorized_keys file grants, in the terms of a policy.
struct ImportedGrant {
    var command: ForcedCommand
    var from: [String] = []
    /// Seconds since 1970.
    var expires: Int64?
    /// Of a security key: it must be touched, or with a PIN.
    var needsTouch = true
    var needsPIN = false
    /// True: sshd would have let the client forward, or open a terminal, too.
    var wasUnrestricted = true
    /// The key signs certificates, which must have one of these principals; nil: the key itself enters. Empty: none was named.
    var principals: [String]?
}

/// A time on a calendar and a clock, without its zone.
public struct CalendarTime: Equatable, Sendable {
    public var year: Int
    public var month: Int
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int
}

/// Turns the options of a line into a grant, or says which of them cannot be had.
struct OptionReader {
    /// Why a line is not taken over.
    struct Refusal: Error {
        var region: Region
        var reason: String
        var hint: String?
    }

    /// A time of this machine's zone in seconds since 1970; nil for one that there is not.
    let localTime: (CalendarTime) -> Int64?

    func grant(_ line: AuthorizedKeysLine, of key: Region) throws(Refusal) -> ImportedGrant {
        var grant = ImportedGrant(command: ForcedCommand(argv: []))
        var isForced = false
        if line.options.contains(where: { $0.name == "cert-authority" }) { grant.principals = [] }
        for option in line.options {
            switch option.name {
            case "cert-authority": try Self.check(option, true)
            case "principals":
                if grant.principals != [] { throw Self.refusal(of: option, isSecond: grant.principals != nil) }
                grant.principals = try Self.principals(option)
            case "from" where grant.principals != nil, "expiry-time" where grant.principals != nil, "verify-required" where grant.principals != nil,
                "no-touch-required" where grant.principals != nil:
                throw Refusal(
                    region: option.region, reason: "an authority has no \"\(option.name)\" here",
                    hint: "let it stand in the certificates: ssh-keygen -O source-address, -O verify-required, -V")
            case "restrict": grant.wasUnrestricted = try Self.check(option, false)
            case "no-port-forwarding", "no-agent-forwarding", "no-x11-forwarding", "no-pty", "no-user-rc": try Self.check(option, true)
            case "command":
                if isForced { throw Refusal(region: option.region, reason: "there is a second command") }
                isForced = true
                grant.command.argv = try CommandWords.of(try Self.value(of: option), option.region)
            case "from":
                if !grant.from.isEmpty { throw Refusal(region: option.region, reason: "there is a second \"from\"") }
                grant.from = try Self.addresses(option)
            case "no-touch-required": grant.needsTouch = try Self.check(option, false)
            case "verify-required": grant.needsPIN = try Self.check(option, true)
            case "expiry-time":
                let time = try expiry(option)
                grant.expires = min(grant.expires ?? time, time)
            case "environment":
                let variable = try Self.variable(option)
                // Of two values sshd takes the first.
                if !grant.command.environment.contains(where: { $0.name == variable.name }) { grant.command.environment.append(variable) }
            default: throw Self.refusal(of: option)
            }
        }
        guard isForced else {
            throw Refusal(
                region: key, reason: "the key has no command: it opens a shell, and there is none here",
                hint: "say what it is for: one command for each thing that its owner does")
        }
        return grant
    }

    /// An option that takes no value; answers `result` if it has none.
    @discardableResult
    private static func check(_ option: AuthorizedKeysLine.Option, _ result: Bool) throws(Refusal) -> Bool {
        if option.value != nil { throw Refusal(region: option.region, reason: "\"\(option.name)\" takes no value") }
        return result
    }

    private static func value(of option: AuthorizedKeysLine.Option) throws(Refusal) -> AuthorizedKeysLine.Value {
        guard let value = option.value else { throw Refusal(region: option.region, reason: "\"\(option.name)\" has no value") }
        return value
    }

    /// Names between commas, as `ssh-keygen -n` takes them.
    private static func principals(_ option: AuthorizedKeysLine.Option) throws(Refusal) -> [String] {
        var names: [String] = []
        for name in try value(of: option).text.split(separator: ",").map(String.init) where !names.contains(name) {
            guard CertificateAuthority.canBePrincipal(name) else {
                throw Refusal(region: option.region, reason: "\"\(VisibleText.of(name))\" cannot be a principal")
            }
            names.append(name)
        }
        if names.isEmpty { throw Refusal(region: option.region, reason: "\"principals\" names nobody") }
        return names
    }

    private static func addresses(_ option: AuthorizedKeysLine.Option) throws(Refusal) -> [String] {
        var patterns: [AddressPattern] = []
        for text in try value(of: option).text.split(separator: ",", omittingEmptySubsequences: false) {
            do throws(AddressPatternError) {
                patterns.append(try AddressPattern(parsing: String(text)))
            } catch {
                throw Refusal(
                    region: option.region, reason: "\"\(text)\" in \"from\" is neither an address nor a network",
                    hint: "names of hosts and patterns are not understood: write networks, as 192.0.2.0/24")
            }
        }
        if patterns.allSatisfy(\.isExclusion) { throw Refusal(region: option.region, reason: "\"from\" only excludes: it admits nobody") }
        return patterns.map(\.description)
    }

    private static func variable(_ option: AuthorizedKeysLine.Option) throws(Refusal) -> ForcedCommand.EnvironmentVariable {
        let text = try value(of: option).text
        guard let equals = text.firstIndex(of: "="), CommandEnvironment.isName(String(text[..<equals])) else {
            throw Refusal(region: option.region, reason: "\"\(text)\" sets no variable", hint: "as NAME=value")
        }
        let name = String(text[..<equals])
        if EnvironmentReader.isGateways(name) { throw Refusal(region: option.region, reason: "\"\(name)\" is set by the gateway") }
        return ForcedCommand.EnvironmentVariable(name: name, value: String(text[text.index(after: equals)...]))
    }

    /// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`; with a `Z` behind it UTC, without one this machine's time.
    private func expiry(_ option: AuthorizedKeysLine.Option) throws(Refusal) -> Int64 {
        let text = try Self.value(of: option).text
        let isUTC = text.hasSuffix("Z")
        let digits = (isUTC ? text.dropLast() : text[...]).utf8.compactMap { $0 >= 0x30 && $0 <= 0x39 ? Int($0 - 0x30) : nil }
        let number = { (range: Range<Int>) in digits.count < range.upperBound ? 0 : digits[range].reduce(0) { $0 * 10 + $1 } }
        let time = CalendarTime(
            year: number(0..<4), month: number(4..<6), day: number(6..<8), hour: number(8..<10), minute: number(10..<12),
            second: number(12..<14))
        guard digits.count == text.utf8.count - (isUTC ? 1 : 0), [8, 12, 14].contains(digits.count),
            let seconds = isUTC ? time.secondsUTC : localTime(time)
        else { throw Refusal(region: option.region, reason: "\"\(text)\" is not a time", hint: "as 20270101Z or 202701011200Z") }
        return seconds
    }

    /// Why an option that is not taken over makes the line useless.
    private static func refusal(of option: AuthorizedKeysLine.Option, isSecond: Bool = false) -> Refusal {
        if isSecond { return Refusal(region: option.region, reason: "there is a second \"\(option.name)\"") }
        let reasons = [
            "pty": "there are no terminals here", "port-forwarding": "there is no forwarding here",
            "agent-forwarding": "there is no forwarding here", "x11-forwarding": "there is no forwarding here",
            "user-rc": "no file of the user is run here", "permitopen": "there is no forwarding here",
            "permitlisten": "there is no forwarding here", "tunnel": "there are no tunnels here",
            "principals": "it is for a line with \"cert-authority\"",
        ]
        guard let reason = reasons[option.name] else {
            return Refusal(region: option.region, reason: "option \"\(option.name)\" is not known, so the line is not taken over")
        }
        return Refusal(
            region: option.region, reason: "\"\(option.name)\" cannot be taken over: \(reason)",
            hint: "remove the option if its owner can do without")
    }
}

/// A forced command as the words that are executed.
private enum CommandWords {
    static func of(_ value: AuthorizedKeysLine.Value, _ region: Region) throws(OptionReader.Refusal) -> [String] {
        let words: [Word]
        do throws(CommandLineError) {
            words = try CommandLine.split(value.bytes)
        } catch {
            let text = error.description
            let fault = text[..<(text.firstRange(of: "; ")?.lowerBound ?? text.endIndex)]
            throw refusal("the command is not plain words: \(fault)", value, error.offset, region)
        }
        if let brace = value.bytes.firstIndex(of: UInt8(ascii: "{")) {
            throw refusal("some shells would make several words of braces", value, brace, region)
        }
        guard let program = words.first?.text, program.hasPrefix("/") else {
            let isBuiltIn = words.first?.text == "internal-sftp"
            throw OptionReader.Refusal(
                region: region, reason: "the program \"\(words.first?.text ?? "")\" is not named from the root",
                hint: isBuiltIn
                    ? "write a command with subsystem = \"sftp\" and run = [\"/usr/lib/openssh/sftp-server\"]"
                    : "write where it is, as \"/usr/bin/\(words.first?.text ?? "")\"")
        }
        let parts = program.split(separator: "/")
        guard !parts.contains("."), !parts.contains("..") else {
            throw OptionReader.Refusal(region: region, reason: "the program's path goes through \".\" or \"..\"")
        }
        let argv = ["/" + parts.joined(separator: "/")] + words.dropFirst().map(\.text)
        for word in argv where !isLiteral(word, region) {
            throw OptionReader.Refusal(region: region, reason: "the word \"\(word)\" has a meaning of its own in \"run\"", hint: wrapper)
        }
        return argv
    }

    /// Whether `run` takes the word for nothing but itself.
    private static func isLiteral(_ word: String, _ region: Region) -> Bool {
        var reader = RunReader(.anyLine, Report())
        return reader.word(Located(word, region)) == RunWord([.literal(word)])
    }

    private static func refusal(
        _ reason: String, _ value: AuthorizedKeysLine.Value, _ offset: Int, _ region: Region
    ) -> OptionReader.Refusal {
        let place = value.offsets.indices.contains(offset) ? Region(region.file, value.offsets[offset]..<value.offsets[offset] + 1) : region
        return OptionReader.Refusal(region: place, reason: reason, hint: wrapper)
    }

    private static let wrapper = "write it into a program of its own, and give its command usage = \"*\": it finds the client's line in SSH_ORIGINAL_COMMAND"
}

extension CalendarTime {
    /// The time as UTC, in seconds since 1970; nil for one that there is not.
    var secondsUTC: Int64? {
        guard isPlausible else { return nil }
        let seconds = Moment.seconds(self)
        // February 30 comes out as another day.
        return Moment.text(seconds).hasPrefix(Moment.text(year, month, day)) ? seconds : nil
    }

    /// Whether all numbers are ones that a calendar or a clock shows in some month.
    public var isPlausible: Bool {
        (1970...9999).contains(year) && (1...12).contains(month) && (1...31).contains(day) && (0...23).contains(hour)
            && (0...59).contains(minute) && (0...59).contains(second)
    }
}
