import Glibc

/// The loop of the demo market: one thread, one `poll`, any number of connections up to a bound.
///
/// Everything in it belongs to the thread that calls ``run()``, except the desk.
final class MarketServer {
    private static let mostConnections = 256

    private let listener: Int32
    private let lifeline: Int32
    private var site: MarketSite
    private let desk: MarketDesk
    private let latency: UInt64
    private var connections: [MarketConnection] = []
    /// Until when no connection is accepted, after the system had no descriptor left for one.
    private var rest: UInt64 = 0

    /// A server that closes the listening socket and its end of the lifeline when its run ends.
    init(listener: Int32, lifeline: Int32, site: MarketSite, desk: MarketDesk, latency: Duration) {
        self.listener = listener
        self.lifeline = lifeline
        self.site = site
        self.desk = desk
        let (seconds, attoseconds) = latency.components
        self.latency = UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds / 1_000_000_000))
    }

    /// Serves until something arrives on the lifeline or its other end is closed.
    func run() {
        defer {
            for connection in connections { close(connection.descriptor) }
            close(listener)
            close(lifeline)
        }
        while true {
            var now = Self.now()
            var polled = [pollfd(fd: lifeline, events: Int16(POLLIN), revents: 0)]
            let accepts = connections.count < Self.mostConnections && now >= rest
            polled.append(pollfd(fd: listener, events: accepts ? Int16(POLLIN) : 0, revents: 0))
            var deadline = rest > now ? rest : now + 60_000_000_000
            for connection in connections {
                polled.append(pollfd(fd: connection.descriptor, events: connection.interest(at: now), revents: 0))
                deadline = min(deadline, connection.deadline(at: now))
            }
            let wait = deadline > now ? Int32((deadline - now + 999_999) / 1_000_000) : 0
            guard poll(&polled, nfds_t(polled.count), wait) >= 0 || errno == EINTR else { return }
            if polled[0].revents != 0 { return }
            now = Self.now()
            for index in connections.indices {
                serve(&connections[index], polled[index + 2].revents, at: now)
            }
            connections.removeAll { connection in
                guard case .over = connection.phase else { return false }
                close(connection.descriptor)
                return true
            }
            if polled[1].revents != 0 { accept(at: now) }
        }
    }

    private func accept(at now: UInt64) {
        while connections.count < Self.mostConnections {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else {
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) { rest = now + 100_000_000 }
                return
            }
            // The module of the C library has no accept4, which would have set both at once.
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            var yes: Int32 = 1
            setsockopt(
                descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
            connections.append(MarketConnection(descriptor: descriptor, now: now))
        }
    }

    private func serve(_ connection: inout MarketConnection, _ events: Int16, at now: UInt64) {
        let happened = Int32(events)
        if happened & (POLLERR | POLLNVAL) != 0 {
            connection.phase = .over
            return
        }
        switch connection.phase {
        case .reading(let time):
            if happened & (POLLIN | POLLHUP) != 0 {
                connection.read(at: now)
            } else if now >= time {
                if connection.parser.isEmpty {
                    connection.phase = .over
                } else {
                    refuse(408, &connection, at: now)
                }
            }
        case .answering(let time, let limit):
            if happened & POLLHUP != 0 || now >= limit {
                connection.phase = .over
            } else if now >= time {
                connection.write(at: now)
            }
        case .lingering(let time):
            if happened & (POLLIN | POLLHUP) != 0 { connection.read(at: now) }
            if now >= time { connection.phase = .over }
        case .over: break
        }
        // Requests may have come together, so a connection that is ready to read is first asked what it has already.
        while case .reading = connection.phase, take(from: &connection, at: now) {}
    }

    /// Answers the next request of a connection; false when none is complete.
    private func take(from connection: inout MarketConnection, at now: UInt64) -> Bool {
        switch connection.parser.next() {
        case .incomplete: return false
        case .refused(let status): refuse(status, &connection, at: now)
        case .request(let request): answer(request, &connection, at: now)
        }
        if case .answering(let time, _) = connection.phase, now >= time { connection.write(at: now) }
        return true
    }

    private func refuse(_ status: Int, _ connection: inout MarketConnection, at now: UInt64) {
        let response = MarketResponse(status, "This is no request that can be answered.")
        connection.answer(response.message(hasBody: true, keepsAlive: false), closes: true, notBefore: now)
    }

    private func answer(_ request: MarketRequest, _ connection: inout MarketConnection, at now: UInt64) {
        let feed = MarketSite.feed(of: request)
        let outage = feed.flatMap { desk.outage(of: $0) }
        var response: MarketResponse
        switch outage {
        case .closesConnection:
            desk.record(request, status: nil)
            connection.phase = .over
            return
        case .stalls:
            desk.record(request, status: nil)
            connection.phase = .lingering(until: .max)
            return
        case .unavailable: response = MarketResponse(503, "This service is down.")
        case .cutsBody, nil: response = site.respond(to: request, second: now / 1_000_000_000)
        }
        let closes = !request.keepsAlive || outage == .cutsBody
        let hasBody = request.method != "HEAD"
        var message = response.message(hasBody: hasBody, keepsAlive: !closes)
        if outage == .cutsBody, hasBody { message.removeLast(response.body.count - response.body.count / 2) }
        desk.record(request, status: response.status)
        connection.answer(message, closes: closes, notBefore: now + latency)
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
