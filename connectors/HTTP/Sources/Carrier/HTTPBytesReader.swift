import HeadraceCore
import HeadraceHTTPClient

/// Reads the body of one URL, and goes on after a broken connection where the server proves that the bytes are the same.
///
/// - Invariant (`@unchecked Sendable`): used by one thread at a time, as `ByteReader` promises.
final class HTTPBytesReader: ByteReader, @unchecked Sendable {
    private let client: RESTClient
    private let request: RESTRequest
    private let context: RunContext
    private let tag: String?
    private let isPacked: Bool
    private var answer: OpenAnswer?
    private var piece: [UInt8] = []
    private var taken = 0
    /// The byte of the whole that comes next.
    private var position: Int
    /// Failures since bytes last came.
    private var retry: RetryState?

    /// Reads on from `opened`, which stands at byte `position` of the whole.
    init(
        _ client: RESTClient, _ request: RESTRequest, _ opened: Opened, at position: Int, in context: RunContext
    ) {
        self.client = client
        self.request = request
        self.context = context
        self.position = position
        answer = opened.answer
        piece = opened.ahead
        tag = opened.answer.strongTag
        isPacked = opened.answer.isPacked
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard !buffer.isEmpty else { return 0 }
        while taken == piece.count {
            guard try fetch() else { return 0 }
        }
        let count = min(buffer.count, piece.count - taken)
        piece.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[taken..<taken + count]))
        }
        taken += count
        position += count
        return count
    }

    /// Gets the next piece of the body; false at its end.
    private func fetch() throws -> Bool {
        while true {
            guard let answer else { return false }
            do {
                let body = answer.response.body
                let cancellation = context.cancellation
                let next = try BlockingWork.wait { try await cancellation.scope { try await body.next() } }
                guard let next else {
                    answer.close()
                    self.answer = nil
                    return false
                }
                piece = next
                taken = 0
                retry = nil
                return true
            } catch let error as HTTPClientError {
                answer.close()
                self.answer = nil
                if try !reopen(after: error) { return false }
                if taken < piece.count { return true }
            }
        }
    }

    /// Opens the body again where it broke off, after the waits that the policy asks for; false when it ends there.
    private func reopen(after failure: HTTPClientError) throws -> Bool {
        let clock = context.clock
        var failure = failure
        while true {
            var state =
                retry ?? RetryState(client.configuration.retry, isRepeatable: true, startedAt: clock.monotonic())
            let decision = state.decide(
                after: .failed(failure), monotonic: clock.monotonic(), now: clock.now(),
                random: context.random.fraction())
            retry = state
            guard case .retry(let wait, _) = decision, let tag else { throw brokenOff(failure) }
            context.log.warning(
                "a transfer that broke off is taken up again",
                [("url", client.redact(request.url)), ("byte", "\(position)"), ("kind", failure.code.rawValue)])
            let (client, request, context, position, isPacked) = (client, request, context, position, isPacked)
            do {
                let opened = try BlockingWork.wait {
                    try await context.cancellation.scope { try await clock.sleep(for: wait) }
                    return try await Self.open(
                        client, request, tag: tag, at: position, isPacked: isPacked, in: context)
                }
                guard let opened else { return false }
                answer = opened.answer
                piece = opened.ahead
                taken = 0
                return true
            } catch let error as HTTPClientError {
                // It broke off again while the first bytes were passed over.
                failure = error
            }
        }
    }

    private func brokenOff(_ failure: HTTPClientError) -> HeadraceError {
        HeadraceError(
            .httpFailed,
            "\(client.redact(request.url)) broke off at byte \(position): \(client.redact(failure.message))",
            fields: [("kind", failure.code.rawValue)],
            because: tag == nil ? "the server does not say which version it sent, so reading cannot go on" : nil,
            hint: "run again, or land the file first if this happens often",
            retry: failure.isRetryable ? .mayHelp : .never)
    }

    /// A body that stands at the byte that was asked for, after `ahead`, which was read with what came before.
    struct Opened: Sendable {
        let answer: OpenAnswer
        var ahead: [UInt8] = []
    }

    /// Opens the version `tag` of a URL at a byte: by range where the server offers it, else by passing over what comes
    /// before. Nil when the whole ends there.
    ///
    /// - Parameter isPacked: whether the server packs this version, so that ranges count other bytes.
    /// - Throws: `notFound` when the server has another version by now.
    static func open(
        _ client: RESTClient, _ request: RESTRequest, tag: String, at position: Int, isPacked: Bool,
        in context: RunContext
    ) async throws -> Opened? {
        var request = request
        if position > 0, !isPacked {
            request.headers["Range"] = "bytes=\(position)-"
            request.headers["If-Range"] = tag
            request.accepts.insert(416)
        }
        let answer = try await client.open(request, in: context)
        do {
            let range = answer.response.headers["Content-Range"] ?? ""
            if answer.response.status == 416, range == "bytes */\(position)" {
                answer.close()
                return nil
            }
            guard answer.strongTag == tag, answer.response.status != 416 else {
                throw HeadraceError(
                    .notFound, "\(client.redact(request.url)) has changed since reading began",
                    fields: [("expected", tag), ("found", answer.response.headers["ETag"] ?? "no ETag")],
                    hint: "run again from the start")
            }
            guard answer.response.status == 206 else {
                return Opened(answer: answer, ahead: try await pass(position, of: answer, client, request, context))
            }
            guard range.hasPrefix("bytes \(position)-") else {
                throw HeadraceError(
                    .httpFailed, "\(client.redact(request.url)) sent another range than was asked for",
                    fields: [("expected", "bytes \(position)-"), ("found", range)])
            }
            return Opened(answer: answer)
        } catch {
            answer.close()
            throw error
        }
    }

    /// Reads and drops the first bytes of a body; gives what was read beyond them.
    private static func pass(
        _ count: Int, of answer: OpenAnswer, _ client: RESTClient, _ request: RESTRequest, _ context: RunContext
    ) async throws -> [UInt8] {
        var left = count
        while left > 0 {
            let body = answer.response.body
            guard let piece = try await context.cancellation.scope({ try await body.next() }) else {
                throw HeadraceError(
                    .notFound, "\(client.redact(request.url)) is shorter than it was",
                    fields: [("expected", "more than \(count) bytes")], hint: "run again from the start")
            }
            if piece.count > left { return Array(piece[left...]) }
            left -= piece.count
        }
        return []
    }

    func close() {
        answer?.close()
        answer = nil
    }
}
