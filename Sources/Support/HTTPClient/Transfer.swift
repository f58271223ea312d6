import Synchronization

/// One exchange between the task that wants it and the thread that carries it out: the meeting point of both.
///
/// The driver's thread delivers the head, then bytes, then the end. The task takes them; when it takes no bytes, the
/// driver is told to stop reading from the connection.
final class Transfer: Sendable {
    /// What the driver found when the last provisional answer was over.
    struct Head: Sendable {
        let head: ResponseHeadParser.Head
        let timing: HTTPTiming
    }

    /// What becomes of bytes that the driver offers.
    enum Reception: Sendable {
        case taken
        case full
        case refused
    }

    private enum End: Sendable {
        case complete
        case failed(HTTPClientError)
    }

    private enum Piece: Sendable {
        case bytes([UInt8], wasPaused: Bool)
        case end
        case failed(HTTPClientError)
        case wait
    }

    private struct State {
        var headWaiter: CheckedContinuation<Head, any Error>?
        var bodyWaiter: CheckedContinuation<[UInt8]?, any Error>?
        var pending: [UInt8] = []
        var received = 0
        var isPaused = false
        var end: End?
    }

    let plan: TransferPlan
    private let driver: TransferDriver
    private let state = Mutex(State())

    init(_ plan: TransferPlan, driver: TransferDriver) {
        self.plan = plan
        self.driver = driver
    }

    // The task's side.

    /// Starts the exchange and waits for the head. Cancelling the task ends the exchange at once.
    func start() async throws -> Head {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let failure = state.withLock { state -> HTTPClientError? in
                    if case .failed(let error) = state.end { return error }
                    state.headWaiter = continuation
                    return nil
                }
                if let failure {
                    continuation.resume(throwing: failure)
                } else {
                    driver.start(self)
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// The bytes that came since the last call, never none; waits for some; `nil` at the end of the body. One caller at
    /// a time.
    func next() async throws -> [UInt8]? {
        if Task.isCancelled { cancel() }
        switch take(waiting: nil) {
        case .bytes(let bytes, let wasPaused):
            if wasPaused { driver.resume(self) }
            return bytes
        case .end: return nil
        case .failed(let error): throw error
        case .wait: break
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                switch take(waiting: continuation) {
                case .bytes(let bytes, let wasPaused):
                    if wasPaused { driver.resume(self) }
                    continuation.resume(returning: bytes)
                case .end: continuation.resume(returning: nil)
                case .failed(let error): continuation.resume(throwing: error)
                case .wait: break
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// Takes what is there, or leaves a continuation for what comes.
    private func take(waiting continuation: CheckedContinuation<[UInt8]?, any Error>?) -> Piece {
        state.withLock { state in
            if !state.pending.isEmpty {
                let bytes = state.pending
                state.pending = []
                let wasPaused = state.isPaused
                state.isPaused = false
                return .bytes(bytes, wasPaused: wasPaused)
            }
            switch state.end {
            case .complete: return .end
            case .failed(let error): return .failed(error)
            case nil:
                if let continuation {
                    precondition(state.bodyWaiter == nil, "a body has one reader at a time")
                    state.bodyWaiter = continuation
                }
                return .wait
            }
        }
    }

    /// Reads the rest of a short body, so that its connection can serve the next request; a longer one costs the
    /// connection.
    func discard(upTo limit: Int) async {
        var count = 0
        while count <= limit {
            guard let bytes = try? await next() else { return }
            count += bytes.count
        }
        cancel()
    }

    /// Ends the exchange for the task's part: bytes not yet taken are dropped, waiters get the error, the driver closes.
    func cancel(_ error: HTTPClientError = HTTPClientError(.cancelled, "the request was cancelled")) {
        let wasRunning = end { state in
            let wasRunning = state.end == nil
            // A complete body of which bytes are dropped must not look complete.
            if case .failed = state.end { return false }
            state.pending = []
            state.end = .failed(error.after(state.received))
            return wasRunning
        }
        if wasRunning { driver.abort(self) }
    }

    // The driver's side.

    var hasEnded: Bool {
        state.withLock { $0.end != nil }
    }

    func deliver(_ head: Head) {
        let waiter = state.withLock { state in
            let waiter = state.headWaiter
            state.headWaiter = nil
            return waiter
        }
        waiter?.resume(returning: head)
    }

    /// Takes bytes unless the buffer is full; ``handOver()`` gives them to a task that waits.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Reception {
        // A pointer is not Sendable, but this one does not outlive the call.
        nonisolated(unsafe) let bytes = bytes
        return state.withLock { state in
            guard state.end == nil else { return .refused }
            guard state.pending.count < plan.configuration.bufferedBytes else {
                state.isPaused = true
                return .full
            }
            state.received += bytes.count
            state.pending.append(contentsOf: bytes)
            return .taken
        }
    }

    /// Wakes a task that waits for bytes, if there are any: once for all that came together, since waking costs as much as
    /// moving many kilobytes. Whether that made room for a transfer that was told to wait.
    @discardableResult
    func handOver() -> Bool {
        let (waiter, bytes, wasPaused) = state.withLock {
            state -> (CheckedContinuation<[UInt8]?, any Error>?, [UInt8], Bool) in
            guard let waiter = state.bodyWaiter, !state.pending.isEmpty else { return (nil, [], false) }
            let (bytes, wasPaused) = (state.pending, state.isPaused)
            state.pending = []
            state.isPaused = false
            state.bodyWaiter = nil
            return (waiter, bytes, wasPaused)
        }
        waiter?.resume(returning: bytes)
        return wasPaused
    }

    /// Ends the exchange for the driver's part, unless it has ended; bytes not yet taken can still be read.
    func finish(_ error: HTTPClientError?) {
        handOver()
        end { state in
            if state.end == nil {
                state.end = error.map { .failed($0.after(state.received)) } ?? .complete
            }
        }
    }

    /// Changes the state to an end and wakes whoever waits for anything.
    @discardableResult
    private func end<Value: Sendable>(_ change: (inout State) -> Value) -> Value {
        let (value, waiters, end) = state.withLock { state in
            let value = change(&state)
            let waiters = (state.headWaiter, state.bodyWaiter)
            state.headWaiter = nil
            state.bodyWaiter = nil
            return (value, waiters, state.end)
        }
        if case .failed(let error) = end {
            waiters.0?.resume(throwing: error)
            waiters.1?.resume(throwing: error)
        } else {
            waiters.0?.resume(throwing: HTTPClientError(.malformedResponse, "the response has no head"))
            waiters.1?.resume(returning: nil)
        }
        return value
    }
}
