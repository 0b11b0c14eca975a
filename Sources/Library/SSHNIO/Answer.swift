package import SSHBase
import Synchronization

/// A value that one side will have and others wait for: it comes once.
package final class Answer<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, SSHFailure>?
        var waiting: [UInt64: CheckedContinuation<Result<Value, SSHFailure>, Never>] = [:]
        var next: UInt64 = 0
        /// Cancelled before they waited.
        var cancelled: Set<UInt64> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Gives the value to all who wait and will wait; only the first call counts.
    package func resolve(_ result: Result<Value, SSHFailure>) {
        let waiting = state.withLock { state in
            guard state.result == nil else { return [CheckedContinuation<Result<Value, SSHFailure>, Never>]() }
            state.result = result
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume(returning: result) }
    }

    package var isResolved: Bool { state.withLock { $0.result != nil } }

    /// Waits for the value; ``SSHFailure/cancelled`` when the task is.
    package func value() async throws(SSHFailure) -> Value {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in wait(id, continuation) }
        } onCancel: {
            cancel(id)
        }
        _ = state.withLock { $0.cancelled.remove(id) }
        return try result.get()
    }

    private func wait(_ id: UInt64, _ continuation: CheckedContinuation<Result<Value, SSHFailure>, Never>) {
        let result: Result<Value, SSHFailure>? = state.withLock { state in
            if let result = state.result { return result }
            if state.cancelled.remove(id) != nil { return .failure(.cancelled) }
            state.waiting[id] = continuation
            return nil
        }
        if let result { continuation.resume(returning: result) }
    }

    private func cancel(_ id: UInt64) {
        let continuation = state.withLock { state in
            let continuation = state.waiting.removeValue(forKey: id)
            if continuation == nil { state.cancelled.insert(id) }
            return continuation
        }
        continuation?.resume(returning: .failure(.cancelled))
    }
}
