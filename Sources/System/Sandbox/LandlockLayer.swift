internal import CLinux
public import Linux

/// One more set of Landlock rules over those that hold already: what any of the sets denies is denied.
public struct LandlockLayer {
    private let rules: Descriptor
    private let handled: FileRights

    /// Denies all files, once it is entered, but those that are added.
    public init() throws(Errno) {
        handled = LandlockSupport.running.fileRights
        let words = [handled.rawValue]
        // SAFETY: the call reads one word.
        let number = unsafe words.withUnsafeBytes { postern_call(Int(SYS_landlock_create_ruleset), UInt(bitPattern: $0.baseAddress), UInt($0.count), 0, 0) }
        guard number >= 0 else { throw Errno.last }
        rules = Descriptor(owning: Int32(number))
    }

    /// Allows something at and beneath an open file or directory.
    public func allow(_ rights: FileRights, beneath place: Descriptor) throws(Errno) {
        let isDirectory = try place.status().kind == .directory
        let allowed = rights.intersection(isDirectory ? handled : handled.intersection(.ofFiles))
        guard !allowed.isEmpty else { return }
        // struct landlock_path_beneath_attr: the rights, then the descriptor, packed.
        let rule = (0..<8).map { UInt8(truncatingIfNeeded: allowed.rawValue >> ($0 * 8)) } + (0..<4).map { UInt8(truncatingIfNeeded: place.number >> ($0 * 8)) }
        // SAFETY: the call reads twelve bytes, as many as the array holds.
        let result = unsafe rule.withUnsafeBytes { postern_call(Int(SYS_landlock_add_rule), UInt(rules.number), 1, UInt(bitPattern: $0.baseAddress), 0) }
        guard result == 0 else { throw Errno.last }
    }

    /// Holds from now on for the calling thread and all that it starts; no_new_privs must be set.
    public func enter() throws(Errno) {
        guard postern_call(Int(SYS_landlock_restrict_self), UInt(rules.number), 0, 0, 0) == 0 else { throw Errno.last }
    }
}
