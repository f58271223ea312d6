import Glibc

/// One connection to the demo market: what has been read of it and what is still to be sent. Times are in nanoseconds.
struct MarketConnection {
    /// What a connection is at.
    enum Phase {
        /// It waits for a request, or for the rest of one, until the time given.
        case reading(until: UInt64)
        /// It has an answer to send, not before the first time given and not after the second.
        case answering(notBefore: UInt64, until: UInt64)
        /// Everything is sent, and what the client still sends is thrown away until it closes: to close at once would
        /// take the answer from a client that is still sending.
        case lingering(until: UInt64)
        /// It is over.
        case over
    }

    static let patience: UInt64 = 30_000_000_000
    static let patienceWithHeads: UInt64 = 10_000_000_000
    static let lingering: UInt64 = 1_000_000_000

    let descriptor: Int32
    var phase: Phase
    var parser = MarketRequestParser()
    private var output: [UInt8] = []
    private var sent = 0
    private var closesAfterwards = false

    init(descriptor: Int32, now: UInt64) {
        self.descriptor = descriptor
        phase = .reading(until: now + Self.patience)
    }

    /// The events for which the connection waits.
    func interest(at now: UInt64) -> Int16 {
        switch phase {
        case .reading, .lingering: Int16(POLLIN)
        case .answering(let time, _): now >= time ? Int16(POLLOUT) : 0
        case .over: 0
        }
    }

    /// When the connection wants to be looked at, whatever happens on it.
    func deadline(at now: UInt64) -> UInt64 {
        switch phase {
        case .reading(let time), .lingering(let time): time
        case .answering(let time, let limit): now >= time ? limit : time
        case .over: now
        }
    }

    /// Queues an answer.
    mutating func answer(_ message: [UInt8], closes: Bool, notBefore time: UInt64) {
        output = message
        sent = 0
        closesAfterwards = closes
        phase = .answering(notBefore: time, until: time + Self.patience)
    }

    /// Reads what is there.
    mutating func read(at now: UInt64) {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR {
            phase = .over
        } else if count > 0, case .reading(let time) = phase {
            if parser.isEmpty { phase = .reading(until: min(time, now + Self.patienceWithHeads)) }
            parser.append(buffer[..<count])
        }
    }

    /// Sends as much of the answer as the connection takes.
    mutating func write(at now: UInt64) {
        let count = output.withUnsafeBytes { bytes in
            send(descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
        if count < 0 {
            if errno != EAGAIN && errno != EINTR { phase = .over }
            return
        }
        sent += count
        guard sent == output.count else { return }
        output = []
        if closesAfterwards {
            shutdown(descriptor, Int32(SHUT_WR))
            phase = .lingering(until: now + Self.lingering)
        } else {
            phase = .reading(until: now + Self.patience)
        }
    }
}
