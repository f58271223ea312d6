import Glibc
import HeadraceCore
import Synchronization

/// Stands between clients and a server, of whatever protocol, and lets bytes pass until its script says otherwise.
///
/// It listens on a port of 127.0.0.1 of its own. Every connection is carried by a thread; nothing is kept but the bytes on
/// their way, at most 64 KiB each way. It ends with the object.
public final class FaultProxy: Sendable {
    /// The server behind it.
    public enum Upstream: Sendable, Hashable {
        /// A host's name or address and a port.
        case tcp(host: String, port: Int)
        /// The path of a Unix socket.
        case unix(path: String)
    }

    /// What has come by since the script was played.
    public struct Counts: Sendable, Hashable {
        /// Connections that were taken, whether the server was there or not.
        public var connections = 0
        /// Those of them that are still open.
        public var open = 0
        /// Bytes that passed to the server.
        public var toServer = 0
        /// Bytes that passed to clients.
        public var toClient = 0
        /// Rules that have acted.
        public var fired = 0
        /// Directions that are held and for which something has come: with `hold`, that the server has answered.
        public var waiting = 0
    }

    /// The port of 127.0.0.1 that it listens on.
    public let port: Int
    private let shared: Shared

    /// Listens from now on.
    /// - Throws: `inputOutput` when no port is free.
    public init(to upstream: Upstream, script: FaultScript = FaultScript()) throws {
        let (listener, port) = try ProxySocket.listener()
        self.port = port
        shared = Shared(upstream: upstream, listener: listener, script: script)
        let shared = shared
        shared.play(script)
        EngineThread.start { shared.acceptAll() }
    }

    deinit { stop() }

    /// What has come by since the script was played.
    public var counts: Counts { shared.counts }

    /// Plays another script: connections that are open end by a reset, the counts begin anew.
    public func play(_ script: FaultScript) { shared.play(script) }

    /// Lets what is held or stalled pass.
    public func release() { shared.order(.release) }

    /// Ends all connections that are open, by a reset or in order.
    public func cut(isOrderly: Bool = false) { shared.order(.cut(isOrderly ? .end : .reset)) }

    /// Waits until the counts are as wanted, which is judged whenever they may have changed.
    /// - Returns: false when the time has passed before.
    public func wait(milliseconds: Int = 10_000, until isWanted: (Counts) -> Bool) -> Bool {
        for _ in 0..<max(1, milliseconds) {
            if isWanted(counts) { return true }
            poll(nil, 0, 1)
        }
        return isWanted(counts)
    }

    /// Ends all connections and listens no more. May be called twice.
    public func stop() { shared.stop() }
}

extension FaultProxy {
    /// What the threads of a proxy share.
    final class Shared: Sendable {
        private struct State {
            var script: FaultScript
            var progress: FaultProgress
            var relays: [ObjectIdentifier: FaultRelay] = [:]
            var connections = 0
            var waiting = 0
            var refuses = false
            var isStopped = false
        }

        private let upstream: Upstream
        private let listener: Int32
        private let wake = WakeSignal()
        private let state: Mutex<State>

        init(upstream: Upstream, listener: Int32, script: FaultScript) {
            self.upstream = upstream
            self.listener = listener
            state = Mutex(State(script: script, progress: FaultProgress(script)))
        }

        deinit { wake.end() }

        var counts: Counts {
            state.withLock { state in
                Counts(
                    connections: state.connections, open: state.relays.count, toServer: state.progress.toServer,
                    toClient: state.progress.toClient, fired: state.progress.fired, waiting: state.waiting)
            }
        }

        func play(_ script: FaultScript) {
            let old = state.withLock { state in
                defer {
                    state.script = script
                    state.progress = FaultProgress(script)
                    state.relays = [:]
                    (state.connections, state.waiting) = (0, 0)
                    // A socket that listens no more keeps its port, and can listen again.
                    if script.refuses != state.refuses, !state.isStopped {
                        if script.refuses { shutdown(listener, Int32(SHUT_RD)) } else { listen(listener, 128) }
                        state.refuses = script.refuses
                    }
                }
                return Array(state.relays.values)
            }
            for relay in old { relay.give(.cut(.reset)) }
            wake.send()
        }

        func order(_ order: FaultRelay.Order) {
            for relay in state.withLock({ Array($0.relays.values) }) { relay.give(order) }
        }

        func stop() {
            let isFirst = state.withLock { state in
                defer { state.isStopped = true }
                return !state.isStopped
            }
            guard isFirst else { return }
            order(.cut(.reset))
            wake.send()
        }

        func pass(
            _ bytes: ArraySlice<UInt8>, _ direction: FaultScript.Direction, _ relay: FaultRelay,
            _ matches: inout FaultProgress.Matches
        ) -> (count: Int, action: FaultScript.Action?) {
            state.withLock { state in
                // What a connection of an earlier script still carries is nobody's any more.
                guard state.relays[ObjectIdentifier(relay)] != nil else { return (bytes.count, .reset) }
                return state.progress.pass(bytes, direction, &matches)
            }
        }

        func note(_ relay: FaultRelay, waiting: Int) {
            state.withLock { state in
                if state.relays[ObjectIdentifier(relay)] != nil { state.waiting += waiting }
            }
        }

        /// Takes connections until the proxy is stopped.
        func acceptAll() {
            while !state.withLock({ $0.isStopped }) {
                let refuses = state.withLock { $0.refuses }
                var watched = [
                    pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: refuses ? -1 : listener, events: Int16(POLLIN), revents: 0),
                ]
                poll(&watched, 2, -1)
                wake.clear()
                let client = accept(listener, nil, nil)
                guard client >= 0 else { continue }
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                take(client)
            }
            close(listener)
        }

        private func take(_ client: Int32) {
            ProxySocket.promptly(client)
            let server = ProxySocket.connect(to: upstream)
            let relay = state.withLock { state -> FaultRelay? in
                guard !state.isStopped else { return nil }
                state.connections += 1
                guard server >= 0 else { return nil }
                let relay = FaultRelay(
                    client: client, server: server, shared: self, script: state.script, start: state.progress.start)
                state.relays[ObjectIdentifier(relay)] = relay
                return relay
            }
            guard let relay else {
                // There is no server: its absence shows as a reset.
                ProxySocket.resetOnClose(client)
                close(client)
                if server >= 0 { close(server) }
                return
            }
            EngineThread.start {
                relay.run()
                self.state.withLock { _ = $0.relays.removeValue(forKey: ObjectIdentifier(relay)) }
            }
        }
    }
}
