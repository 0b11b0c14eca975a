internal import CLinux

/// What a sweep through the children found.
public struct Sweep: Sendable {
    /// Processes that ended and were reaped meanwhile.
    public var reaped: [Reaped] = []
    /// Nothing is left but what was spared.
    public var isClear = false
}

/// Kills all processes below this one, again and again until none is left.
///
/// As a subreaper this process adopts orphans, so whatever escapes one round is its child, or below one, in the next.
/// Needs a `/proc` of its own pid namespace.
///
/// - Parameters:
///   - spared: children that are left alone with all below them; they are not reaped either.
///   - rounds: how often at most; a round that found something waits a millisecond for it to end.
public func killDescendants(sparing spared: Set<Int32> = [], rounds: Int = 500) -> Sweep {
    var sweep = Sweep()
    for _ in 0..<rounds {
        // A subreaper without children has no descendants either.
        guard hasChildren else {
            sweep.isClear = true
            return sweep
        }
        let children = children(of: getpid()).filter { !spared.contains($0) }
        if children.isEmpty {
            sweep.isClear = true
            return sweep
        }
        for child in children {
            killTree(child, parent: getpid(), depth: 0)
            if let reaped = reapIfEnded(child) { sweep.reaped.append(reaped) }
        }
        pause(.milliseconds(1))
    }
    return sweep
}

private var hasChildren: Bool {
    // SAFETY: waitid(2) writes the structure; nothing is reaped.
    var information = unsafe siginfo_t()
    return unsafe waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) == 0
}

/// Kills a child of this process and all processes that are below it now; those that lost their parent before only where it has a control group.
public func killTree(_ child: ChildProcess) {
    child.group?.kill()
    killTree(child.pid, parent: getpid(), depth: 0)
}

/// The parent first, so that it starts no more; what is below is read before, or it would be adopted meanwhile.
private func killTree(_ pid: Int32, parent: Int32, depth: Int) {
    guard let pidfd = openProcess(pid, childOf: parent) else { return }
    send(.stop, to: pidfd)
    if depth < maxDepth {
        for child in children(of: pid) { killTree(child, parent: pid, depth: depth + 1) }
    }
    send(.kill, to: pidfd)
}

/// Deeper ones are adopted when those above are gone, and found by the next round.
private let maxDepth = 64

/// A handle of a process, after making sure that the number was not given to another meanwhile.
private func openProcess(_ pid: Int32, childOf parent: Int32) -> Descriptor? {
    let number = pidfd_open(pid, 0)
    guard number >= 0 else { return nil }
    let pidfd = Descriptor(owning: number)
    return children(of: parent).contains(pid) ? pidfd : nil
}

private func send(_ signal: Signal, to pidfd: Descriptor) {
    // It may have ended, which is as good.
    _ = pidfd_send_signal(pidfd.number, signal.number, nil, 0)
}

/// The children of all threads of a process: none when it has ended.
private func children(of pid: Int32) -> [Int32] {
    var found: [Int32] = []
    for thread in numbers(in: "/proc/\(pid)/task") {
        guard let bytes = contents("/proc/\(pid)/task/\(thread)/children") else { continue }
        found += String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
    }
    return found
}

private func contents(_ path: String) -> [UInt8]? {
    do throws(Errno) { return try readFile(path, limit: 1 << 20) } catch { return nil }
}

/// The names in a directory that are numbers.
private func numbers(in path: String) -> [Int32] {
    // SAFETY: the stream is used by this function only and closed at its end.
    guard let stream = unsafe opendir(path) else { return [] }
    defer { _ = unsafe closedir(stream) }
    var found: [Int32] = []
    // SAFETY: readdir(3) returns nil or an entry that stays until the next call, with a name that ends with a NUL.
    while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
        if let number = Int32(name) { found.append(number) }
    }
    return found
}

private func reapIfEnded(_ pid: Int32) -> Reaped? {
    do throws(Errno) { return try reapOne(pid, WNOHANG) } catch { return nil }
}

func pause(_ duration: Duration) {
    var time = timespec(duration)
    // SAFETY: nanosleep(2) reads the time.
    _ = unsafe nanosleep(&time, nil)
}
