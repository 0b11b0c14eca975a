// The options that a client of rsync gives the server, as `server_options` of its options.c writes them; all others are refused.

/// What a value of an option may look like. The forms hold no character that has a meaning to rsync beyond the value itself.
enum RsyncValue {
    /// A whole number, with a sign or without.
    case number
    /// A number, and a unit behind it: `1.5M`, `10G+1`.
    case size
    /// Letters, digits and `-_,`: names of algorithms and of kinds of messages.
    case words
    /// Suffixes of files as patterns: `gz/jpg/mp[34]`.
    case suffixes
    /// What is appended to a name.
    case suffix
    /// A path beneath the place that the files go to.
    case path
    /// One of those that clients send.
    case oneOf([String])

    private static let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    private static let digits = Array("0123456789".utf8)

    /// Whether `text` is such a value, of 1 to 256 bytes.
    func accepts(_ text: String) -> Bool {
        guard 1...256 ~= text.utf8.count else { return false }
        switch self {
        case .number:
            let number = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
            return 1...10 ~= number.count && number.allSatisfy(Self.digits.contains)
        case .size: return Self.holds(text, Self.letters + Self.digits + Array(".+-".utf8))
        case .words: return Self.holds(text, Self.letters + Self.digits + Array("-_,".utf8))
        case .suffixes: return Self.holds(text, Self.letters + Self.digits + Array("-_,./[]".utf8))
        case .suffix: return Self.holds(text, Self.letters + Self.digits + Array("-_.~+:@%".utf8))
        case .path: return RsyncPath.isBeneath(text)
        case .oneOf(let choices): return choices.contains(text)
        }
    }

    private static func holds(_ text: String, _ bytes: [UInt8]) -> Bool { text.utf8.allSatisfy(bytes.contains) }
}

/// An option that is taken.
struct RsyncOption {
    enum Side { case both, upload, download }

    var side = Side.both
    /// Nil: it has none.
    var value: RsyncValue?
    /// What the key must be allowed.
    var needs: RsyncRules.Access?
    /// Who fetches sends it too, and means a place of its own: then it is passed over.
    var isOfReceiver = false

    /// By name, without `--`.
    static let long: [String: RsyncOption] = [
        "list-only": RsyncOption(side: .download), "no-r": RsyncOption(), "no-relative": RsyncOption(), "no-implied-dirs": RsyncOption(),
        "specials": RsyncOption(), "no-specials": RsyncOption(), "numeric-ids": RsyncOption(), "use-qsort": RsyncOption(), "safe-links": RsyncOption(),
        "msgs2stderr": RsyncOption(), "no-msgs2stderr": RsyncOption(), "stats": RsyncOption(), "info": RsyncOption(value: .words),
        "log-format": RsyncOption(value: .oneOf(["%i", "%i%I", "%o", "X"])), "timeout": RsyncOption(value: .number), "bwlimit": RsyncOption(value: .number),
        "new-compress": RsyncOption(), "old-compress": RsyncOption(), "compress-choice": RsyncOption(value: .words),
        "compress-level": RsyncOption(value: .number), "compress-threads": RsyncOption(value: .number), "skip-compress": RsyncOption(side: .download, value: .suffixes),
        "checksum-choice": RsyncOption(value: .words), "checksum-seed": RsyncOption(value: .number), "max-alloc": RsyncOption(value: .size),
        "delete": RsyncOption(needs: .delete), "delete-before": RsyncOption(needs: .delete), "delete-during": RsyncOption(needs: .delete),
        "delete-delay": RsyncOption(needs: .delete), "delete-after": RsyncOption(needs: .delete), "delete-excluded": RsyncOption(needs: .delete),
        "delete-missing-args": RsyncOption(needs: .delete), "force": RsyncOption(needs: .delete), "max-delete": RsyncOption(value: .number, needs: .delete),
        "ignore-errors": RsyncOption(), "ignore-missing-args": RsyncOption(), "ignore-existing": RsyncOption(side: .upload), "existing": RsyncOption(side: .upload),
        "size-only": RsyncOption(side: .upload), "min-size": RsyncOption(side: .upload, value: .size), "max-size": RsyncOption(side: .upload, value: .size),
        "modify-window": RsyncOption(value: .number), "partial": RsyncOption(side: .upload), "delay-updates": RsyncOption(side: .upload),
        "partial-dir": RsyncOption(side: .upload, value: .path), "backup-dir": RsyncOption(value: .path, isOfReceiver: true), "suffix": RsyncOption(value: .suffix),
        "mkpath": RsyncOption(side: .upload), "preallocate": RsyncOption(side: .upload), "fsync": RsyncOption(side: .upload), "no-W": RsyncOption(),
        "inplace": RsyncOption(side: .download), "append": RsyncOption(side: .download), "remove-source-files": RsyncOption(), "remove-sent-files": RsyncOption(),
    ]

    /// By letter.
    static let short: [UInt8: RsyncOption] = {
        var table: [UInt8: RsyncOption] = [:]
        for letter in "vqunldOJmWogDtUpErcCIRxSzb".utf8 { table[letter] = RsyncOption() }
        for letter in "HAX".utf8 { table[letter] = RsyncOption(side: .download) }
        return table
    }()

    /// Letters with a number behind them: the size of blocks, and how far times may differ.
    static let shortWithNumber: [UInt8] = [UInt8(ascii: "B"), UInt8(ascii: "@")]

    /// Why an option that a client might give is not taken; nil: clients give none such.
    static func objection(to option: String) -> String? {
        if let reason = objections.first(where: { $0.options.contains(option) })?.reason { return reason }
        let followsLinks = ["-K", "-L", "-k"].contains(option) || option.hasPrefix("--") && option.hasSuffix("links")
        return followsLinks ? "links are not followed here" : nil
    }

    private static let objections: [(options: [String], reason: String)] = [
        (["-s", "--secluded-args", "--protect-args"], "it hides the arguments from the policy; say --no-protect-args to rsync"),
        (["--inplace", "--append", "--append-verify"], "a file appears when it is whole, and is not changed in place"),
        (["--write-devices", "--copy-devices", "--devices"], "there are no devices here"),
        (["-A", "--acls", "-X", "--xattrs", "--fake-super"], "access lists and attributes are not kept here"),
        (["-H"], "hard links are not made here"),
        (["--super", "--usermap", "--groupmap", "--chown", "--copy-as"], "all files are the account's own here"),
        (["--temp-dir", "-T"], "a file on its way is in the directory that it goes to"),
        (["--link-dest", "--compare-dest", "--copy-dest", "-y", "--fuzzy"], "files are compared with those of their own name only"),
        (["--files-from", "--from0"], "the policy cannot see the names; give them as arguments, or filter with --include-from"),
        (["--daemon", "--config", "--dparam", "--address", "--port", "--sockopts", "--no-detach", "--password-file", "--early-input"], "there is no daemon here"),
        (["--rsync-path", "--rsh", "-e"], "the program is the policy's to choose"),
        (["--log-file", "--log-file-format", "--out-format"], "no log is written here; the gateway has its own"),
        (["--write-batch", "--only-write-batch", "--read-batch"], "there are no batches here"),
        (["--iconv"], "names are taken as they are"),
        (["--chmod", "--munge-links", "--no-munge-links", "--filter", "--exclude", "--include", "-M", "--remote-option"], "it is the gateway's to say"),
    ]
}
