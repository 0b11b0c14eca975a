/// What git is told whatever a repository's own configuration says.
enum GitConfiguration {
    /// Variables for git(1): the configuration of commands outranks that of files, and only ours is heard besides the repository's.
    static func environment(for target: GitTarget) -> [EnvironmentEntry] {
        let settings = settings(for: target)
        var entries = [
            EnvironmentEntry(name: "GIT_CONFIG_NOSYSTEM", value: "1"),
            EnvironmentEntry(name: "GIT_CONFIG_GLOBAL", value: "/dev/null"),
            EnvironmentEntry(name: "GIT_TERMINAL_PROMPT", value: "0"),
            // A fetch must not make this machine fetch in turn.
            EnvironmentEntry(name: "GIT_NO_LAZY_FETCH", value: "1"),
            // Whoever pushes refs/replace/ would tell the rules which commit is whose child.
            EnvironmentEntry(name: "GIT_NO_REPLACE_OBJECTS", value: "1"),
            EnvironmentEntry(name: "GIT_CONFIG_COUNT", value: "\(settings.count)"),
        ]
        for (index, setting) in settings.enumerated() {
            entries.append(EnvironmentEntry(name: "GIT_CONFIG_KEY_\(index)", value: setting.key))
            entries.append(EnvironmentEntry(name: "GIT_CONFIG_VALUE_\(index)", value: setting.value))
        }
        if target.writes { entries.append(EnvironmentEntry(name: RefRule.variable, value: RefRule.text(of: target.service.refs))) }
        if target.writes, let hooks = target.service.hooks {
            entries.append(EnvironmentEntry(name: RefRule.hooksVariable, value: hooks))
        }
        return entries
    }

    /// git-config(1). `core.hooksPath` for pushes is set by whoever makes that directory.
    private static func settings(for target: GitTarget) -> [(key: String, value: String)] {
        var settings = [
            // The repository was opened beneath its root, and the sandbox ends at it: whose it is need not be asked again.
            ("safe.directory", "*"),
            ("protocol.allow", "never"), ("protocol.ext.allow", "never"),
            ("gc.auto", "0"), ("receive.autogc", "false"), ("maintenance.auto", "false"),
            ("core.fsmonitor", "false"),
            // The refs of a repository that this one borrows objects from are nobody's business.
            ("core.alternateRefsCommand", "true"),
            ("transfer.fsckObjects", "true"), ("receive.fsckObjects", "true"),
            ("uploadpack.allowFilter", "true"),
            ("uploadarchive.allowUnreachable", "false"),
        ]
        if let maxPack = target.service.maxPack { settings.append(("receive.maxInputSize", "\(maxPack)")) }
        if !target.writes { settings.append(("core.hooksPath", "/dev/null")) }
        return settings.map { (key: $0.0, value: $0.1) }
    }
}
