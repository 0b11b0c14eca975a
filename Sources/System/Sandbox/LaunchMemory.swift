internal import CLinux
import Linux

/// A plan in the layout that the child reads, where it stays put until the launch is over.
@safe final class LaunchMemory {
    // SAFETY: only `copy` adds to it, and only deinit frees what is in it.
    private var blocks: [UnsafeMutableRawPointer] = unsafe []

    deinit {
        // SAFETY: each block was allocated by `copy` and holds trivial values; nobody keeps pointers beyond the launch.
        for unsafe block in unsafe blocks { unsafe block.deallocate() }
    }

    /// The pointers in the result are good as long as `self` is.
    func flatten(_ plan: ProcessPlan) throws(LaunchError) -> postern_launch_plan {
        let landlock = plan.landlock
        var flat = unsafe postern_launch_plan()
        let settings = LaunchMemory.settings(of: plan)
        // SAFETY: each array is copied into a block of its own length, which `settings` counts.
        unsafe flat.settings = settings
        unsafe flat.arguments = UnsafePointer(try strings(plan.arguments, called: "an argument"))
        unsafe flat.environment = UnsafePointer(try strings(plan.environment, called: "the environment"))
        if case .path(let path) = plan.program { unsafe flat.path = UnsafePointer(try string(Array(path.utf8), called: "the path")) }
        if let directory = plan.directory {
            unsafe flat.directory = UnsafePointer(try string(Array(directory.utf8), called: "the directory"))
        }
        if let temporary = plan.temporary {
            unsafe flat.temporary = UnsafePointer(try string(Array(temporary.path.utf8), called: "the temporary directory"))
            unsafe flat.temporary_options = UnsafePointer(try string(Array(temporary.options(for: plan.identity).utf8), called: "the options"))
        }
        unsafe flat.writable = UnsafePointer(try constantStrings(plan.writable, called: "a path"))
        unsafe flat.descriptors = UnsafePointer(copy(plan.descriptors.map(\.number)))
        unsafe flat.limits = UnsafePointer(
            copy(plan.limits.map { postern_limit(resource: $0.resource.rawValue, soft: $0.soft, hard: $0.hard) }))
        unsafe flat.groups = UnsafePointer(copy(plan.identity?.groups ?? []))
        unsafe flat.ports = UnsafePointer(copy(landlock?.ports ?? []))
        unsafe flat.rules = UnsafePointer(try rules(landlock?.paths ?? [], handled: settings.handled_files))
        unsafe flat.paths = UnsafePointer(try paths(plan.paths))
        unsafe flat.filter = UnsafeRawPointer(copy(plan.filter))
        return unsafe flat
    }

    private static func settings(of plan: ProcessPlan) -> postern_launch_settings {
        var settings = postern_launch_settings()
        settings.program = -1
        if case .descriptor(let descriptor) = plan.program { settings.program = descriptor.number }
        settings.first = plan.firstProcess?.number ?? -1
        settings.root = plan.rootDirectory?.number ?? -1
        settings.group = -1
        settings.namespaces = plan.namespaces.union(plan.temporary == nil && plan.writable.isEmpty ? [] : .mount).rawValue
        settings.mounts_proc = plan.namespaces.contains(.mount)
        settings.parent_death_signal = plan.parentDeathSignal?.number ?? 0
        settings.new_session = plan.startsSession
        settings.drops_bounding = plan.emptiesBoundingSet
        settings.keeps_privileges = plan.keepsPrivileges
        settings.blocked_signals = plan.blockedSignals.reduce(0) { $0 | 1 << UInt64($1.number - 1) }
        settings.makes_directory = plan.makesDirectory
        settings.reports_denials = plan.denials != nil && !plan.filter.isEmpty
        if let identity = plan.identity {
            settings.changes_identity = true
            settings.uid = identity.uid
            settings.gid = identity.gid
            settings.group_count = UInt32(identity.groups.count)
        }
        settings.descriptor_count = UInt32(plan.descriptors.count)
        settings.limit_count = UInt32(plan.limits.count)
        settings.path_count = UInt32(plan.paths.count)
        settings.writable_count = UInt32(plan.writable.count)
        settings.filter_length = UInt32(plan.filter.count / 8)
        guard let landlock = plan.landlock else { return settings }
        let support = plan.landlockSupport
        settings.landlock = true
        settings.handled_files = support.fileRights.rawValue
        settings.handled_network = landlock.ports == nil ? 0 : support.networkRights
        settings.scoped = landlock.scopes.intersection(support.scopes).rawValue
        settings.file_rights = FileRights.ofFiles.rawValue
        settings.program_rights = FileRights([.executeFile, .readFile]).rawValue
        settings.rule_count = UInt32(landlock.paths.count)
        settings.port_count = settings.handled_network == 0 ? 0 : UInt32(landlock.ports?.count ?? 0)
        return settings
    }

    /// The kernel refuses rights that are not handled, so newer ones than it knows are left out.
    private func rules(_ paths: [LandlockRules.Path], handled: UInt64) throws(LaunchError) -> UnsafeMutablePointer<postern_path_rule>? {
        // SAFETY: the strings live as long as `self`.
        var rules: [postern_path_rule] = unsafe []
        for rule in paths {
            unsafe rules.append(
                postern_path_rule(
                    path: UnsafePointer(try string(Array(rule.path.utf8), called: "a path")), rights: rule.rights.rawValue & handled,
                    required: rule.isRequired))
        }
        return unsafe copy(rules)
    }

    private func paths(_ paths: [ProcessPlan.PathWithin]) throws(LaunchError) -> UnsafeMutablePointer<postern_path_within>? {
        // SAFETY: the strings live as long as `self`.
        var table: [postern_path_within] = unsafe []
        for within in paths {
            unsafe table.append(
                postern_path_within(
                    directory: UnsafePointer(try string(Array(within.directory.utf8), called: "a directory")),
                    path: UnsafePointer(try string(Array(within.path.utf8), called: "a path"))))
        }
        return unsafe copy(table)
    }

    /// A table that ends with nil.
    private func strings(
        _ words: [[UInt8]], called name: String
    ) throws(LaunchError) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
        // SAFETY: the strings live as long as `self`.
        var table: [UnsafeMutablePointer<CChar>?] = unsafe []
        for word in words { unsafe table.append(try string(word, called: name)) }
        unsafe table.append(nil)
        return unsafe copy(table)
    }

    private func constantStrings(_ words: [String], called name: String) throws(LaunchError) -> UnsafeMutablePointer<UnsafePointer<CChar>?>? {
        // SAFETY: the strings live as long as `self`.
        var table: [UnsafePointer<CChar>?] = unsafe []
        for word in words { unsafe table.append(UnsafePointer(try string(Array(word.utf8), called: name))) }
        return unsafe copy(table)
    }

    /// A word with the NUL after it. One that holds a NUL is refused: the kernel would see only its beginning.
    private func string(_ word: [UInt8], called name: String) throws(LaunchError) -> UnsafeMutablePointer<CChar>? {
        if word.contains(0) { throw LaunchError(step: .plan, errno: .invalidArgument, detail: "\(name) holds a NUL") }
        // SAFETY: the copy ends with the NUL.
        return unsafe copy(word.map { CChar(bitPattern: $0) } + [0])
    }

    /// nil for nothing.
    private func copy<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element>? {
        if elements.isEmpty { return nil }
        // SAFETY: room for every element; freed in deinit.
        let block = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
        for (index, element) in elements.enumerated() { unsafe (block + index).initialize(to: element) }
        unsafe blocks.append(UnsafeMutableRawPointer(block))
        return unsafe block
    }
}
