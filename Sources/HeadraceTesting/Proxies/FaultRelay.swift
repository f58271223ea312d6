import Glibc
import Synchronization

/// One connection through a proxy: two sockets, and a thread that carries bytes between them.
final class FaultRelay: Sendable {
    /// What somebody else wants of the thread.
    enum Order: Sendable { case cut(FaultScript.Action), release }

    private struct Half {
        let direction: FaultScript.Direction
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        /// What was read and not sent yet; up to `free` it may be.
        var pending = 0..<0
        var free = 0
        var action: FaultScript.Action?
        var isHeld = false
        /// Whether bytes came while the direction was held.
        var isWaiting = false
        var isEnded = false
    }

    private let client: Int32
    private let server: Int32
    private let shared: FaultProxy.Shared
    private let script: FaultScript
    private let start: FaultProgress.Matches
    private let wake = WakeSignal()
    private let orders = Mutex<[Order]>([])

    init(
        client: Int32, server: Int32, shared: FaultProxy.Shared, script: FaultScript, start: FaultProgress.Matches
    ) {
        self.start = start
        self.client = client
        self.server = server
        self.shared = shared
        self.script = script
    }

    deinit { wake.end() }

    func give(_ order: Order) {
        orders.withLock { $0.append(order) }
        wake.send()
    }

    /// Carries bytes until the connection ends, and closes it.
    func run() {
        var halves = [Half(direction: .toServer), Half(direction: .toClient)]
        var matches = start
        var end: FaultScript.Action?
        while end == nil {
            wait(&halves)
            for order in takeOrders() {
                switch order {
                case .cut(let action): end = action
                case .release:
                    for index in halves.indices {
                        if halves[index].isWaiting { shared.note(self, waiting: -1) }
                        halves[index].isHeld = false
                        halves[index].isWaiting = false
                    }
                }
            }
            for index in halves.indices where end == nil { end = carry(index, &halves, &matches) }
            if end == nil, halves.allSatisfy({ $0.isEnded && $0.pending.isEmpty }) { end = .end }
        }
        if end == .reset {
            ProxySocket.resetOnClose(client)
            ProxySocket.resetOnClose(server)
        }
        for half in halves where half.isWaiting { shared.note(self, waiting: -1) }
        close(client)
        close(server)
    }

    private func takeOrders() -> [Order] {
        wake.clear()
        return orders.withLock { orders in
            defer { orders = [] }
            return orders
        }
    }

    private func wait(_ halves: inout [Half]) {
        var watched = [
            pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: -1, events: 0, revents: 0),
            pollfd(fd: -1, events: 0, revents: 0),
        ]
        // A socket of which nothing is wanted is not watched at all, or its hanging up would wake us without end.
        func watch(_ descriptor: Int32, for events: Int32) {
            let index = descriptor == client ? 1 : 2
            watched[index].fd = descriptor
            watched[index].events |= Int16(events)
        }
        for half in halves {
            let (from, to) = half.direction == .toServer ? (client, server) : (server, client)
            if !half.isHeld, !half.pending.isEmpty {
                watch(to, for: POLLOUT)
            } else if !half.isEnded, !half.isWaiting, half.isHeld || half.pending.isEmpty {
                watch(from, for: POLLIN)
            }
        }
        poll(&watched, 3, -1)
    }

    /// Reads and sends what can be in one direction. Returns how the connection ends, if it does.
    private func carry(
        _ index: Int, _ halves: inout [Half], _ matches: inout FaultProgress.Matches
    ) -> FaultScript.Action? {
        let (from, to) = halves[index].direction == .toServer ? (client, server) : (server, client)
        if halves[index].isHeld {
            look(from, &halves[index])
            return nil
        }
        if halves[index].pending.isEmpty, !halves[index].isEnded, let end = receive(from, to, &halves[index]) {
            return end
        }
        while true {
            if halves[index].pending.lowerBound < halves[index].free {
                guard let isSent = transmit(to, &halves[index]) else { return .reset }
                if !isSent { return nil }
            } else if let action = halves[index].action {
                halves[index].action = nil
                if action == .reset || action == .end { return action }
                for other in halves.indices {
                    let isAnswers = halves[other].direction == .toClient
                    if action == .stall || action == .hold && isAnswers { halves[other].isHeld = true }
                }
                if halves[index].isHeld { return nil }
            } else if halves[index].pending.isEmpty {
                return nil
            } else {
                let bytes = halves[index].buffer[halves[index].pending]
                let passing = shared.pass(bytes, halves[index].direction, self, &matches)
                halves[index].free += passing.count
                halves[index].action = passing.action
            }
        }
    }

    /// Notes that something came for a direction that is held, and leaves it there.
    private func look(_ from: Int32, _ half: inout Half) {
        guard !half.isWaiting, !half.isEnded else { return }
        var byte: UInt8 = 0
        guard recv(from, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) >= 0 || errno != EAGAIN else { return }
        half.isWaiting = true
        shared.note(self, waiting: 1)
    }

    private func receive(_ from: Int32, _ to: Int32, _ half: inout Half) -> FaultScript.Action? {
        let most = script.bytesPerSecond.map { min(max(1, $0 / 20), half.buffer.count) } ?? half.buffer.count
        let count = recv(from, &half.buffer, most, Int32(MSG_DONTWAIT))
        if count < 0 { return errno == EAGAIN || errno == EINTR ? nil : .reset }
        if count == 0 {
            half.isEnded = true
            shutdown(to, Int32(SHUT_WR))
            return nil
        }
        if script.delay > 0 { poll(nil, 0, Int32(script.delay)) }
        if let rate = script.bytesPerSecond { poll(nil, 0, Int32(max(1, count * 1000 / rate))) }
        half.pending = 0..<count
        half.free = 0
        return nil
    }

    /// Sends what may pass; false when the other end takes no more now, nil when it is gone.
    private func transmit(_ to: Int32, _ half: inout Half) -> Bool? {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let passing = half.pending.lowerBound..<half.free
        let count = half.buffer[passing].withUnsafeBytes { send(to, $0.baseAddress, $0.count, flags) }
        if count < 0 { return errno == EAGAIN || errno == EINTR ? false : nil }
        half.pending = half.pending.lowerBound + count..<half.pending.upperBound
        return true
    }
}
