import Glibc
import HeadraceCCurl
import Synchronization

/// One thread that carries out all exchanges of a client over one libcurl multi handle.
final class TransferDriver: @unchecked Sendable {
    // Invariant: `running` and every easy handle are touched by the driver's thread only; others leave commands in the
    // inbox. `multi` is used by others for curl_multi_wakeup alone, under the inbox's lock and only while it is open;
    // the thread closes the inbox under that lock before it frees the handle.

    private enum Command: Sendable {
        case start(Transfer)
        case resume(Transfer)
        case abort(Transfer)
    }

    private struct Inbox {
        var commands: [Command] = []
        var isStopping = false
        var isOpen = true
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let multi: UnsafeMutableRawPointer
    private let inbox = Mutex(Inbox())
    private var running: [ObjectIdentifier: EasyTransfer] = [:]
    private var byHandle: [UnsafeMutableRawPointer: EasyTransfer] = [:]

    private static let isLibraryReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// Starts the thread.
    init(maxIdleConnections: Int) throws(HTTPClientError) {
        guard Self.isLibraryReady, let multi = curl_multi_init() else {
            throw HTTPClientError(.outOfResources, "libcurl could not be started")
        }
        self.multi = multi
        headrace_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, max(1, maxIdleConnections))
        guard startThread() else {
            curl_multi_cleanup(multi)
            throw HTTPClientError(.outOfResources, "there is no thread for HTTP transfers")
        }
    }

    // Any thread.

    func start(_ transfer: Transfer) {
        guard post(.start(transfer)) else {
            transfer.finish(HTTPClientError(.closed, "the HTTP client was closed"))
            return
        }
    }

    func resume(_ transfer: Transfer) {
        _ = post(.resume(transfer))
    }

    func abort(_ transfer: Transfer) {
        _ = post(.abort(transfer))
    }

    /// Tells the thread to end all exchanges and itself.
    func stop() {
        inbox.withLock { inbox in
            guard inbox.isOpen else { return }
            inbox.isStopping = true
            curl_multi_wakeup(multi)
        }
    }

    /// Stops, and waits until every connection is closed.
    func stopAndWait() async {
        stop()
        await withCheckedContinuation { continuation in
            let isOpen = inbox.withLock { inbox in
                if inbox.isOpen { inbox.stopWaiters.append(continuation) }
                return inbox.isOpen
            }
            if !isOpen { continuation.resume() }
        }
    }

    private func post(_ command: Command) -> Bool {
        inbox.withLock { inbox in
            guard inbox.isOpen, !inbox.isStopping else { return false }
            inbox.commands.append(command)
            if inbox.commands.count == 1 { curl_multi_wakeup(multi) }
            return true
        }
    }

    // The driver's thread.

    /// The thread owns the driver until it ends, and takes no signals: those are for threads that expect them, and a
    /// broken connection must not end the process.
    private func startThread() -> Bool {
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT] { sigdelset(&all, fault) }
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let owner = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<TransferDriver>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, owner.toOpaque())
        guard result == 0 else {
            owner.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func run() {
        while true {
            let (commands, isStopping) = inbox.withLock { inbox in
                let commands = inbox.commands
                inbox.commands = []
                return (commands, inbox.isStopping)
            }
            if isStopping { break }
            for command in commands { carryOut(command) }
            var active: Int32 = 0
            curl_multi_perform(multi, &active)
            for easy in running.values { easy.handOver() }
            reap()
            let now = monotonicNanoseconds()
            // A millisecond more, since waking just before a deadline would only mean to wait again.
            let wait = min((max(expire(at: now), now) &- now) / 1_000_000 &+ 1, longestWait)
            curl_multi_poll(multi, nil, 0, Int32(wait), nil)
        }
        shutDown()
    }

    /// Milliseconds after which libcurl is asked again without a reason. libcurl 7.88 can leave the last bytes of an HTTP/2
    /// stream that was paused in its buffers and wait for an event that never comes; being asked, it finds them.
    private var longestWait: UInt64 {
        running.values.contains { $0.isHTTP2 } ? 20 : 60_000
    }

    private func carryOut(_ command: Command) {
        switch command {
        case .start(let transfer):
            guard !transfer.hasEnded else { return }
            guard let easy = EasyTransfer(transfer) else {
                transfer.finish(HTTPClientError(.outOfResources, "libcurl refused the request's settings"))
                return
            }
            guard curl_multi_add_handle(multi, easy.easy) == CURLM_OK else {
                transfer.finish(HTTPClientError(.outOfResources, "libcurl took no further request"))
                return
            }
            running[ObjectIdentifier(transfer)] = easy
            byHandle[easy.easy] = easy
        case .resume(let transfer):
            running[ObjectIdentifier(transfer)]?.resume()
        case .abort(let transfer):
            if let easy = running[ObjectIdentifier(transfer)] { remove(easy) }
        }
    }

    /// Takes a transfer from libcurl, which closes its connection unless the answer was complete.
    private func remove(_ easy: EasyTransfer) {
        curl_multi_remove_handle(multi, easy.easy)
        byHandle[easy.easy] = nil
        running[ObjectIdentifier(easy.transfer)] = nil
    }

    /// Ends the transfers that libcurl is done with.
    private func reap() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let easy = byHandle[handle]
            else { continue }
            let result = message.pointee.data.result
            let error = easy.failure ?? HTTPClientError.ofCurl(result, easy)
            remove(easy)
            easy.transfer.finish(error)
        }
    }

    /// Ends the transfers that took too long; returns when to look again.
    private func expire(at now: UInt64) -> UInt64 {
        var next = UInt64.max
        var overdue: [(EasyTransfer, HTTPClientError)] = []
        for easy in running.values {
            guard easy.clock.nextLook <= now, let error = easy.clock.overdue(at: now) else {
                next = min(next, easy.clock.nextLook)
                continue
            }
            overdue.append((easy, error))
        }
        for (easy, error) in overdue {
            remove(easy)
            easy.transfer.finish(error)
        }
        return next
    }

    private func shutDown() {
        let (commands, waiters) = inbox.withLock { inbox in
            inbox.isOpen = false
            let commands = inbox.commands
            inbox.commands = []
            let waiters = inbox.stopWaiters
            inbox.stopWaiters = []
            return (commands, waiters)
        }
        let closed = HTTPClientError(.closed, "the HTTP client was closed")
        for easy in Array(running.values) {
            remove(easy)
            easy.transfer.finish(closed)
        }
        for case .start(let transfer) in commands { transfer.finish(closed) }
        curl_multi_cleanup(multi)
        for waiter in waiters { waiter.resume() }
    }
}
