import Linux
import Sandbox
import Testing

/// Where root may make control groups of version 2, with whatever controllers: on machines that have memory and processes in version 1 there are none.
private let place = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first { path in isRoot && (try? openDirectory(path))?.isControlGroup == true && makes(path) }

private func makes(_ path: String) -> Bool {
    let name = Array("postern-test-\(processID)".utf8)
    guard let directory = try? openDirectory(path), (try? directory.makeDirectory(name, mode: 0o755)) != nil else { return false }
    return (try? directory.remove(name, isDirectory: true)) != nil
}

@Suite("cgroups(7): a command's own", .enabled(if: place != nil && startsInControlGroups, "needs root and control groups of version 2")) struct ControlGroupTests {
    /// A group without limits for its children.
    private func withGroup(_ body: (DelegatedGroup, Descriptor) throws -> Void) throws {
        let parent = try openDirectory(try #require(place))
        let name = Array("postern-test-\(processID)-\(UInt32.random(in: 0 ... .max))".utf8)
        try parent.makeDirectory(name, mode: 0o755)
        defer { #expect(throws: Never.self) { try parent.remove(name, isDirectory: true) } }
        let directory = try parent.openBeneath(name, .directory)
        try body(DelegatedGroup(path: "/\(String(decoding: name, as: UTF8.self))", directory: directory), directory)
    }

    private func groups(in directory: Descriptor) throws -> [String] {
        try directory.names().map { String(decoding: $0, as: UTF8.self) }.filter { $0.hasPrefix("postern-command-") }
    }

    static let namespaces: [Namespaces] = [[], .pid, [.pid, .mount]]

    @Test(arguments: namespaces) func `a program is in it from its start, and it goes when the program has gone`(namespaces: Namespaces) throws {
        try withGroup { group, directory throws in
            let outcome = try run(["/bin/sh", "-c", "cat /proc/self/cgroup; sh -c 'cat /proc/self/cgroup'; exit 7"]) {
                $0.namespaces = namespaces
                $0.identity = .init(uid: 65534, gid: 65534, groups: [])
                $0.group = .init(in: group, memory: nil, processes: nil)
            }
            #expect(outcome.status == .exited(7), "\(outcome)")
            let own = outcome.output.split(separator: "\n").filter { $0.hasPrefix("0::") }
            #expect(own.count == 2 && own.allSatisfy { $0.contains("\(group.path)/postern-command-\(processID)-") }, "\(outcome)")
            #expect(try groups(in: directory) == [])
        }
    }

    @Test func `what the program left behind ends with it, whatever its session and parent are`() throws {
        try withGroup { group, directory throws in
            let outcome = try run(["/bin/sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & (setsid sh -c 'sleep 1000 & sleep 1000' >/dev/null 2>&1 &); cat /proc/self/cgroup"]) {
                $0.group = .init(in: group, memory: nil, processes: nil)
            }
            #expect(outcome.succeeded)
            // The handle went with the run; the kernel may take a moment, and then the group is not removed, but what is in it has ended.
            for name in try groups(in: directory) { #expect(try ControlGroup(existing: Array(name.utf8), in: directory).end()) }
        }
    }

    @Test func `a limit that cannot be written fails the launch, and nothing is left`() throws {
        try withGroup { group, directory throws in
            let limited = { (memory: UInt64?, processes: UInt64?) in
                try run(["/bin/true"]) { $0.group = .init(in: group, memory: memory, processes: processes) }
            }
            for (memory, processes, detail) in [(1 << 30, nil, "memory.max"), (nil, 10, "pids.max")] as [(UInt64?, UInt64?, String)] {
                let error = #expect(throws: LaunchError.self) { try limited(memory, processes) }
                #expect(error?.step == .controlGroup && error?.errno == .notFound && error?.detail == detail)
            }
            #expect(try groups(in: directory) == [])
        }
    }

    @Test func `a step that fails is named, and the group goes`() throws {
        try withGroup { group, directory throws in
            for namespaces in Self.namespaces {
                let error = #expect(throws: LaunchError.self) {
                    try run(["/nonexistent"]) {
                        $0.namespaces = namespaces
                        $0.identity = .init(uid: 65534, gid: 65534, groups: [])
                        $0.group = .init(in: group, memory: nil, processes: nil)
                    }
                }
                #expect(error?.step == .exec && error?.errno == .notFound)
            }
            #expect(try groups(in: directory) == [])
        }
    }

    @Test func `of the groups only those whose monitor has gone are stale`() throws {
        try withGroup { group, directory throws in
            // Beyond the largest number of a process.
            let names = ["postern-command-4194305-1", "postern-command-\(processID)-1", "postern-gateway", "other"]
            for name in names { try directory.makeDirectory(Array(name.utf8), mode: 0o755) }
            group.removeStale()
            let left = Set(try directory.names().map { String(decoding: $0, as: UTF8.self) })
            #expect(left.isSuperset(of: names.dropFirst()) && !left.contains(names[0]))
            for name in names.dropFirst() { try directory.remove(Array(name.utf8), isDirectory: true) }
        }
    }

    @Test func `this machine says why there is none, or has one`() {
        let layers = HostSupport.layers(group: .failure(.notOurs("/a")))
        #expect(layers.contains { $0.name == "memory and processes" && $0.state == .partly && $0.text.hasSuffix("control group \"/a\" is not delegated") })
        let given = HostSupport.layers(hasNamespaces: false, group: .success(DelegatedGroup(path: "/b", directory: .standardInput)))
        for name in ["memory and processes", "whole tree"] { #expect(given.contains { $0.name == name && $0.state == .enforced }) }
    }
}
