package import SSHBase
import Synchronization

/// Elements that one side puts in and others take out, in order, until it is closed.
package final class Mailbox<Element: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Result<Element?, SSHFailure>, Never>

    private struct State {
        var elements: [Element?] = []
        /// Elements before it are taken.
        var start = 0
        var end: Result<Void, SSHFailure>?
        var waiting: [(id: UInt64, wanted: (@Sendable (Element) -> Bool)?, continuation: Waiter)] = []
        var next: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Puts an element in, or gives it to the first who waits for such a one; after the end it is lost.
    package func put(_ element: Element) {
        let waiter: Waiter? = state.withLock { state in
            guard state.end == nil else { return nil }
            guard let index = state.waiting.firstIndex(where: { $0.wanted?(element) ?? true }) else {
                state.elements.append(element)
                return nil
            }
            return state.waiting.remove(at: index).continuation
        }
        waiter?.resume(returning: .success(element))
    }

    /// Puts an element in unless there are as many as there may be.
    package func putIfRoom(_ element: Element, limit: Int = 64) -> Bool {
        guard state.withLock({ $0.elements.count - $0.start < limit }) else { return false }
        put(element)
        return true
    }

    /// Nothing more comes; what is in can still be taken. Only the first call counts.
    package func close(_ end: Result<Void, SSHFailure> = .success(())) {
        let waiting = state.withLock { state in
            guard state.end == nil else { return [Waiter]() }
            state.end = end
            defer { state.waiting = [] }
            return state.waiting.map(\.continuation)
        }
        for continuation in waiting { continuation.resume(returning: end.map { nil }) }
    }

    /// Throws away all that is in.
    package func empty() {
        // They are released outside of the lock, since what they do then may come back here.
        _ = state.withLock { state in
            defer { (state.elements, state.start) = ([], 0) }
            return state.elements
        }
    }

    /// Takes the next element that fits; nil at the end. It waits for one.
    package func take(where wanted: (@Sendable (Element) -> Bool)? = nil) async throws(SSHFailure) -> Element? {
        // Whoever iterates over what is there is stopped here too.
        if Task.isCancelled { throw .cancelled }
        if let result = state.withLock({ Self.takeNow(&$0, wanted) }) { return try result.get() }
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in wait(id, wanted, continuation) }
        } onCancel: {
            cancel(id)
        }
        _ = state.withLock { $0.cancelled.remove(id) }
        return try result.get()
    }

    private static func takeNow(_ state: inout State, _ wanted: (@Sendable (Element) -> Bool)?) -> Result<Element?, SSHFailure>? {
        let found = state.elements[state.start...].firstIndex { element in element.map { wanted?($0) ?? true } ?? false }
        guard let found, let element = state.elements[found] else { return state.end?.map { nil } }
        if found == state.start {
            state.elements[found] = nil
            state.start += 1
            if state.start == state.elements.count {
                state.elements.removeAll(keepingCapacity: true)
                state.start = 0
            } else if state.start >= 64, state.start * 2 > state.elements.count {
                state.elements.removeFirst(state.start)
                state.start = 0
            }
        } else {
            state.elements.remove(at: found)
        }
        return .success(element)
    }

    private func wait(_ id: UInt64, _ wanted: (@Sendable (Element) -> Bool)?, _ continuation: Waiter) {
        let result: Result<Element?, SSHFailure>? = state.withLock { state in
            if state.cancelled.remove(id) != nil { return .failure(.cancelled) }
            if let now = Self.takeNow(&state, wanted) { return now }
            state.waiting.append((id, wanted, continuation))
            return nil
        }
        if let result { continuation.resume(returning: result) }
    }

    private func cancel(_ id: UInt64) {
        let continuation = state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return Waiter?.none
            }
            return state.waiting.remove(at: index).continuation
        }
        continuation?.resume(returning: .failure(.cancelled))
    }
}
